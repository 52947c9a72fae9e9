import { cp, mkdtemp, readFile, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { takeSumsAway, tryDamage, type Outcome } from "../../test/damage.ts";
import { parseTrainingConfig } from "./config.ts";
import { RunFolder } from "./run-folder.node.ts";
import { trainRun } from "./train-run.node.ts";

const TRIES = 24;
const config = parseTrainingConfig({
  data: "moons",
  ...{ iterations: 30, batchSize: 8, width: 8, depth: 1, dataSize: 60, timesteps: 4 },
  ...{ checkpointEvery: 10, timestepDraw: "importance", device: "cpu", threads: 1 },
});

let root: string;
let whole: Uint8Array;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "unnoise-damage-"));
  await trainRun({ config, out: join(root, "whole") });
  whole = await readFile(join(root, "whole/model/unet/diffusion_pytorch_model.safetensors"));
  const stop = new AbortController();
  const onStep = ({ iteration }: { iteration: number }): void => {
    if (iteration === 25) stop.abort();
  };
  await trainRun({ config, out: join(root, "half"), signal: stop.signal, onStep });
});
afterAll(() => rm(root, { recursive: true }));

const outcomes = async (run: string): Promise<Outcome[]> => {
  const all: Outcome[] = [];
  for (let i = 0; i < TRIES; i++) all.push(await tryDamage(join(root, run), whole, i));
  return all;
};

test("a damaged file of a run that is not finished is named, or survived by the checkpoint before", async () => {
  const all = await outcomes("half");
  expect(all.filter(({ outcome }) => outcome === "accepted")).toEqual([]);
  expect(new Set(all.map(({ outcome }) => outcome))).toContain("refused");
  expect(new Set(all.map(({ outcome }) => outcome))).toContain("survived");
});

test("a damaged file of a model is named", async () => {
  const all = await outcomes("whole");
  expect(all.filter(({ outcome }) => outcome === "accepted")).toEqual([]);
  expect(all.filter(({ outcome }) => outcome === "refused").length).toBeGreaterThan(TRIES / 2);
});

test.each(["half", "whole"])("control: without checksums, damage of %s is accepted", async (run) => {
  const bare = join(root, `${run}-bare`);
  await cp(join(root, run), bare, { recursive: true });
  await takeSumsAway(bare);
  const accepted = (await outcomes(`${run}-bare`)).filter(({ outcome }) => outcome === "accepted");
  expect(accepted).not.toEqual([]);
});

test("the only checkpoint, damaged, says what to do, and that helps", async () => {
  const out = join(root, "half-only");
  await cp(join(root, "half"), out, { recursive: true });
  const folder = join(out, "checkpoints");
  const [first = "", ...more] = await readdir(folder);
  for (const name of more) await rm(join(folder, name));
  await truncate(join(folder, first), 100);
  const advice = `there is none before it: delete ${folder} to train from the start with --resume`;
  await expect(trainRun({ config, out, resume: true })).rejects.toThrow(advice);
  await rm(folder, { recursive: true });
  await trainRun({ config, out, resume: true });
  const weights = await readFile(join(out, "model/unet/diffusion_pytorch_model.safetensors"));
  expect(weights.equals(whole)).toBe(true);
});

test("a configuration that was changed is named, and taken once its checksums are deleted, as the error says", async () => {
  const out = join(root, "half-edited");
  await cp(join(root, "half"), out, { recursive: true });
  const [path, sums] = [join(out, "config.json"), join(out, "checksums.json")];
  await writeFile(path, (await readFile(path, "utf8")).replace('"seed": 0', '"seed": 7'));
  const resuming = { config: { ...config, seed: 7 }, out, resume: true };
  await expect(trainRun(resuming)).rejects.toThrow(new RegExp(`config\\.json: not the .* on purpose, delete ${sums}$`));
  await rm(sums);
  expect(await trainRun(resuming)).toMatchObject({ status: "finished", iteration: 30 });
});

test("damaged lines of the log are left out with a warning, and the run goes on", async () => {
  const out = join(root, "half-logged");
  await cp(join(root, "half"), out, { recursive: true });
  const path = join(out, "log.jsonl");
  const lines = (await readFile(path, "utf8")).split("\n");
  await writeFile(path, ["{", ...lines.slice(1)].join("\n"));
  const warnings: string[] = [];
  await trainRun({ config, out, resume: true, onWarning: (text) => warnings.push(text) });
  expect(warnings).toContain(`${path}: damaged lines are left out: [1]`);
  const weights = await readFile(join(out, "model/unet/diffusion_pytorch_model.safetensors"));
  expect(weights.equals(whole)).toBe(true);
  expect((await new RunFolder(out).events()).map(({ event }) => event)).not.toContain("start");
});
