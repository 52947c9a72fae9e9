import { randomUUID } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ddim } from "../diffusion/samplers/ddim.ts";
import { scheduleFromConfig } from "../diffusion/schedules/schedule-config.ts";
import { decodeSafetensors, encodeSafetensors } from "../formats/safetensors.ts";
import { UnnoiseError, at } from "../math/error.ts";
import { parameterCount } from "../nn/parameters.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { parseTrainingConfig, type TrainingOptions } from "./config.ts";
import { BLANK_SEAL, sealed } from "./checkpoint-seal.node.ts";
import { loadCheckpoint } from "./checkpoint.node.ts";
import { denoiserParameters } from "./denoiser-spec.ts";
import { scheduleOf, type PointModel } from "./model.ts";
import { RunFolder } from "./run-folder.node.ts";
import { sample } from "./sample.ts";
import { resumedConfig, trainRun, type TrainRunOptions } from "./train-run.node.ts";
import { denoiserConfigOf } from "./trainer.ts";

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

async function warningsOf(options: TrainRunOptions): Promise<string> {
  const warnings: string[] = [];
  await trainRun({ ...options, onWarning: (text) => warnings.push(text) });
  return warnings.join("\n");
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
    const model = (await folder.model()) as PointModel;
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

  test("whose newest checkpoint is damaged names the file and goes on from the one before", async () => {
    const out = join(root, "damaged");
    await interruptAt(41, { config, out });
    await truncate(join(out, "checkpoints/000000000041.safetensors"), 100);
    expect(await warningsOf({ config, out, resume: true })).toMatch(
      /000000000041\.safetensors.*going on from the one before, \d+\.safetensors$/,
    );
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

  test("that a resumed run would differ from is refused, and the run stays as it is", async () => {
    const before = await readFile(join(whole, "log.jsonl"));
    const error = await errorOf(trainRun({ config: { ...config, width: 17 }, out: whole, resume: true }));
    expect([error.code, error.message]).toEqual(["usage", expect.stringMatching(/width was 16 in this run/)]);
    expect(await readFile(join(whole, "log.jsonl"))).toEqual(before);
  });

  test("logs its start once when it is resumed before the first checkpoint", async () => {
    const out = join(root, "early");
    await cp(whole, out, { recursive: true });
    await rm(join(out, "checkpoints"), { recursive: true });
    await rm(join(out, "model"), { recursive: true });
    await trainRun({ config, out, resume: true });
    expect(await new RunFolder(out).events()).toEqual(await new RunFolder(whole).events());
    expect(await weightsOf(out)).toEqual(await weightsOf(whole));
  });

  test("logs where it goes on, and takes away what a kill left half-written", async () => {
    const out = join(root, "left");
    await interruptAt(30, { config, out });
    const temporary = `.unnoise-${randomUUID()}.tmp`;
    await mkdir(join(out, "model/unet"), { recursive: true });
    for (const folder of ["", "checkpoints", "model", "model/unet"]) await writeFile(join(out, folder, temporary), "");
    await trainRun({ config: { ...config, threads: 2 }, out, resume: true });
    const resumed = (await new RunFolder(out).events()).filter(({ event }) => event === "resume");
    expect(resumed).toEqual([{ event: "resume", iteration: 30, device: "cpu", threads: 2 }]);
    expect((await readdir(out, { recursive: true })).filter((name) => name.includes(".tmp"))).toEqual([]);
  });

  test("without the index of its model has no model yet; resuming finishes it", async () => {
    const out = join(root, "no-index");
    await cp(whole, out, { recursive: true });
    await rm(join(out, "model/model_index.json"));
    expect((await errorOf(new RunFolder(out).model())).message).toMatch(
      /has no model yet; finish it with: .* --resume/,
    );
    await trainRun({ config, out, resume: true });
    expect(((await new RunFolder(out).model()) as PointModel).columns).toEqual(["x", "y"]);
  });

  describe("with a damaged", () => {
    const scheduler = (change: object): string =>
      JSON.stringify({
        _class_name: "DDPMScheduler",
        num_train_timesteps: 1000,
        beta_start: 1e-4,
        beta_end: 0.02,
        beta_schedule: "linear",
        prediction_type: "epsilon",
        clip_sample: false,
        ...change,
      });
    const schedulerFile = "model/scheduler/scheduler_config.json";
    const index = "model/model_index.json";
    let out: string;
    beforeAll(async () => {
      out = join(root, "broken");
      await trainRun({ config: { ...config, iterations: 2 }, out });
    });

    test.each<[string, string, RegExp]>([
      ["config.json", "{", /config\.json: not JSON/],
      ["config.json", '{"unnoise":"9.0.0","data":"moons"}', /config\.json: unnoise: .*"0\.1\.0", got "9\.0\.0"/],
      ["config.json", '{"unnoise":"0.1.0","data":"moons","model":"llama"}', /unknown key model/],
      ["log.jsonl", "{\n", /log\.jsonl: line 1 is damaged/],
      [index, "a\nb", /model_index\.json: not JSON/],
      [index, "[]", /model_index\.json: .*got \[\]/],
      [index, '{"_class_name":"DDIMPipeline"}', /_class_name: .*DDPMPipeline.*got "DDIMPipeline"/],
      [index, '{"_class_name":"DDPMPipeline","scheduler":["diffusers","PNDMScheduler"]}', /scheduler\.1: .*PNDM/],
      ["model/unet/config.json", "{}", /unet\/config\.json: _class_name/],
      ["model/standardiser/config.json", '{"mean":[],"scale":[],"columns":[]}', /do not agree/],
      [schedulerFile, scheduler({ beta_schedule: "laplace" }), /beta_schedule: .*got "laplace"/],
      [schedulerFile, scheduler({ prediction_type: "flow" }), /prediction_type: .*got "flow"/],
      [schedulerFile, scheduler({ trained_betas: [0.1] }), /do not agree/],
      [schedulerFile, scheduler({ trained_betas: Array(1000).fill(2) }), /betas\[0\]: expected .* got 2/],
      [schedulerFile, scheduler({ rescale_betas_zero_snr: 1 }), /rescale_betas_zero_snr: .*got 1/],
      [schedulerFile, scheduler({ beta_start: 5 }), /scheduler_config\.json: betaStart: .*got 5/],
      [schedulerFile, scheduler({ clip_sample: true }), /clip_sample: .*got true/],
      [schedulerFile, scheduler({ clip_sample: undefined }), /clip_sample: .*got nothing/],
      [schedulerFile, scheduler({ thresholding: true }), /thresholding: .*got true/],
      [schedulerFile, scheduler({ variance_type: "other" }), /variance_type: .*got "other"/],
      [schedulerFile, scheduler({ variance_type: "learned_range" }), /do not agree/],
      [schedulerFile, scheduler({ num_train_timesteps: 999 }), /do not agree/],
    ])("%s: %s", async (file, content, message) => {
      const intact = await readFile(join(out, file));
      const folder = new RunFolder(out);
      const reading = (): Promise<unknown> => folder.model().then(() => folder.events());
      await reading();
      // As in a run from before there were checksums, or after a change on purpose.
      const sums = await readFile(join(out, "model/checksums.json"));
      await rm(join(out, "model/checksums.json"));
      await writeFile(join(out, file), content);
      const error = await errorOf(reading());
      await writeFile(join(out, file), intact);
      await writeFile(join(out, "model/checksums.json"), sums);
      expect([error.code, error.message]).toEqual(["run-folder", expect.stringMatching(message)]);
    });

    test("nothing: what diffusers adds to a scheduler and leaves the maths alone is read", async () => {
      const intact = await readFile(join(out, schedulerFile));
      const more = { trained_betas: null, variance_type: "fixed_large", steps_offset: 0, thresholding: false };
      await writeFile(join(out, schedulerFile), scheduler(more));
      const sums = join(out, "model/checksums.json");
      // What is changed on purpose is taken once its sums are gone, as the error says.
      expect((await errorOf(new RunFolder(out).model())).message).toMatch(
        /changed on purpose, delete .*checksums\.json$/,
      );
      const kept = await readFile(sums);
      await rm(sums);
      expect((await new RunFolder(out).model()).schedule.timesteps).toBe(1000);
      await writeFile(join(out, schedulerFile), intact);
      await writeFile(sums, kept);
    });
  });

  describe("killed while it was made or removed", () => {
    const mark = '{"unnoise":"0.1.0"}\n';
    const temporary = `.unnoise-${randomUUID()}.tmp`;
    const stale = "checkpoints/000000999999.safetensors";
    test.each<[string, Record<string, string>]>([
      ["an empty folder", {}],
      ["half a mark", { [temporary]: "{" }],
      ["the mark", { "config.json": mark }],
      ["some data", { "config.json": mark, "data.npy": "", [temporary]: "[" }],
      ["all but the configuration", { "config.json": mark, "data.npy": "", "columns.json": "[]", "log.jsonl": "" }],
      [
        "half of an earlier run",
        { "config.json": mark, [stale]: "", "model/unet/config.json": "{}", [`model/unet/${temporary}`]: "" },
      ],
      ["the index of an earlier model", { "config.json": mark, "model/model_index.json": "{}", "log.jsonl": "{}\n" }],
    ])("leaving %s, is no run to resume, and can be made anew", async (state, files) => {
      const out = join(root, `partial-${state}`);
      await place(out, files);
      expect((await errorOf(trainRun({ config, out, resume: true }))).message).toMatch(/is not a run.*; make one with/);
      const overwrite = Object.keys(files).length % 2 === 0;
      await trainRun({ config, out, overwrite });
      expect((await readdir(out, { recursive: true })).sort()).toEqual(
        (await readdir(whole, { recursive: true })).sort(),
      );
      expect(await weightsOf(out)).toEqual(await weightsOf(whole));
    });
  });
});

/** Writes files below a folder. */
async function place(folder: string, files: Record<string, string>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

/** Every file below a folder with its text. */
async function textsIn(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(paths.map((path) => readFile(path, "utf8")));
  return Object.fromEntries(paths.map((path, i) => [relative(folder, path), at(texts, i)]));
}

describe("--overwrite", () => {
  const short = { ...config, iterations: 2 };

  test.each<[string, Record<string, string>]>([
    [
      "another program's run",
      {
        "config.json": '{"model":"llama"}',
        "log.jsonl": "{}",
        "checkpoints/precious.pt": "weeks",
        "figures/thesis.pdf": "years",
      },
    ],
    ["a file called as ours", { "data.npy": "mine" }],
    ["a log alone", { "log.jsonl": "mine" }],
    ["training options", { "config.json": '{"data":"moons","width":64}' }],
    ["a list", { "config.json": "[1]" }],
    ["text", { "config.json": "not JSON", model: "mine" }],
  ])("never touches %s", async (name, files) => {
    const out = join(root, `foreign-${name}`);
    await place(out, files);
    for (const overwrite of [true, false])
      expect((await errorOf(trainRun({ config: short, out, overwrite }))).message).toMatch(/is not a run of unnoise/);
    expect(await textsIn(out)).toEqual(files);
  });

  test("replaces a run and keeps every other file in its folder", async () => {
    const out = join(root, "guests");
    await interruptAt(45, { config, out });
    const guests = {
      "notes.txt": "mine",
      "checkpoints/best.safetensors": "mine",
      "checkpoints/0040.safetensors": "mine",
      "model/README.md": "mine",
      "model/unet/config.json.bak": "mine",
      "figures/loss.png": "mine",
    };
    await place(out, guests);
    await trainRun({ config: short, out, overwrite: true });
    const after = await textsIn(out);
    expect(after).toMatchObject(guests);
    expect(Object.keys(after).filter((name) => name.endsWith("2.safetensors"))).toEqual([
      join("checkpoints", "000000000002.safetensors"),
    ]);
    expect(Object.keys(after)).not.toContain(join("checkpoints", "000000000045.safetensors"));
    expect(await new RunFolder(out).config()).toEqual(short);
  });
});

test("two threads and a resumed run are the same bit for bit", async () => {
  const wide = { ...config, iterations: 12, batchSize: 64, width: 64, threads: 2 };
  const [through, stopped] = [join(root, "threads"), join(root, "threads-stopped")];
  await trainRun({ config: wide, out: through });
  await interruptAt(5, { config: wide, out: stopped });
  await trainRun({ config: wide, out: stopped, resume: true });
  expect(await weightsOf(stopped)).toEqual(await weightsOf(through));
});

describe("a run that", () => {
  const processes: Record<string, Partial<TrainingOptions>> = {
    "draws steps by importance": { timesteps: 4, timestepDraw: "importance" },
    "draws steps in pairs": { timestepDraw: "antithetic", lossReduction: "sum" },
    "learns the variance's range": { timesteps: 8, variance: "learned-range", schedule: "cosine" },
    "learns the variance freely": { variance: "learned", objective: "vlb", prediction: "v", timesteps: 12 },
    "learns the schedule": { timesteps: 10, schedule: "learned" },
    "learns the bound by importance": { timesteps: 4, objective: "vlb", variance: "small", timestepDraw: "importance" },
    "predicts the score on Karras's schedule": { prediction: "score", schedule: "karras", timesteps: 9 },
    "predicts x0 with zero terminal SNR": { prediction: "x0", zeroTerminalSnr: true, weighting: "min-snr" },
    "predicts the mean in another embedding": {
      prediction: "mean",
      lossNorm: "huber",
      flipSinToCos: true,
      freqShift: 0,
    },
    "has betas of its own": { schedule: "custom", betas: [0.1, 0.3, 0.9], objective: "vlb" },
  };

  test.each(Object.entries(processes))(
    "%s resumes bit for bit and is opened as it was trained",
    async (name, options) => {
      const own = parseTrainingConfig({ data: "moons", ...small, ...options });
      const [through, stopped] = [join(root, `through ${name}`), join(root, `stopped ${name}`)];
      await trainRun({ config: own, out: through });
      await interruptAt(33, { config: own, out: stopped });
      await trainRun({ config: own, out: stopped, resume: true });
      expect(await weightsOf(stopped)).toEqual(await weightsOf(through));
      const folder = new RunFolder(stopped);
      const [model, other] = [(await folder.model()) as PointModel, await new RunFolder(through).model()];
      expect(scheduleOf(model)).toEqual(scheduleOf(other));
      expect(await folder.config()).toEqual(own);
      const { prediction, variance, firstLogVariance, timesteps } = own;
      expect(model).toMatchObject({ prediction, variance, firstLogVariance, schedule: { timesteps } });
      if (own.schedule !== "learned") expect(scheduleOf(model)).toEqual(scheduleFromConfig(own));
      const points = await sample(model, { count: 5, device: "cpu" });
      expect(points.data.every(Number.isFinite)).toBe(true);
    },
  );

  test("draws steps by importance is not resumed without its history", async () => {
    const own = parseTrainingConfig({ data: "moons", ...small, timesteps: 4, timestepDraw: "importance" });
    const out = join(root, "history");
    await interruptAt(33, { config: own, out });
    const path = join(out, "checkpoints", "000000000033.safetensors");
    const { tensors, metadata } = decodeSafetensors(await readFile(path), path);
    expect(tensors.get("loss_counts")?.data).toEqual(new Int32Array(4).fill(10));
    const rest = new Map([...tensors].filter(([name]) => name !== "loss_history"));
    await writeFile(path, sealed(encodeSafetensors(rest, { ...metadata, sha256: BLANK_SEAL })));
    expect(await warningsOf({ config: own, out, resume: true })).toMatch(
      /loss_history: expected float32 \[4, 10\], got nothing; going on/,
    );
  });

  test("draws steps by importance is not resumed with a damaged history", async () => {
    const own = parseTrainingConfig({ data: "moons", ...small, timesteps: 4, timestepDraw: "importance" });
    const out = join(root, "damaged history");
    await interruptAt(33, { config: own, out });
    const path = join(out, "checkpoints", "000000000033.safetensors");
    const { tensors, metadata } = decodeSafetensors(await readFile(path), path);
    const counts: Tensor = { dtype: "int32", shape: [4], data: Int32Array.of(10, 11, 10, 10) };
    const changed = encodeSafetensors(new Map([...tensors, ["loss_counts", counts]]), {
      ...metadata,
      sha256: BLANK_SEAL,
    });
    await writeFile(path, sealed(changed));
    expect(await warningsOf({ config: own, out, resume: true })).toMatch(/counts outside 0…10/);
  });

  test("was made before these options is read with their defaults", async () => {
    const out = join(root, "old");
    const old = { unnoise: "0.1.0", data: "moons", timesteps: 100, betaStart: 1e-4, betaEnd: 0.02, width: 16 };
    await place(out, { "config.json": JSON.stringify(old) });
    expect(await new RunFolder(out).config()).toMatchObject({
      ...{ schedule: "linear", timesteps: 100, betaStart: 1e-4, betaEnd: 0.02, prediction: "eps", variance: "large" },
      ...{ objective: "simple", weighting: "uniform", lossNorm: "l2", timestepDraw: "uniform", freqShift: 1 },
    });
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
  const model = (await new RunFolder(out).model()) as PointModel;
  expect(model.columns).toEqual(["a", "b", "c"]);
  expect(model.standardiser.mean).toEqual([24.5, expect.closeTo(808.5, 9) as number, 7]);
  expect(model.standardiser.scale[2]).toBe(1);
});

test.each<[string, string, RegExp]>([
  ["data.npy", "junk", /data\.npy/],
  ["data.npy", "cut", /data\.npy/],
  ["data.npy", "nan", /data\.npy holds NaN or infinity/],
  ["columns.json", "{", /columns\.json: not JSON/],
  ["columns.json", '["a", 5]', /columns\.json: 1: .*got 5/],
  ["columns.json", '["a"]', /data\.npy and columns\.json do not fit each other/],
])("points of the user's own with a damaged %s (%s) say so", async (file, damage, message) => {
  const csv = join(root, "few.csv");
  await writeFile(csv, "a,b\n1,2\n3,5\n4,4\n");
  const own = parseTrainingConfig({ data: csv, ...small, iterations: 2 });
  const out = join(root, "damaged-points");
  await trainRun({ config: own, out, overwrite: true });
  const bytes = await readFile(join(out, file));
  const damages: Record<string, Buffer> = {
    cut: bytes.subarray(0, -4),
    nan: Buffer.from(bytes).fill(0xff, bytes.length - 4),
  };
  await writeFile(join(out, file), damages[damage] ?? damage);
  expect((await errorOf(trainRun({ config: own, out, resume: true }))).message).toMatch(message);
});

test("training that diverges after good steps keeps the last good checkpoint", async () => {
  const out = join(root, "diverging");
  // Decay of ηλ = 20 a step multiplies every weight by about −19: sound at first, beyond float32 soon.
  const wild = { ...config, learningRate: 2e-3, weightDecay: 1e4, warmup: 0, checkpointEvery: 1 };
  const error = await errorOf(trainRun({ config: wild, out }));
  expect(error.code).toBe("not-finite");
  const failed = Number(/iteration (\d+)/.exec(error.message)?.[1]);
  expect(failed).toBeGreaterThan(3);
  const size = parameterCount(denoiserParameters(denoiserConfigOf(wild, { kind: "points", sampleShape: [2] })));
  const kept = await loadCheckpoint(join(out, "checkpoints"), size, wild);
  expect(kept?.state.iteration).toBe(failed - 1);
  for (const vector of Object.values(kept?.state.vectors ?? {}) as Float32Array[])
    expect(vector.every(Number.isFinite)).toBe(true);
  expect((await errorOf(new RunFolder(out).model())).message).toMatch(/has no model yet/);
});

test("the same seed gives the same samples at any count", async () => {
  const out = join(root, "counts");
  await trainRun({ config, out });
  const model = (await new RunFolder(out).model()) as PointModel;
  const draw = (count: number): ReturnType<typeof sample> =>
    sample(model, { count, sampler: ddim({ eta: 1 }), steps: 10, seed: 5, device: "cpu" });
  const [few, many] = [await draw(7), await draw(1500)];
  expect(few.data).toEqual(many.data.subarray(0, few.data.length));
});

test("a run resumes with its own options, but may move to another device", () => {
  expect(resumedConfig(config, { device: "wasm", threads: 2, width: 16 })).toEqual({
    ...config,
    device: "wasm",
    threads: 2,
  });
  expect(() => resumedConfig(config, { width: 17 })).toThrow(/width was 16 in this run and cannot become 17/);
});
