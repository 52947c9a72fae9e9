import { expect, test } from "vitest";
import { Random } from "../math/random.ts";
import { initialise, parameterCount } from "../nn/parameters.ts";
import { compile } from "../runtime/executable.ts";
import { parseTrainingConfig, type TrainingOptions } from "./config.ts";
import {
  GraphEngine,
  copyVectors,
  createEngine,
  type Batch,
  type CompiledStep,
  type EngineOptions,
  type StateVectors,
  type StepEngine,
} from "./step-engine.ts";
import { stateNames, trainStepGraph } from "./train-step.ts";
import { denoiserConfigOf } from "./trainer.ts";
import { trainedLoss } from "./training-loss.ts";

const config = parseTrainingConfig({
  data: "moons",
  batchSize: 24,
  width: 20,
  depth: 2,
  device: "cpu",
  weightDecay: 0.01,
  clipNorm: 0.1,
});
const denoiser = denoiserConfigOf(config, { kind: "points", sampleShape: [3] });
const options: EngineOptions = { ...config, ...trainedLoss(config, denoiser), sampleShape: [3] };
const { parameters } = options;

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

/** The engine for devices with memory of their own, here on the CPU provider. */
async function graphEngine(): Promise<StepEngine> {
  return new GraphEngine(options, await compiled(options), start());
}

async function compiled(all: EngineOptions): Promise<CompiledStep> {
  const { outputs, masks } = trainStepGraph(all);
  return { executable: await compile(outputs, { device: "cpu", threads: 1 }), masks };
}

async function tenSteps(engine: StepEngine, learningRate: number): Promise<StateVectors> {
  for (let i = 0; i < 10; i++) await engine.step([batch(i)], i, learningRate);
  const vectors = copyVectors(engine.vectors);
  await engine.dispose();
  return vectors;
}

test("the host's fused optimiser and the whole step as a graph take the same ten steps", async () => {
  const host = await tenSteps(await createEngine(options, start()), 1e-3);
  const graph = await tenSteps(await graphEngine(), 1e-3);
  const faster = await tenSteps(await graphEngine(), 1.01e-3);
  for (const name of stateNames) expect(largestDifference(host[name], graph[name]), name).toBeLessThan(2e-6);
  expect(largestDifference(host.weights, faster.weights)).toBeGreaterThan(2e-5);
});

test.each<[string, Partial<TrainingOptions>]>([
  ["weighted rows", { timestepDraw: "importance" }],
  ["a learned variance", { variance: "learned-range", prediction: "v" }],
  ["a learned schedule", { schedule: "learned", timesteps: 20 }],
])("so they do with %s", async (_, changes) => {
  const other = parseTrainingConfig({ ...config, objective: null, variance: null, firstLogVariance: null, ...changes });
  const net = denoiserConfigOf(other, { kind: "points", sampleShape: [3] });
  const weightedRows = other.timestepDraw === "importance";
  const all: EngineOptions = { ...other, ...trainedLoss(other, net), sampleShape: [3], weightedRows };
  const zeros = (): Float32Array => new Float32Array(parameterCount(all.parameters));
  const weights = initialise(all.parameters, new Random(1, "init"));
  const begin: StateVectors = { weights, mean: zeros(), square: zeros(), ema: weights.slice() };
  const [host, graph] = [await createEngine(all, begin), new GraphEngine(all, await compiled(all), begin)];
  for (let i = 0; i < 5; i++) {
    const { x0, eps, steps } = batch(i);
    const rows = { x0, eps, steps: steps.map((step) => step % other.timesteps) };
    const full = weightedRows ? { ...rows, lossWeights: new Float32Array(24).fill(1 + i) } : rows;
    const [a, b] = [await host.step([full], i, 1e-3), await graph.step([full], i, 1e-3)];
    expect(a.loss).toBeCloseTo(b.loss, 4);
    expect(a.losses?.length).toBe(weightedRows ? 24 : undefined);
    expect(largestDifference(a.losses ?? zeros(), b.losses ?? zeros())).toBeLessThan(1e-4);
    if (a.losses) expect(((1 + i) * a.losses.reduce((x, y) => x + y, 0)) / 24).toBeCloseTo(a.loss, 3);
  }
  for (const name of stateNames)
    expect(largestDifference(host.vectors[name], graph.vectors[name]), name).toBeLessThan(1e-4);
  expect(largestDifference(host.vectors.weights, weights)).toBeGreaterThan(1e-3);
  await host.dispose();
  await graph.dispose();
});

test("a batch in four parts takes the steps of the whole batch", async () => {
  const whole = await tenSteps(await createEngine(options, start()), 1e-3);
  const engine = await createEngine({ ...options, batchSize: 6, parts: 4 }, start());
  const rows = <A extends Float32Array | Int32Array>(all: A, part: number): A =>
    all.subarray((part * all.length) / 4, ((part + 1) * all.length) / 4) as A;
  for (let i = 0; i < 10; i++) {
    const { x0, eps, steps } = batch(i);
    const parts = [0, 1, 2, 3].map((k) => ({ x0: rows(x0, k), eps: rows(eps, k), steps: rows(steps, k) }));
    await engine.step(parts, i, 1e-3);
  }
  for (const name of stateNames) expect(largestDifference(whole[name], engine.vectors[name]), name).toBeLessThan(2e-6);
  expect(largestDifference(engine.vectors.weights, start().weights)).toBeGreaterThan(1e-3);
  await engine.dispose();
});

const engines = { host: () => createEngine(options, start()), graph: graphEngine } as const;

test.each(["host", "graph"] as const)(
  "a step whose loss is not finite leaves the state of the %s engine",
  async (kind) => {
    const engine = await engines[kind]();
    const bad = { ...batch(1), x0: new Float32Array(72).fill(Number.NaN) };
    const { loss } = await engine.step([bad], 0, 1e-3);
    expect(loss).toBeNaN();
    expect(engine.vectors.weights).toEqual(start().weights);
    await engine.dispose();
  },
);

test("a gradient whose square float32 cannot hold is clipped, not turned into infinity", async () => {
  const engine = await createEngine(options, start());
  const { gradientNorm } = await engine.step([{ ...batch(1), x0: new Float32Array(72).fill(1e12) }], 0, 1e-3);
  expect(gradientNorm).toBeGreaterThan(1e20);
  for (const name of stateNames) expect(engine.vectors[name].every(Number.isFinite), name).toBe(true);
  await engine.dispose();
});
