import { mkdir, mkdtemp, readFile, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ddim } from "../diffusion/samplers/ddim.ts";
import { UnnoiseError } from "../math/error.ts";
import { parseTrainingConfig, type TrainingOptions } from "./config.ts";
import { RunFolder } from "./run-folder.node.ts";
import { sample } from "./sample.ts";
import { resumedConfig, trainRun, type TrainRunOptions } from "./train-run.node.ts";

let root: string;
beforeAll(async () => (root = await mkdtemp(join(tmpdir(), "unnoise-train-"))));
afterAll(() => rm(root, { recursive: true }));

const small: Omit<TrainingOptions, "data"> = {
  iterations: 60,
  batchSize: 16,
  width: 16,
  depth: 1,
  dataSize: 200,
  checkpointEvery: 20,
  logEvery: 7,
  warmup: 5,
  device: "cpu",
  threads: 1,
};
const config = parseTrainingConfig({ data: "moons", ...small });

const weightsOf = (run: string): Promise<Buffer> =>
  readFile(join(run, "model/unet/diffusion_pytorch_model.safetensors"));

async function errorOf(failing: Promise<unknown>): Promise<UnnoiseError> {
  const error = await failing.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UnnoiseError)) throw new Error(`expected an UnnoiseError, got ${String(error)}`);
  expect(error.message).not.toContain("\n");
  return error;
}

/** Trains until `stopAfter` iterations are done, then stops as Ctrl-C does. */
async function interruptAt(stopAfter: number, options: Omit<TrainRunOptions, "signal">): Promise<void> {
  const stop = new AbortController();
  const onStep: TrainRunOptions["onStep"] = ({ iteration }) => {
    if (iteration === stopAfter) stop.abort();
  };
  expect(await trainRun({ ...options, signal: stop.signal, onStep })).toMatchObject({
    status: "interrupted",
    iteration: stopAfter,
  });
}

describe("a run", () => {
  let whole: string;
  beforeAll(async () => {
    whole = join(root, "whole");
    expect(await trainRun({ config, out: whole })).toMatchObject({ status: "finished", iteration: 60 });
  });

  test("keeps configuration, log, model and the last two checkpoints", async () => {
    const folder = new RunFolder(whole);
    expect(await folder.config()).toEqual(config);
    const events = await folder.events();
    expect(events.map(({ event }) => event)).toEqual(["start", ...Array<string>(9).fill("progress"), "end"]);
    expect(await readdir(folder.checkpointsPath)).toEqual(["000000000040.safetensors", "000000000060.safetensors"]);
    const model = await folder.model();
    const points = await sample(model, { count: 10, sampler: ddim(), steps: 5, device: "cpu" });
    expect(points.shape).toEqual([10, 2]);
    expect(points.data.every(Number.isFinite)).toBe(true);
  });

  test.each([1, 20, 33, 59])("stopped after %d iterations and resumed, is the same bit for bit", async (stopAfter) => {
    const out = join(root, `stopped-${stopAfter}`);
    await interruptAt(stopAfter, { config, out });
    await trainRun({ config, out, resume: true });
    expect(await weightsOf(out)).toEqual(await weightsOf(whole));
    const progress = async (run: string): Promise<unknown> =>
      (await new RunFolder(run).events()).filter(({ event }) => event === "progress");
    expect(await progress(out)).toEqual(await progress(whole));
  });

  test("with another seed is another run", async () => {
    const out = join(root, "seed");
    await trainRun({ config: { ...config, seed: 1 }, out });
    expect(await weightsOf(out)).not.toEqual(await weightsOf(whole));
  });

  test("whose newest checkpoint is damaged names the file; deleting it goes on from the one before", async () => {
    const out = join(root, "damaged");
    await interruptAt(41, { config, out });
    const newest = join(out, "checkpoints/000000000041.safetensors");
    await truncate(newest, 100);
    expect((await errorOf(trainRun({ config, out, resume: true }))).message).toMatch(
      /000000000041\.safetensors.*delete that file/,
    );
    await rm(newest);
    await trainRun({ config, out, resume: true });
    expect(await weightsOf(out)).toEqual(await weightsOf(whole));
  });

  test("is not replaced unless asked, and what is no run never", async () => {
    expect((await errorOf(trainRun({ config, out: whole }))).message).toMatch(
      /already holds a run.*--resume.*--overwrite/,
    );
    const other = join(root, "other");
    await mkdir(other);
    await writeFile(join(other, "thesis.txt"), "years of work");
    const error = await errorOf(trainRun({ config, out: other, overwrite: true }));
    expect(error.message).toMatch(/is not a run of unnoise/);
    expect(await readdir(other)).toEqual(["thesis.txt"]);
  });

  test.each([
    ["config.json", "{", /config\.json: not JSON/],
    ["log.jsonl", "{\n", /log\.jsonl: line 1 is damaged/],
    ["model/unet/config.json", "{}", /unet\/config\.json: _class_name/],
    ["model/standardiser/config.json", '{"mean":[],"scale":[],"columns":[]}', /do not agree/],
  ])("with a damaged %s says so", async (file, content, message) => {
    const out = join(root, `broken-${file.replaceAll("/", "-")}`);
    await trainRun({ config: { ...config, iterations: 2 }, out });
    await writeFile(join(out, file), content);
    const folder = new RunFolder(out);
    const reading = folder.model().then(() => folder.events());
    expect((await errorOf(reading)).message).toMatch(message);
  });
});

test("points of the user's own are kept with the run", async () => {
  const csv = join(root, "points.csv");
  await writeFile(csv, `a,b,c\n${Array.from({ length: 50 }, (_, i) => `${i},${i * i},7`).join("\n")}\n`);
  const own = parseTrainingConfig({ data: csv, ...small });
  const out = join(root, "own");
  await interruptAt(30, { config: own, out });
  await rm(csv);
  await trainRun({ config: own, out, resume: true });
  const model = await new RunFolder(out).model();
  expect(model.columns).toEqual(["a", "b", "c"]);
  expect(model.standardiser.mean).toEqual([24.5, expect.closeTo(808.5, 9) as number, 7]);
  expect(model.standardiser.scale[2]).toBe(1);
});

test("training that diverges stops with the last good checkpoint kept", async () => {
  const out = join(root, "diverging");
  const wild = { ...config, learningRate: 1e30, warmup: 0, checkpointEvery: 1 };
  const error = await errorOf(trainRun({ config: wild, out }));
  expect(error.code).toBe("not-finite");
  expect(error.message).toMatch(/not finite|gave loss/);
  expect((await readdir(join(out, "checkpoints")).catch(() => [])).every((name) => name.endsWith(".safetensors"))).toBe(
    true,
  );
});

test("the same seed gives the same samples at any count", async () => {
  const out = join(root, "counts");
  await trainRun({ config, out });
  const model = await new RunFolder(out).model();
  const draw = (count: number): ReturnType<typeof sample> =>
    sample(model, { count, sampler: ddim({ eta: 1 }), steps: 10, seed: 5, device: "cpu" });
  const [few, many] = [await draw(7), await draw(1500)];
  const gap = few.data.reduce(
    (largest, value, i) => Math.max(largest, Math.abs(value - (many.data[i] ?? Infinity))),
    0,
  );
  expect(gap).toBeLessThan(1e-5);
});

test("a run resumes with its own options, but may move to another device", () => {
  expect(resumedConfig(config, { device: "wasm", threads: 2, width: 16 })).toEqual({
    ...config,
    device: "wasm",
    threads: 2,
  });
  expect(() => resumedConfig(config, { width: 17 })).toThrow(/width was 16 in this run and cannot become 17/);
});
