import { afterAll, describe, expect, test } from "vitest";
import { varianceKinds, type VarianceKind } from "../diffusion/objectives/bound-terms.ts";
import type { Prediction } from "../diffusion/sampler.ts";
import { scheduleConfig } from "../diffusion/schedules/schedule-config.ts";
import { posteriorLogVariance } from "../diffusion/variance.ts";
import { constant } from "../graph/builders.ts";
import { evaluate } from "../graph/evaluate.ts";
import { at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { initialise } from "../nn/parameters.ts";
import { floatTensor } from "../tensor/tensor.ts";
import type { DenoiserConfig } from "../nn/networks.ts";
import { denoiserParameters, denoiserPredict } from "./denoiser-spec.ts";
import { DenoiserSession, namedWeights, reverseVarianceOf, scheduleOf, type PointModel } from "./model.ts";

const rows = 5;
const step = 3;
const points = new Float32Array(rows * 2);
new Random(1, "data").normals(points, 2);
const sessions: DenoiserSession[] = [];
afterAll(async () => {
  for (const session of sessions) await session.dispose();
});

function modelOf(variance: VarianceKind, prediction: PointModel["prediction"]): PointModel {
  const learnsVariance = variance.startsWith("learned");
  const sizes = { dimensions: 2, timesteps: 10, width: 8, depth: 1, timeFeatures: 4 };
  const denoiser: DenoiserConfig = { kind: "MlpDenoiser", ...sizes, learnsVariance };
  return {
    kind: "points",
    denoiser,
    schedule: scheduleConfig("cosine", { timesteps: 10 }),
    ...{ variance, prediction, firstLogVariance: "second" },
    standardiser: { mean: [0, 0], scale: [1, 1] },
    columns: ["x", "y"],
    weights: namedWeights(initialise(denoiserParameters(denoiser), new Random(3, "init")), denoiser),
  };
}

/** What the session says, and what the network's graph gives in float64: prediction and variance apart. */
async function both(model: PointModel): Promise<{ said: Prediction; plain: boolean; network: number[][] }> {
  const session = new DenoiserSession(model, { device: "cpu" });
  sessions.push(session);
  const answer = await session.predict(floatTensor(points, [rows, 2]), step);
  const weights = Object.fromEntries(
    [...model.weights].map(([name, { data, shape }]) => [name, constant(data, shape)]),
  );
  const [xt, steps] = [constant(points, [rows, 2]), constant([step], [1], "int32")];
  const node = denoiserPredict(model.denoiser)({ xt, steps }, weights);
  const { data } = at(evaluate([node]), 0);
  const columns = at(node.shape, 1);
  const part = (first: number): number[] =>
    Array.from({ length: rows * 2 }, (_, i) => data[Math.floor(i / 2) * columns + first + (i % 2)] ?? Number.NaN);
  const plain = !("output" in answer);
  return {
    said: "output" in answer ? answer : { parameterisation: "eps", output: answer },
    plain,
    network: [part(0), part(2)],
  };
}

const expectClose = (got: ArrayLike<number>, expected: readonly number[]): void =>
  expected.forEach((value, i) => expect(got[i]).toBeCloseTo(value, 5));

describe("a session predicts", () => {
  test("plain ε where that is all the model says", async () => {
    const { said, plain, network } = await both(modelOf("small", "eps"));
    expect(plain).toBe(true);
    expectClose(said.output.data, network[0] ?? []);
  });

  test.each(["x0", "v", "mean", "score"] as const)("%s by its name", async (prediction) => {
    const { said, network } = await both(modelOf("large", prediction));
    expect(said.parameterisation).toBe(prediction);
    expect(said.variance).toBeUndefined();
    expectClose(said.output.data, network[0] ?? []);
  });

  test("the range of a learned variance as the network says it", async () => {
    const { said, network } = await both(modelOf("learned-range", "eps"));
    expect(said.variance?.kind).toBe("range");
    expectClose(said.output.data, network[0] ?? []);
    expectClose(said.variance?.output.data ?? [], network[1] ?? []);
  });

  test("a free log variance on top of log β̃", async () => {
    const model = modelOf("learned", "eps");
    const { said, network } = await both(model);
    const base = posteriorLogVariance({ schedule: scheduleOf(model), step });
    expect(said.variance?.kind).toBe("free");
    expect(base).toBeLessThan(-1);
    expectClose(
      said.variance?.output.data ?? [],
      (network[1] ?? []).map((value) => value + base),
    );
  });
});

test("ancestral sampling follows the variance of the model", () => {
  expect(varianceKinds.map((variance) => reverseVarianceOf({ variance }))).toEqual([
    "large",
    "small",
    "learned",
    "learned",
  ]);
});
