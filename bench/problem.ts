import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { linearSchedule } from "../src/diffusion/schedule.ts";
import { trailingSteps } from "../src/diffusion/steps.ts";
import { Random } from "../src/math/random.ts";
import { mlpParameters } from "../src/nn/mlp.ts";
import { initialise } from "../src/nn/parameters.ts";
import { timestepTable } from "../src/nn/time-embedding.ts";
import type { ArrayPlace, Problem } from "./protocol.ts";

export interface ProblemOptions {
  readonly kind: Problem["kind"];
  readonly width: number;
  readonly depth: number;
  readonly batchSize: number;
}

const DIMENSIONS = 2;
const TIMESTEPS = 1000;
const TIME_FEATURES = 32;
/** Distinct batches; contenders go round them. */
const BATCHES = 16;
const CHECK_STEPS = 5;
const SEED = 1;

/** Decay and clipping strong enough to show in what `check` compares. */
const HYPER: Problem["hyper"] = {
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.1,
  clipNorm: 0.1,
  emaDecay: 0.999,
};

type Data = Float32Array | Float64Array | Int32Array;

/** Writes the numbers that all contenders share into `folder`. */
export function writeProblem(folder: string, options: ProblemOptions): Problem {
  const config = { ...options, dimensions: DIMENSIONS, timesteps: TIMESTEPS, timeFeatures: TIME_FEATURES };
  const file = join(folder, `${options.kind}-${options.width}-${options.batchSize}.bin`);
  const parameters = mlpParameters(config).map(({ name, shape }) => ({ name, shape }));
  const weights = initialise(mlpParameters(config), new Random(SEED, "init"));
  return {
    ...config,
    hyper: HYPER,
    checkSteps: CHECK_STEPS,
    ddimSteps: [...trailingSteps(TIMESTEPS, 50)],
    file,
    arrays: writeArrays(file, { ...sharedArrays(), ...batchArrays(options), weights: [weights, [weights.length]] }),
    parameters,
  };
}

type Arrays = Record<string, readonly [data: Data, shape: readonly number[]]>;

function sharedArrays(): Arrays {
  const { betas, alphasCumprod } = linearSchedule({ timesteps: TIMESTEPS });
  return {
    betas: [betas, [TIMESTEPS]],
    alphasCumprod: [alphasCumprod, [TIMESTEPS]],
    timeTable: [Float32Array.from(timestepTable(TIMESTEPS, TIME_FEATURES)), [TIMESTEPS, TIME_FEATURES]],
  };
}

function batchArrays({ kind, batchSize }: ProblemOptions): Arrays {
  if (kind === "sample") {
    return {
      start: [normals("start", batchSize, 1), [batchSize, DIMENSIONS]],
      z: [normals("sampling", batchSize, CHECK_STEPS), [CHECK_STEPS, batchSize, DIMENSIONS]],
    };
  }
  const steps = new Int32Array(BATCHES * batchSize);
  new Random(SEED, "timestep").integers(steps, TIMESTEPS);
  return {
    x0: [normals("data", batchSize, BATCHES), [BATCHES, batchSize, DIMENSIONS]],
    eps: [normals("noise", batchSize, BATCHES), [BATCHES, batchSize, DIMENSIONS]],
    steps: [steps, [BATCHES, batchSize]],
  };
}

function normals(stream: "data" | "noise" | "start" | "sampling", batchSize: number, batches: number): Float32Array {
  const out = new Float32Array(batches * batchSize * DIMENSIONS);
  new Random(SEED, stream).normals(out, DIMENSIONS);
  return out;
}

function writeArrays(file: string, arrays: Arrays): Record<string, ArrayPlace> {
  const places: Record<string, ArrayPlace> = {};
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const [name, [data, shape]] of Object.entries(arrays)) {
    const dtype = data instanceof Float32Array ? "float32" : data instanceof Float64Array ? "float64" : "int32";
    places[name] = { offset, shape, dtype };
    const padded = new Uint8Array(Math.ceil(data.byteLength / 8) * 8);
    padded.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    parts.push(padded);
    offset += padded.length;
  }
  writeFileSync(file, Buffer.concat(parts));
  return places;
}
