/**
 * unnoise as a contender. Only `trainRunner` and `sampleRunner` know how the library is driven: when the library changes how it
 * runs training steps or sampling (threads, several steps a call), change what `step` calls here, and nothing else.
 */
import { finalSample, type SamplerStep } from "../src/diffusion/sampler.ts";
import { ddpm } from "../src/diffusion/samplers/ddpm.ts";
import { seededNoise, type SamplerNoise } from "../src/diffusion/noise.ts";
import { scheduleFromBetas } from "../src/diffusion/schedule.ts";
import { constant, input } from "../src/graph/builders.ts";
import { at } from "../src/math/error.ts";
import { mlp, mlpParameters } from "../src/nn/mlp.ts";
import { unflatten } from "../src/nn/parameters.ts";
import { compile } from "../src/runtime/executable.ts";
import type { FloatTensor } from "../src/tensor/tensor.ts";
import { createEngine, type Batch } from "../src/train/step-engine.ts";
import type { Problem } from "./protocol.ts";
import { readArrays, serve, type Runner } from "./serve.ts";
import { trainOptions } from "./train-options.ts";
import { libraryVersions } from "./versions.ts";

const norm = (vector: Float32Array): number => Math.sqrt(vector.reduce((sum, value) => sum + value ** 2, 0));

type Arrays = ReturnType<typeof readArrays>;

async function trainRunner(problem: Problem, arrays: Arrays, threads: number | null): Promise<Runner> {
  const { batchSize, dimensions, hyper, checkSteps } = problem;
  const options = trainOptions(problem, arrays["betas"] as Float64Array);
  const weights = arrays["weights"] as Float32Array;
  const start = { weights, mean: weights.slice().fill(0), square: weights.slice().fill(0), ema: weights };
  const engine = await createEngine({ ...options, device: "cpu", threads }, start);
  const batches = splitBatches(arrays, batchSize, dimensions);
  let done = 0;
  const step = async (): Promise<number> => {
    const { loss } = await engine.step([at(batches, done % batches.length)], done, hyper.learningRate);
    done++;
    return loss;
  };
  const check = async (): Promise<number[]> => {
    const losses: number[] = [];
    for (let i = 0; i < checkSteps; i++) losses.push(await step());
    return [...losses, norm(engine.vectors.weights), norm(engine.vectors.mean)];
  };
  return { versions: libraryVersions(), threads: engine.placement.threads, check, step };
}

function splitBatches(arrays: Arrays, batchSize: number, dimensions: number): Batch[] {
  const [x0, eps, steps] = [arrays["x0"], arrays["eps"], arrays["steps"]] as [Float32Array, Float32Array, Int32Array];
  const size = batchSize * dimensions;
  return Array.from({ length: steps.length / batchSize }, (_, i) => ({
    x0: x0.slice(i * size, (i + 1) * size),
    eps: eps.slice(i * size, (i + 1) * size),
    steps: steps.slice(i * batchSize, (i + 1) * batchSize),
  }));
}

async function sampleRunner(problem: Problem, arrays: Arrays, threads: number | null): Promise<Runner> {
  const { batchSize, dimensions, checkSteps } = problem;
  const shape = [batchSize, dimensions];
  const flat = arrays["weights"] as Float32Array;
  const weights = unflatten(constant(flat, [flat.length]), mlpParameters(problem));
  const eps = mlp(input("xt", shape), input("step", [1], "int32"), weights, problem);
  const executable = await compile({ eps }, { device: "cpu", ...(threads === null ? {} : { threads }) });
  const step = new Int32Array(1);
  const predicted = new Float32Array(batchSize * dimensions);
  const denoiser = async (xt: FloatTensor, current: number): Promise<FloatTensor> => {
    step[0] = current;
    await executable.run({ xt: xt.data, step }, { eps: predicted });
    return { dtype: "float32", shape, data: predicted };
  };
  const schedule = scheduleFromBetas(arrays["betas"] as Float64Array);
  const begin = (noise: SamplerNoise): AsyncGenerator<SamplerStep, FloatTensor> =>
    ddpm({ variance: "large" })({ denoiser, schedule, shape, noise });
  let seed = 0;
  let run = begin(seededNoise(seed));
  return {
    versions: libraryVersions(),
    threads: executable.threads,
    check: async () => firstPoints(begin(sharedNoise(arrays, problem)), checkSteps),
    step: async () => {
      const moved = await run.next();
      if (moved.done !== true) return;
      run = begin(seededNoise(++seed));
      await run.next();
    },
  };
}

/** The shared noise: x_T, then z of each step from T − 1 down. */
function sharedNoise(arrays: Arrays, { timesteps }: Problem): SamplerNoise {
  const z = arrays["z"] as Float32Array;
  return {
    start: { normals: (out) => out.set(arrays["start"] as Float32Array) },
    steps: {
      normals: (out, _width, _first, step) => {
        const done = timesteps - 1 - step;
        out.set(z.subarray(done * out.length, (done + 1) * out.length));
      },
    },
  };
}

async function firstPoints(run: ReturnType<ReturnType<typeof ddpm>>, steps: number): Promise<number[]> {
  let last: FloatTensor | undefined;
  for (let i = 0; i < steps; i++) {
    const moved = await run.next();
    last = moved.done === true ? moved.value : moved.value.xPrevious;
  }
  return [...(last ?? (await finalSample(run))).data.subarray(0, 512)];
}

await serve(async ({ problem, threads }) => {
  const arrays = readArrays(problem);
  return problem.kind === "train" ? trainRunner(problem, arrays, threads) : sampleRunner(problem, arrays, threads);
});
