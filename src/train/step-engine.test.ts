import { expect, test } from "vitest";
import { linearSchedule } from "../diffusion/schedule.ts";
import { Random } from "../math/random.ts";
import { initialise, parameterCount } from "../nn/parameters.ts";
import { compile } from "../runtime/executable.ts";
import { parseTrainingConfig } from "./config.ts";
import { denoiserParameters, denoiserPredict } from "./denoiser-spec.ts";
import { createEngine, type Batch, type EngineOptions, type StateVectors } from "./step-engine.ts";
import { stateNames, trainStepGraph } from "./train-step.ts";
import { denoiserConfigOf } from "./trainer.ts";

const config = parseTrainingConfig({
  data: "moons",
  batchSize: 24,
  width: 20,
  depth: 2,
  device: "cpu",
  weightDecay: 0.01,
  clipNorm: 0.1,
});
const denoiser = denoiserConfigOf(config, 3);
const parameters = denoiserParameters(denoiser);
const options: EngineOptions = {
  ...config,
  sampleShape: [3],
  alphasCumprod: linearSchedule(config).alphasCumprod,
  parameters,
  predict: denoiserPredict(denoiser),
};

function start(): StateVectors {
  const zeros = (): Float32Array => new Float32Array(parameterCount(parameters));
  const weights = initialise(parameters, new Random(1, "init"));
  return { weights, mean: zeros(), square: zeros(), ema: weights.slice() };
}

function batch(iteration: number): Batch {
  const [x0, eps, steps] = [new Float32Array(72), new Float32Array(72), new Int32Array(24)];
  new Random(1, "data").normals(x0, 3, 0, iteration);
  new Random(1, "noise").normals(eps, 3, 0, iteration);
  new Random(1, "timestep").integers(steps, 1000, 0, iteration);
  return { x0, eps, steps };
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - (b[i] ?? Infinity))), 0);
}

/** Ten steps with the whole step as one graph: what devices with memory of their own do. */
async function graphSteps(learningRate: number): Promise<StateVectors> {
  const executable = await compile(trainStepGraph(options), { device: "cpu", threads: 1 });
  let vectors = start();
  for (let i = 1; i <= 10; i++) {
    const corrections = [1 / (1 - 0.9 ** i), 1 / (1 - 0.999 ** i), 1 - Math.min(0.999, (1 + i) / (10 + i))];
    const out = await executable.run({ ...batch(i), ...vectors, rates: Float32Array.of(learningRate, ...corrections) });
    vectors = Object.fromEntries(stateNames.map((name) => [name, out[`next.${name}`]])) as unknown as StateVectors;
  }
  await executable.dispose();
  return vectors;
}

test("the host's fused optimiser and the graph take the same ten steps", async () => {
  const engine = await createEngine(options, start());
  for (let i = 1; i <= 10; i++) await engine.step(batch(i), i - 1, 1e-3);
  const [same, other] = [await graphSteps(1e-3), await graphSteps(1.01e-3)];
  for (const name of stateNames) expect(largestDifference(engine.vectors[name], same[name]), name).toBeLessThan(2e-6);
  expect(largestDifference(engine.vectors.weights, other.weights)).toBeGreaterThan(2e-5);
  await engine.dispose();
});

test("a step whose loss is not finite leaves the state as it was", async () => {
  const engine = await createEngine(options, start());
  const bad = { ...batch(1), x0: new Float32Array(72).fill(Number.NaN) };
  const { loss } = await engine.step(bad, 0, 1e-3);
  expect(loss).toBeNaN();
  expect(engine.vectors.weights).toEqual(start().weights);
  await engine.dispose();
});
