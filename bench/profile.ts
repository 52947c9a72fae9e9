/**
 * Where the time of a training step goes, by operator:
 * `npm run bench:profile -- --width 128 --depth 4 --batch 256 [--threads 1] [--runs 200] [--whole]`.
 */
import { backend } from "#backend";
import type { InferenceSession, OnnxValue } from "onnxruntime-common";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { isOp } from "../src/graph/node.ts";
import { optimise } from "../src/graph/passes/optimise.ts";
import { topologicalOrder } from "../src/graph/traverse.ts";
import { countFlops } from "../src/graph/work.ts";
import { Random } from "../src/math/random.ts";
import { toOnnx } from "../src/onnx/emit-model.ts";
import { resolveThreads } from "../src/runtime/executable.ts";
import { sizeOf } from "../src/tensor/tensor.ts";
import { gradientGraph, trainStepGraph } from "../src/train/train-step.ts";
import { writeProblem } from "./problem.ts";
import { summarise, type TraceEvent } from "./profile-summary.ts";
import { readArrays } from "./serve.ts";
import { trainOptions } from "./train-options.ts";

const WARM_UP = 20;

interface Settings {
  readonly width: number;
  readonly depth: number;
  readonly batchSize: number;
  readonly runs: number;
  /** The whole step as one graph, as on devices that do not share the host's memory; else loss and gradient alone. */
  readonly whole: boolean;
  readonly threads: number | undefined;
}

function readSettings(): Settings {
  const { values } = parseArgs({
    options: {
      width: { type: "string", default: "128" },
      depth: { type: "string", default: "4" },
      batch: { type: "string", default: "256" },
      runs: { type: "string", default: "200" },
      threads: { type: "string" },
      whole: { type: "boolean", default: false },
    },
  });
  const count = (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1) throw new Error(`expected an integer ≥ 1, got ${text}`);
    return value;
  };
  const { width, depth, batch, runs, threads, whole } = values;
  return {
    width: count(width),
    depth: count(depth),
    batchSize: count(batch),
    runs: count(runs),
    whole,
    threads: threads === undefined ? undefined : count(threads),
  };
}

interface Model {
  readonly bytes: Uint8Array;
  readonly feeds: Record<string, OnnxValue>;
  readonly threads: number;
  readonly flops: number;
}

async function makeModel(folder: string, settings: Settings): Promise<Model> {
  const problem = writeProblem(folder, { kind: "train", ...settings });
  const arrays = readArrays(problem);
  const options = trainOptions(problem, arrays["betas"] as Float64Array);
  const { outputs: graph } = settings.whole ? trainStepGraph(options) : gradientGraph(options);
  const outputs = optimise(Object.values(graph));
  const flops = countFlops(outputs);
  const { Tensor } = await backend.load("cpu");
  const feeds: Record<string, OnnxValue> = {};
  for (const leaf of topologicalOrder(outputs)) {
    if (!isOp(leaf, "input")) continue;
    const data = inputData(leaf.attributes.name, sizeOf(leaf.shape), arrays);
    feeds[leaf.attributes.name] = new Tensor(leaf.dtype, data, leaf.shape);
  }
  const named = Object.fromEntries(
    Object.keys(graph).map((name, i) => [name, outputs[i] ?? null]),
  ) as unknown as typeof graph;
  return { bytes: toOnnx(named, "cpu"), feeds, threads: resolveThreads(settings.threads, flops), flops };
}

function inputData(name: string, size: number, arrays: ReturnType<typeof readArrays>): Float32Array | Int32Array {
  if (name === "rates") return Float32Array.of(1e-3, 1.5, 1.5, 1e-3).slice(0, size);
  if (name === "mean" || name === "square") return new Float32Array(size);
  const shared = arrays[name === "ema" ? "weights" : name];
  if (shared instanceof Int32Array) return shared.slice(0, size);
  if (shared instanceof Float32Array) return shared.slice(0, size);
  const drawn = new Float32Array(size);
  new Random(0, "noise").normals(drawn, size);
  return drawn.map((value) => 0.05 * value);
}

/** Milliseconds of each run after warming up. */
async function time(session: InferenceSession, { feeds }: Model, runs: number): Promise<number[]> {
  for (let i = 0; i < WARM_UP; i++) await session.run(feeds);
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await session.run(feeds);
    times.push(performance.now() - start);
  }
  return times;
}

async function profile(folder: string, model: Model, runs: number): Promise<TraceEvent[]> {
  const { InferenceSession } = await backend.load("cpu");
  const session = await InferenceSession.create(model.bytes, {
    ...backend.sessionOptions("cpu", model.threads),
    enableProfiling: true,
    profileFilePrefix: join(folder, "trace"),
  });
  await time(session, model, runs);
  session.endProfiling();
  const file = readdirSync(folder).find((name) => name.startsWith("trace"));
  if (file === undefined) throw new Error("ONNX Runtime wrote no profile");
  return JSON.parse(readFileSync(join(folder, file), "utf8")) as TraceEvent[];
}

async function main(): Promise<void> {
  const settings = readSettings();
  const folder = mkdtempSync(join(tmpdir(), "unnoise-profile-"));
  try {
    const model = await makeModel(folder, settings);
    const { InferenceSession } = await backend.load("cpu");
    const plain = await InferenceSession.create(model.bytes, backend.sessionOptions("cpu", model.threads));
    const wall = await time(plain, model, settings.runs);
    await plain.release();
    const events = await profile(folder, model, settings.runs);
    const { width, depth, batchSize } = settings;
    const what = settings.whole ? "training step" : "loss and gradient";
    console.log(`${what}: width ${width}, depth ${depth}, batch ${batchSize}, threads ${model.threads}`);
    console.log(summarise(events, { wall, warmUp: WARM_UP, flops: model.flops }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
