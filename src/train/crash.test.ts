import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type * as WriteFile from "../formats/write-file.node.ts";
import { parseTrainingConfig } from "./config.ts";
import { hasModel, loadModel, saveModel } from "./model-folder.node.ts";
import type { AnyModel } from "./model.ts";
import { trainRun } from "./train-run.node.ts";

/** Writes that still succeed; the process is "killed" at the one after. */
const life = vi.hoisted(() => ({ left: Infinity }));

vi.mock("../formats/write-file.node.ts", async (original) => {
  const actual = await original<typeof WriteFile>();
  const writeFileAtomic: typeof actual.writeFileAtomic = (path, content) =>
    life.left-- > 0 ? actual.writeFileAtomic(path, content) : Promise.reject(new Error("killed"));
  return { ...actual, writeFileAtomic };
});

const config = parseTrainingConfig({
  data: "moons",
  ...{ iterations: 4, batchSize: 8, width: 8, depth: 1, dataSize: 60, timesteps: 4, checkpointEvery: 2 },
  ...{ device: "cpu", threads: 1 },
});
const WEIGHTS = "unet/diffusion_pytorch_model.safetensors";

let root: string;
const models: AnyModel[] = [];
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "unnoise-crash-"));
  for (const seed of [0, 1]) {
    await trainRun({ config: { ...config, seed }, out: join(root, `seed ${seed}`) });
    models.push(await loadModel(join(root, `seed ${seed}`, "model")));
  }
});
afterAll(() => rm(root, { recursive: true }));

test("a model that is replaced is whole or no model, wherever the process ends", async () => {
  const [before, after] = models;
  if (!before || !after) throw new Error("no models");
  const whole = await readFile(join(root, "seed 1/model", WEIGHTS));
  const states: string[] = [];
  for (let writes = 0; states.at(-1) !== "done"; writes++) {
    const folder = join(root, `model ${writes}`);
    await saveModel(before, folder);
    life.left = writes;
    const died = await saveModel(after, folder).then(
      () => false,
      () => true,
    );
    life.left = Infinity;
    states.push(died ? ((await hasModel(folder)) ? "mixed" : "none") : "done");
    await saveModel(after, folder);
    await loadModel(folder);
    expect((await readFile(join(folder, WEIGHTS))).equals(whole)).toBe(true);
  }
  expect(states).toEqual([...Array<string>(6).fill("none"), "done"]);
});

test("parts of two saves are noticed", async () => {
  const mixed = join(root, "mixed");
  await cp(join(root, "seed 0/model"), mixed, { recursive: true });
  await cp(join(root, "seed 1/model", WEIGHTS), join(mixed, WEIGHTS));
  await expect(loadModel(mixed)).rejects.toThrow(
    /diffusion_pytorch_model\.safetensors: not the \d+ bytes whose SHA-256/,
  );
});

test("a run goes on to the same weights wherever one of its writes was the last", async () => {
  const whole = await readFile(join(root, "seed 0/model", WEIGHTS));
  let ended = false;
  for (let writes = 0; !ended; writes++) {
    const out = join(root, `run ${writes}`);
    life.left = writes;
    ended = await trainRun({ config, out }).then(
      () => true,
      () => false,
    );
    life.left = Infinity;
    const resumed = trainRun({ config, out, resume: true });
    // Before the configuration is there, there is no run to go on with, and it is made anew.
    await resumed.catch(() => trainRun({ config, out }));
    expect((await readFile(join(out, "model", WEIGHTS))).equals(whole)).toBe(true);
  }
});
