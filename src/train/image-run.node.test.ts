import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeSafetensors } from "../formats/safetensors.ts";
import { UnnoiseError, at } from "../math/error.ts";
import { parseTrainingConfig, type TrainingConfig, type TrainingOptions } from "./config.ts";
import { openAnyRun, openRun } from "./open-run.node.ts";
import { RunFolder } from "./run-folder.node.ts";
import { writeImages } from "./test-image-files.node.ts";
import { trainRun, type TrainRunOptions } from "./train-run.node.ts";

let root: string;
let images: string;
const home = process.env["HOME"];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "unnoise-images-"));
  // Decoded images are kept in a folder of the user.
  process.env["HOME"] = root;
  images = await writeImages(join(root, "shapes"), { train: 40, test: 20 });
});
afterAll(async () => {
  process.env["HOME"] = home;
  await rm(root, { recursive: true });
});

/** A small U-Net with dropout, for three classes and none. */
const network = {
  _class_name: "UNet2DModel",
  sample_size: 8,
  in_channels: 1,
  out_channels: 1,
  block_out_channels: [8, 8],
  layers_per_block: 1,
  norm_num_groups: 4,
  attention_head_dim: 4,
  down_block_types: ["DownBlock2D", "AttnDownBlock2D"],
  up_block_types: ["AttnUpBlock2D", "UpBlock2D"],
  dropout: 0.2,
  num_class_embeds: 4,
};

const small: Partial<TrainingOptions> = {
  kind: "images",
  iterations: 12,
  batchSize: 6,
  warmup: 3,
  checkpointEvery: 4,
  logEvery: 4,
  device: "cpu",
  threads: 1,
};
const everything: Partial<TrainingOptions> = {
  ...small,
  network,
  flips: true,
  accumulate: 2,
  moreEmaDecays: [0.2, 0.5],
  conditional: true,
  labelDropout: 0.3,
};
const configOf = (options: Partial<TrainingOptions>, data = images): TrainingConfig =>
  parseTrainingConfig({ data, ...options });

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

const progressOf = async (run: string): Promise<unknown> =>
  (await new RunFolder(run).events()).filter(({ event }) => event === "progress");

/** The tensors of the last checkpoint. */
async function vectorsOf(run: string): Promise<Record<string, Float64Array>> {
  const { tensors } = decodeSafetensors(
    await readFile(join(run, "checkpoints/000000000012.safetensors")),
    "checkpoint",
  );
  return Object.fromEntries([...tensors].map(([name, { data }]) => [name, Float64Array.from(data, Number)]));
}

/** The largest difference of two vectors. */
const gapOf = (a: ArrayLike<number> = [], b: ArrayLike<number> = []): number =>
  Math.max(...Array.from(a, (value, i) => Math.abs(value - (b[i] ?? NaN))));

describe("a run on images with everything on", () => {
  let whole: string;
  beforeAll(async () => {
    whole = join(root, "whole");
    expect(await trainRun({ config: configOf(everything), out: whole })).toMatchObject({ status: "finished" });
  });

  test.each([1, 7])("stopped after %d iterations and resumed, is the same bit for bit", async (stopAfter) => {
    const config = configOf(everything);
    const out = join(root, `stopped-${stopAfter}`);
    await interruptAt(stopAfter, { config, out });
    await trainRun({ config, out, resume: true });
    expect(await weightsOf(out)).toEqual(await weightsOf(whole));
    expect(await progressOf(out)).toEqual(await progressOf(whole));
    expect(await vectorsOf(out)).toEqual(await vectorsOf(whole));
  });

  test.each<[string, Partial<TrainingOptions>]>([
    ["without flips", { flips: false }],
    ["that tells fewer classes", { labelDropout: 0.7 }],
    ["that tells no class", { conditional: false, labelDropout: 0.1, network: { ...network, num_class_embeds: null } }],
    ["without dropout", { network: { ...network, dropout: 0 } }],
    ["with another seed", { seed: 1 }],
  ])("is not one %s", async (_, options) => {
    const out = join(root, "changed");
    await trainRun({ config: configOf({ ...everything, ...options }), out, overwrite: true });
    expect(await weightsOf(out)).not.toEqual(await weightsOf(whole));
  });

  test("keeps its averages, each at its own decay, and opens as it was trained", async () => {
    const { ema, "ema.1": first, "ema.2": second, weights } = await vectorsOf(whole);
    expect(gapOf(first, weights)).toBeGreaterThan(0);
    expect(gapOf(second, weights)).toBeGreaterThan(gapOf(first, weights));
    expect(gapOf(ema, weights)).toBeGreaterThan(gapOf(second, weights));
    const { model, name } = await openAnyRun(whole);
    expect(model).toMatchObject({ kind: "images", denoiser: { kind: "UNet2DModel", dropout: 0.2 } });
    expect([name, "classes" in model && model.classes]).toEqual(["shapes", ["0", "1", "2"]]);
    expect((await errorOf(openRun(whole))).message).toMatch(/is a run on images/);
  });

  test("does not depend on the parts of a batch but for rounding", async () => {
    const out = join(root, "parts");
    await trainRun({ config: configOf({ ...everything, accumulate: 1 }), out });
    const seeded = join(root, "seeded");
    await trainRun({ config: configOf({ ...everything, seed: 1 }), out: seeded });
    const [one, two, other] = (await Promise.all([out, whole, seeded].map(vectorsOf))).map(({ weights }) => weights);
    // Rounding, 6e-8 of a value, grows where Adam divides by small gradients; other draws differ by their start and what training moves.
    expect(gapOf(one, two)).toBeLessThan(5e-4);
    expect(gapOf(one, other)).toBeGreaterThan(0.05);
  });
});

