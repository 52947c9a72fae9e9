import { gzipSync, zipSync } from "fflate";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { readConfigFile } from "../../src/cli/config-file.ts";
import { loadBetas } from "../../src/data/betas.node.ts";
import { openImages } from "../../src/data/images.node.ts";
import { loadPoints } from "../../src/data/points.node.ts";
import { readResult, writeResult } from "../../src/experiments/cache.node.ts";
import { readStudyFile } from "../../src/experiments/study-file.node.ts";
import { encodeNpy } from "../../src/formats/npy.ts";
import { encodePlainPng } from "../../src/formats/png.ts";
import { readSafetensors } from "../../src/formats/safetensors-file.node.ts";
import { readShardedSafetensors } from "../../src/formats/safetensors-shards.node.ts";
import { decodeSafetensors, encodeSafetensors } from "../../src/formats/safetensors.ts";
import { floatTensor } from "../../src/tensor/tensor.ts";
import { loadCheckpoint } from "../../src/train/checkpoint.node.ts";
import { parseTrainingConfig, type TrainingConfig } from "../../src/train/config.ts";
import { importDiffusers } from "../../src/train/diffusers/import.node.ts";
import { openClassifierNet, openOnnxNet } from "../../src/train/feature-net-file.node.ts";
import { loadModel } from "../../src/train/model-folder.node.ts";
import { csvLines } from "../../src/train/run-log-csv.ts";
import { RunFolder } from "../../src/train/run-folder.node.ts";
import { writeImages } from "../../src/train/test-image-files.node.ts";
import { placedImages } from "../../src/train/test-images.ts";
import { trainRun } from "../../src/train/train-run.node.ts";
import { featureNetFile } from "../golden-feature-nets.ts";

/** Paths below a folder, with what the files hold. */
export type Files = Readonly<Record<string, Uint8Array>>;

/** A file that is changed, and how. */
export interface Target {
  readonly path: string;
  /** How its end is written: what stands in a folder named by a key is found too. A key of `mutators`. */
  readonly format: string;
}

/** A kind of input, as a user gives it. */
export interface Kind {
  readonly files: () => Promise<Files>;
  readonly targets: readonly Target[];
  /** Reads the folder as the product does, far enough that what was read is used. */
  readonly read: (folder: string) => Promise<unknown>;
  /** Messages that refuse a file before anything of it is understood. */
  readonly header: RegExp;
  /** Reading starts a process: tried less in the short run. */
  readonly slow?: boolean;
}

async function filesOf(folder: string): Promise<Files> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const read = paths.map(async (path) => [
    relative(folder, path).replaceAll(sep, "/"),
    Uint8Array.from(await readFile(path)),
  ]);
  return Object.fromEntries((await Promise.all(read)) as [string, Uint8Array][]);
}

