import { describe, expect, it } from "vitest";
import { absence } from "../../test/absence.ts";
import { distance, torchGolden } from "../../test/golden-torch.ts";
import { evaluate } from "../graph/evaluate.ts";
import { mean, mul } from "../graph/builders.ts";
import type { Node } from "../graph/node.ts";
import { topologicalOrder } from "../graph/traverse.ts";
import { at } from "../math/error.ts";
import { batchLoss } from "../diffusion/objectives/objective.ts";
import { scheduleFromBetas } from "../diffusion/schedule.ts";
import { emaDecay } from "../nn/ema.ts";
import { mlp, mlpParameters } from "../nn/mlp.ts";
import { compile, type HostArray } from "../runtime/executable.ts";
import { gradientGraph, stateNames, trainStepGraph, type StateName } from "./train-step.ts";

const golden = torchGolden.training;
const { config, start, batches, history, learningRate, weightDecay, clipNorm } = golden;
const schedule = scheduleFromBetas(golden.alphasCumprod.map((value, i, all) => 1 - value / (all[i - 1] ?? 1)));
const { outputs: graph } = trainStepGraph({
  batchSize: 5,
  sampleShape: [2],
  parameters: mlpParameters(config),
  loss: (batch, weights) => batchLoss(batch, schedule, (xt, steps) => mlp(xt, steps, weights, config)),
  ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay, clipNorm },
});

type Feeds = Record<string, readonly number[]>;
type Step = (feeds: Feeds) => Promise<Record<string, ArrayLike<number>>>;
type Results = readonly Record<"loss" | "norm" | "weights" | "ema", ArrayLike<number>>[];

/** Three steps on the golden batches. */
async function train(step: Step, decay = golden.emaDecay): Promise<Results> {
  const zeros = start.map(() => 0);
  let state: Record<StateName, readonly number[]> = { weights: start, mean: zeros, square: zeros, ema: start };
  const results: Record<"loss" | "norm" | "weights" | "ema", ArrayLike<number>>[] = [];
  for (const [i, batch] of batches.entries()) {
    const rates = [learningRate, 1 / (1 - 0.9 ** (i + 1)), 1 / (1 - 0.999 ** (i + 1)), 1 - emaDecay(decay, i + 1)];
    const out = await step({ ...batch, rates, ...state });
    const value = (name: string): number[] => Array.from(out[name] ?? []);
    const next = (name: StateName): number[] => value(`next.${name}`);
    state = { weights: next("weights"), mean: next("mean"), square: next("square"), ema: next("ema") };
    results.push({ loss: value("loss"), norm: value("gradientNorm"), weights: state.weights, ema: state.ema });
  }
  return results;
}

const onHost: Step = (feeds) => {
  const values = evaluate(Object.values(graph), feeds);
  return Promise.resolve(Object.fromEntries(Object.keys(graph).map((name, i) => [name, at(values, i).data])));
};

/** Largest difference from PyTorch over all three steps. */
function error(results: Results): number {
  const errors = results.map((result, i) => {
    const { loss, norm, weights, ema } = at(history, i);
    return Math.max(
      distance(result.loss, [loss]),
      distance(result.norm, [norm]),
      distance(result.weights, weights),
      distance(result.ema, ema),
    );
  });
  return Math.max(...errors);
}

describe("three training steps", () => {
  it("are PyTorch's in float64", async () => {
    expect(error(await train(onHost))).toBeLessThan(1e-9);
  });

  it("are not with another EMA decay or learning rate", async () => {
    const rescaled = (factor: number): Step => {
      return (feeds) => onHost({ ...feeds, rates: (feeds["rates"] ?? []).map((r, i) => (i === 0 ? r * factor : r)) });
    };
    expect(error(await train(onHost, 0.1))).toBeGreaterThan(1e-4);
    expect(error(await train(rescaled(1.01)))).toBeGreaterThan(1e-5);
  });
});

// Float32 throughout; WebGPU's exponential, inside SiLU, is the least exact (WGSL specification, 15.7.4.1).
for (const [device, tolerance] of [
  ["cpu", 1e-5],
  ["wasm", 1e-5],
  ["webgpu", 1e-4],
] as const) {
  const absent = await absence(device);
  it.skipIf(absent)(
    `on ${device} they are PyTorch's to ${tolerance}${absent ? ` (skipped: ${absent})` : ""}`,
    async () => {
      const executable = await compile(graph, { device });
      const results = await train(async (feeds) => {
        const arrays = Object.entries(feeds).map(([name, values]): [string, HostArray] => [
          name,
          name === "steps" ? Int32Array.from(values) : Float32Array.from(values),
        ]);
        return executable.run(Object.fromEntries(arrays));
      });
      await executable.dispose();
      expect(error(results)).toBeLessThan(tolerance);
    },
  );
}

describe("trainStepGraph", () => {
  it("needs just the batch, the rates and the state", () => {
    const inputs = topologicalOrder(Object.values(graph)).flatMap(({ op, attributes }) =>
      op === "input" && "name" in attributes ? [attributes.name] : [],
    );
    expect(inputs.sort()).toEqual([...stateNames, "eps", "rates", "steps", "x0"].sort());
  });
});

it("puts gradients in the order in which the way forward uses their weights", () => {
  const shape = [2];
  const { outputs } = gradientGraph({
    batchSize: 1,
    sampleShape: shape,
    parameters: ["last", "first", "unused"].map((name) => ({ name, shape, bound: 0 })),
    loss: ({ x0 }, weights) => {
      const used = (name: string): Node => weights[name] as Node;
      return { loss: mean(mul(mul(x0, used("first")), used("last"))) };
    },
  });
  expect(Object.keys(outputs).slice(1)).toEqual(["gradient.unused", "gradient.first", "gradient.last"]);
});