test("a preset is kept as the network that it was, and resumes under its name", async () => {
  const config = configOf({ ...small, network: "unet-tiny", batchSize: 4, iterations: 4 });
  const out = join(root, "preset");
  await interruptAt(2, { config, out });
  const saved = await new RunFolder(out).config();
  expect(saved.network).toMatchObject({
    _class_name: "UNet2DModel",
    _preset: "unet-tiny",
    block_out_channels: [16, 32],
  });
  const copy = join(root, "preset-copy");
  await cp(out, copy, { recursive: true });
  for (const [run, given] of [
    [out, config],
    [copy, saved],
  ] as const)
    expect(await trainRun({ config: given, out: run, resume: true })).toMatchObject({
      status: "finished",
      iteration: 4,
    });
  expect(await weightsOf(copy)).toEqual(await weightsOf(out));
  const other = configOf({ ...small, network: "unet-small", batchSize: 4, iterations: 4 });
  const file = { ...saved, network: { ...network, num_class_embeds: null } };
  expect((await errorOf(trainRun({ config: file, out, resume: true }))).message).toMatch(
    /network was unet-tiny in this run and cannot become a "UNet2DModel"/,
  );
  expect((await errorOf(trainRun({ config: other, out, resume: true }))).message).toMatch(
    /network was unet-tiny in this run and cannot become unet-small/,
  );
});

test("the usual network, which nobody names, resumes without a name", async () => {
  const config = configOf({ ...small, batchSize: 2, iterations: 2 });
  const out = join(root, "usual");
  await interruptAt(1, { config, out });
  expect(await trainRun({ config, out, resume: true })).toMatchObject({ status: "finished" });
});

test("images that have changed are not resumed with", async () => {
  const folder = await writeImages(join(root, "changing"), { train: 30 });
  const config = configOf({ ...small, network: "unet-tiny" }, folder);
  const out = join(root, "changing-run");
  await interruptAt(2, { config, out });
  const file = join(folder, "train-images-idx3-ubyte");
  const bytes = await readFile(file);
  const changed = Uint8Array.from(bytes);
  changed[500] = (at(changed, 500) + 1) % 256;
  await writeFile(file, changed);
  const error = await errorOf(trainRun({ config, out, resume: true }));
  expect([error.code, error.message]).toEqual([
    "run-folder",
    expect.stringMatching(/not the images that .* trained on/),
  ]);
  await writeFile(file, bytes);
  expect(await trainRun({ config, out, resume: true })).toMatchObject({ status: "finished" });
});

describe("refuses in one line, before anything is written,", () => {
  test.each<[string, Partial<TrainingOptions>, RegExp]>([
    [
      "a network of another size",
      { network: { ...network, sample_size: 16, num_class_embeds: null } },
      /samples of \[1, 8, 8\], it has \[1, 16, 16\]/,
    ],
    [
      "a network without classes",
      { conditional: true, network: { ...network, num_class_embeds: null } },
      /rows of classes .*of 4, it has 0/,
    ],
    [
      "a row for no class where every class is told",
      { conditional: true, labelDropout: 0, network },
      /rows of classes .*of 3, it has 4/,
    ],
    ["a network with classes that are not told", { network }, /rows of classes .*of 0, it has 4/],
    [
      "a network without a variance",
      { variance: "learned-range", network: { ...network, num_class_embeds: null } },
      /output channels of 2, it has 1/,
    ],
    ["an unknown preset", { network: "unet-tinny" }, /no preset is called unet-tinny;.*did you mean unet-tiny/],
    ["an unknown class", { network: { _class_name: "UNet2DModle" } }, /_class_name: .*did you mean UNet2DModel/],
    ["a key out of range", { network: { ...network, norm_num_groups: 0 } }, /network: norm_num_groups/],
  ])("%s", async (_, options, message) => {
    const out = join(root, "refused");
    const error = await errorOf(trainRun({ config: configOf({ ...small, ...options }), out }));
    expect([error.code, error.message]).toEqual(["usage", expect.stringMatching(message)]);
    expect(await new RunFolder(out).contents()).toBe("nothing");
  });

  test("classes where the images have none", async () => {
    const folder = await writeImages(join(root, "nameless"), { train: 12 });
    await rm(join(folder, "train-labels-idx1-ubyte"));
    const config = configOf({ ...small, conditional: true, network: "unet-tiny" }, folder);
    expect((await errorOf(trainRun({ config, out: join(root, "refused") }))).message).toMatch(
      /conditional: the images have no classes; put those of each class into a folder/,
    );
  });

  test.each<[string, TrainingOptions, RegExp]>([
    [
      "a batch that its parts do not divide",
      { data: "x", kind: "images", batchSize: 10, accumulate: 4 },
      /accumulate: got 4 parts of a batch of 10/,
    ],
    [
      "flips of points",
      { data: "moons", flips: true },
      /flips: only training on images has a use for it; moons are points/,
    ],
    ["a network of points", { data: "moons", network: "unet-tiny" }, /network: only training on images/],
    ["classes of points", { data: "moons", conditional: true }, /conditional: only training on images/],
    ["grids of points", { data: "moons", sampleEvery: 5 }, /sampleEvery: only training on images/],
  ])("%s", (_, options, message) => {
    expect(() => parseTrainingConfig(options)).toThrow(message);
  });
});
