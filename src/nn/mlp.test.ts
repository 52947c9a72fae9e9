import { describe, expect, it } from "vitest";
import { distance, torchGolden } from "../../test/golden-torch.ts";
import { constant, input } from "../graph/builders.ts";
import { evaluate } from "../graph/evaluate.ts";
import type { Node } from "../graph/node.ts";
import { at } from "../math/error.ts";
import { sizeOf } from "../tensor/tensor.ts";
import { mlp, mlpParameters } from "./mlp.ts";
import { parameterCount, unflatten } from "./parameters.ts";

const { config, start, batches, history } = torchGolden.training;
const parameters = mlpParameters(config);
const weights = unflatten(constant(start, [start.length]), parameters);

function predict(xt: readonly number[], steps: readonly number[], config_ = config): number[] {
  const node = mlp(input("xt", [xt.length / 2, 2]), input("steps", [steps.length], "int32"), weights, config_);
  return [...at(evaluate([node], { xt, steps }), 0).data];
}

describe("mlpParameters", () => {
  it("lists (D + F)·W + W, then W² + W for each block, then W·D + D weights", () => {
    expect(parameterCount(mlpParameters({ dimensions: 2, timesteps: 9, width: 128, depth: 4, timeFeatures: 32 }))).toBe(
      34 * 128 + 128 + 4 * (128 * 128 + 128) + 128 * 2 + 2,
    );
    expect(parameterCount(parameters)).toBe(start.length);
  });

  it("starts weight and bias of a layer within 1/√inputs", () => {
    for (const { name, shape, bound } of parameters) {
      const layer = name.replace(/\.\w+$/, ".weight");
      const inputs = at(parameters.find((parameter) => parameter.name === layer)?.shape ?? [], 0);
      expect(bound, name).toBe(1 / Math.sqrt(inputs));
      expect(sizeOf(shape)).toBeGreaterThan(0);
    }
  });

  it("has D more outputs where the variance is learned", () => {
    const learned = mlpParameters({ ...config, learnsVariance: true });
    expect(parameterCount(learned)).toBe(start.length + config.dimensions * (config.width + 1));
    expect(learned.slice(-2).map(({ shape }) => shape)).toEqual([
      [config.width, 2 * config.dimensions],
      [2 * config.dimensions],
    ]);
  });

  it("has distinct names", () => {
    expect(new Set(parameters.map(({ name }) => name)).size).toBe(parameters.length);
  });
});

describe("mlp", () => {
  const [batch, entry] = [at(batches, 0), at(history, 0)];

  it("predicts what the same network in PyTorch does", () => {
    expect(distance(predict(entry.xt, batch.steps), entry.prediction)).toBeLessThan(1e-12);
  });

  it("predicts something else for other steps or another number of blocks", () => {
    const others = batch.steps.map((step) => (step + 1) % config.timesteps);
    expect(distance(predict(entry.xt, others), entry.prediction)).toBeGreaterThan(1e-3);
    expect(distance(predict(entry.xt, batch.steps, { ...config, depth: 1 }), entry.prediction)).toBeGreaterThan(1e-3);
  });

  it("takes one step for all rows", () => {
    expect(predict(entry.xt, [7])).toEqual(predict(entry.xt, [7, 7, 7, 7, 7]));
  });

  it("keeps the shape of its points, and says where it was built", () => {
    const node: Node = mlp(input("xt", [5, 2]), input("steps", [5], "int32"), weights, config);
    expect(node).toMatchObject({ shape: [5, 2], dtype: "float32", path: "mlp/output/add" });
  });
});