async function made(write: (folder: string) => Promise<unknown>): Promise<Files> {
  const folder = await mkdtemp(join(tmpdir(), "unnoise-seed-"));
  try {
    await write(folder);
    return await filesOf(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Makes something once. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let kept: Promise<T> | undefined;
  return () => (kept ??= make());
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textFile = (path: string, text: string) => () => Promise.resolve({ [path]: bytesOf(text) });

const config: TrainingConfig = parseTrainingConfig({
  data: "moons",
  ...{ iterations: 4, batchSize: 8, width: 8, depth: 1, dataSize: 60, timesteps: 4, moreEmaDecays: [0.9] },
  ...{ checkpointEvery: 2, logEvery: 1, timestepDraw: "importance", device: "cpu", threads: 1 },
});
const run = once(() =>
  made(async (folder) => {
    const points = join(folder, "own.csv");
    await writeFile(points, "a,b\n1,2\n3,4\n2,1\n0,5\n");
    await trainRun({ config: { ...config, data: points }, out: join(folder, "run") });
  }),
);
const below = async (files: () => Promise<Files>, folder: string): Promise<Files> =>
  Object.fromEntries(
    Object.entries(await files()).flatMap(([path, bytes]) =>
      path.startsWith(`${folder}/`) ? [[path.slice(folder.length + 1), bytes]] : [],
    ),
  );
const runFiles = (): Promise<Files> => below(run, "run");
const pipeline = once(() => filesOf(fileURLToPath(new URL("../golden/pipelines/ddpm", import.meta.url))));
const images = once(() => made((folder) => writeImages(folder, { train: 12 })));
const cache = (folder: string) => ({ cacheFolder: join(folder, "cache") });

const noise = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898));
const tensors = new Map([
  ["a.weight", floatTensor(noise(12), [3, 4])],
  ["b", floatTensor(noise(3), [3])],
]);
const picture = (seed: number): Uint8Array =>
  encodePlainPng({
    width: 8,
    height: 8,
    channels: 3,
    data: Uint8Array.from({ length: 192 }, (_, i) => (i * 37 + seed * 101) % 256),
  });
const npyPixels = encodeNpy({ dtype: "float32", shape: [6, 8, 8, 1], data: noise(384) });
const npyLabels = encodeNpy({ dtype: "int32", shape: [6], data: Int32Array.of(0, 1, 2, 0, 1, 2) });

const study = {
  title: "Sizes",
  data: ["moons"],
  seeds: 1,
  points: 100,
  train: { iterations: 10, width: 8 },
  sample: { sampler: "ddim", steps: 5 },
  grid: { "train.batchSize": [8, 16], "sample.eta": [0, 1] },
};
const training = {
  data: "moons",
  iterations: 10,
  schedule: "cosine",
  moreEmaDecays: [0.9],
  betas: null,
  learningRate: 1e-3,
};
const drawing = {
  strokes: [
    [
      [0, 0],
      [0.5, 1],
      [1, 0],
    ],
  ],
  spread: 0.01,
};
const svg =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><g fill="#123"><path d="M1 1L8 8H1z"/><circle cx="4" cy="4" r="2"/></g></svg>';

const NOT_JSON = /not JSON|not UTF-8|cannot be read|expected at most|checksums\.json|SHA-256/;
const readConfig = async (path: string): Promise<unknown> =>
  parseTrainingConfig({ data: "moons", ...(await readConfigFile(path)) });
const classifierImages = placedImages(24, 1);
const classifier = async (folder: string): Promise<void> => {
  const settings = { channels: [4, 8], groups: 2, epochs: 1, batchSize: 8 };
  const net = await openClassifierNet(classifierImages, { cache: folder, settings, device: "cpu", threads: 1 });
  await net.dispose();
};
const checkpoint = once(async () => {
  const files = await below(runFiles, "checkpoints");
  return { "000000000004.safetensors": files["000000000004.safetensors"] ?? new Uint8Array() };
});
/** Weights of the run's network. */
const weightCount = once(async () => {
  const { tensors: found } = decodeSafetensors(Object.values(await checkpoint())[0] ?? new Uint8Array(), "whole");
  return Math.max(...[...found.values()].map(({ data }) => data.length));
});

/** Every kind of file that unnoise reads. A new one is a row. */
export const kinds: Readonly<Record<string, Kind>> = {
  "points (CSV)": {
    files: textFile("x.csv", "a,b\n1,2.5\n-3,4e-1\n0.5,7\n2,2\n"),
    targets: [{ path: "x.csv", format: "text" }],
    read: (folder) => loadPoints(join(folder, "x.csv")),
    header: /not text|UTF-8|no rows|empty/,
  },
  "points (NPY)": {
    files: () => Promise.resolve({ "x.npy": encodeNpy({ dtype: "float32", shape: [6, 2], data: noise(12) }) }),
    targets: [{ path: "x.npy", format: "npy" }],
    read: (folder) => loadPoints(join(folder, "x.npy")),
    header: /not a \.npy|Python dictionary|truncated|version|header/,
  },
  "drawing (JSON)": {
    files: textFile("x.json", JSON.stringify(drawing)),
    targets: [{ path: "x.json", format: "json" }],
    read: async (folder) => {
      const { points } = await loadPoints(join(folder, "x.json"), { count: 50 });
      if (!points.data.every(Number.isFinite)) throw new Error("points that are not finite");
    },
    header: NOT_JSON,
  },
  "density (PNG)": {
    files: () => Promise.resolve({ "x.png": picture(1) }),
    targets: [{ path: "x.png", format: "png" }],
    read: (folder) => loadPoints(join(folder, "x.png"), { count: 50 }),
    header: /not a PNG|signature|no picture/i,
  },
  "density (SVG)": {
    files: textFile("x.svg", svg),
    targets: [{ path: "x.svg", format: "svg" }],
    read: (folder) => loadPoints(join(folder, "x.svg"), { count: 50 }),
    header: /not an? SVG|not text|no picture/i,
    slow: true,
  },
  "images (NPY)": {
    files: () => Promise.resolve({ "x.npy": npyPixels }),
    targets: [{ path: "x.npy", format: "npy" }],
    read: (folder) => openImages(join(folder, "x.npy"), cache(folder)),
    header: /not a \.npy|Python dictionary|truncated|version|header/,
  },
  "images (NPZ)": {
    files: () => Promise.resolve({ "x.npz": zipSync({ "images.npy": npyPixels, "labels.npy": npyLabels }) }),
    targets: [{ path: "x.npz", format: "npz" }],
    read: (folder) => openImages(join(folder, "x.npz"), cache(folder)),
    header: /not a zip|end of central|directory/i,
  },
  "images (IDX)": {
    files: images,
    targets: [
      { path: "train-images-idx3-ubyte", format: "idx" },
      { path: "train-labels-idx1-ubyte", format: "idx" },
    ],
    read: (folder) => openImages(folder, cache(folder)),
    header: /not an IDX|magic/i,
  },
  "images (IDX, gzip)": {
    files: async () =>
      Object.fromEntries(Object.entries(await images()).map(([path, bytes]) => [`${path}.gz`, gzipSync(bytes)])),
    targets: [
      { path: "train-images-idx3-ubyte.gz", format: "gzipped" },
      { path: "train-labels-idx1-ubyte.gz", format: "gzipped" },
    ],
    read: (folder) => openImages(folder, cache(folder)),
    header: /gzip/i,
  },
  "images (folder)": {
    files: () => Promise.resolve({ "a/1.png": picture(1), "a/2.png": picture(2), "b/1.png": picture(3) }),
    targets: [{ path: "a/2.png", format: "png" }],
    read: (folder) => openImages(folder, cache(folder)),
    header: /not a PNG|signature|no picture/i,
  },
  safetensors: {
    files: () => Promise.resolve({ "x.safetensors": encodeSafetensors(tensors, { note: "a" }) }),
    targets: [{ path: "x.safetensors", format: "safetensors" }],
    read: (folder) => readSafetensors(join(folder, "x.safetensors")),
    header: /not JSON|not a safetensors|expected at most/,
  },
  "shard index": {
    files: () =>
      Promise.resolve({
        "x-00001-of-00002.safetensors": encodeSafetensors(new Map([...tensors].slice(0, 1))),
        "x-00002-of-00002.safetensors": encodeSafetensors(new Map([...tensors].slice(1))),
        "x.safetensors.index.json": bytesOf(
          JSON.stringify({
            metadata: { total_size: 60 },
            weight_map: { "a.weight": "x-00001-of-00002.safetensors", b: "x-00002-of-00002.safetensors" },
          }),
        ),
      }),
    targets: [{ path: "x.safetensors.index.json", format: "json" }],
    read: (folder) => readShardedSafetensors(join(folder, "x.safetensors.index.json")),
    header: NOT_JSON,
  },
  "run: configuration": {
    files: runFiles,
    targets: [{ path: "config.json", format: "json" }],
    read: (folder) => new RunFolder(folder).config(),
    header: NOT_JSON,
  },
  "run: log": {
    files: runFiles,
    targets: [{ path: "log.jsonl", format: "jsonLines" }],
    read: async (folder) => csvLines(await new RunFolder(folder).events()),
    header: NOT_JSON,
  },
  "run: points": {
    files: runFiles,
    targets: [
      { path: "data.npy", format: "npy" },
      { path: "columns.json", format: "json" },
    ],
    read: (folder) => new RunFolder(folder).dataset({ ...config, data: "own.csv" }),
    header: /not JSON|checksums\.json|SHA-256|not a \.npy|Python dictionary/,
  },
  "run: checkpoint": {
    files: checkpoint,
    targets: [{ path: "000000000004.safetensors", format: "safetensors" }],
    read: async (folder) => loadCheckpoint(folder, await weightCount(), config),
    header: /not JSON|not a safetensors|SHA-256|unknown metadata/,
  },
  "model: points": {
    files: () => below(runFiles, "model"),
    targets: [
      { path: "model_index.json", format: "json" },
      { path: "unet/config.json", format: "json" },
      { path: "scheduler/scheduler_config.json", format: "json" },
      { path: "standardiser/config.json", format: "json" },
      { path: "unet/diffusion_pytorch_model.safetensors", format: "safetensors" },
    ],
    read: (folder) => loadModel(folder),
    header: NOT_JSON,
  },
  "diffusers: network": {
    files: pipeline,
    targets: [{ path: "unet/config.json", format: "json" }],
    read: (folder) => importDiffusers(folder),
    header: NOT_JSON,
  },
  "diffusers: scheduler": {
    files: pipeline,
    targets: [{ path: "scheduler/scheduler_config.json", format: "json" }],
    read: (folder) => importDiffusers(folder),
    header: NOT_JSON,
  },
  "diffusers: index": {
    files: pipeline,
    targets: [{ path: "model_index.json", format: "json" }],
    read: (folder) => importDiffusers(folder),
    header: NOT_JSON,
  },
  "study (JSON)": {
    files: textFile("x.json", JSON.stringify(study)),
    targets: [{ path: "x.json", format: "json" }],
    read: (folder) => readStudyFile(join(folder, "x.json")),
    header: NOT_JSON,
  },
  "training (YAML)": {
    files: textFile("x.yaml", stringify(training)),
    targets: [{ path: "x.yaml", format: "yaml" }],
    read: (folder) => readConfig(join(folder, "x.yaml")),
    header: NOT_JSON,
  },
  betas: {
    files: textFile("x.json", JSON.stringify({ betas: [0.1, 0.2, 0.3, 0.4] })),
    targets: [{ path: "x.json", format: "json" }],
    read: (folder) => loadBetas(join(folder, "x.json")),
    header: NOT_JSON,
  },
  "feature network (ONNX)": {
    files: () => Promise.resolve({ "x.onnx": featureNetFile("fixed") }),
    targets: [{ path: "x.onnx", format: "onnx" }],
    read: async (folder) => {
      const net = await openOnnxNet(join(folder, "x.onnx"), [1, 8, 8], { range: "-1..1", device: "cpu", threads: 1 });
      await net.dispose();
    },
    header: /protobuf/i,
  },
  "feature network (kept)": {
    files: once(() => made(classifier)),
    targets: [
      { path: "classifier.json", format: "json" },
      { path: "classifier.safetensors", format: "safetensors" },
    ],
    read: classifier,
    header: NOT_JSON,
  },
  "job result": {
    files: once(() =>
      made((folder) =>
        writeResult(
          folder,
          { kind: "quality", label: "a", config: {} },
          { values: { a: [1, 2] }, arrays: Object.fromEntries(tensors) },
        ),
      ),
    ),
    targets: [
      { path: "result.json", format: "json" },
      { path: "arrays.safetensors", format: "safetensors" },
    ],
    read: (folder) => readResult(folder),
    header: /not JSON|not a safetensors/,
  },
};
