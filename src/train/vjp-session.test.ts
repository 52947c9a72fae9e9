import { afterAll, describe, expect, it } from "vitest";
import { scheduleConfig } from "../diffusion/schedules/schedule-config.ts";
import { Random } from "../math/random.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import type { DenoiserConfig } from "../nn/networks.ts";
import { denoiserParameters } from "./denoiser-spec.ts";
import { DenoiserSession, namedWeights, type PointModel } from "./model.ts";
import { VjpSession } from "./vjp-session.ts";

const denoiser: DenoiserConfig = {
  kind: "MlpDenoiser",
  dimensions: 3,
  timesteps: 20,
  width: 16,
  depth: 2,
  timeFeatures: 8,
};

function normals(rows: number, width: number, seed: number): FloatTensor {
  const data = new Float32Array(rows * width);
  new Random(seed, "init").normals(data, width);
  return floatTensor(data, [rows, width]);
}

type Kind = Pick<PointModel, "prediction" | "variance">;

function modelOf(kind: Kind): PointModel {
  const network = { ...denoiser, learnsVariance: kind.variance === "learned-range" };
  const count = denoiserParameters(network).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  return {
    kind: "points",
    ...kind,
    denoiser: network,
    schedule: scheduleConfig("linear", { timesteps: 20, betaStart: 0.001, betaEnd: 0.3 }),
    firstLogVariance: "second",
    standardiser: { mean: [0, 0, 0], scale: [1, 1, 1] },
    columns: ["a", "b", "c"],
    weights: namedWeights(
      normals(count, 1, 9).data.map((z) => 0.3 * z),
      network,
    ),
  };
}

describe.each<Kind>([
  { prediction: "eps", variance: "large" },
  { prediction: "v", variance: "learned-range" },
])("a network of %j", (kind) => {
  const model = modelOf(kind);
  const plain = new DenoiserSession(model, { device: "cpu" });
  const session = new VjpSession(model, { device: "cpu" });
  const outputOf = async (xt: FloatTensor): Promise<FloatTensor> => {
    const said = await plain.predict(xt, 7);
    return "output" in said ? said.output : said;
  };
  afterAll(async () => {
    await plain.dispose();
    await session.dispose();
  });

  it("predicts as it does without derivatives, over several chunks", async () => {
    const xt = normals(700, 3, 1);
    const { output, parameterisation } = await session.predict(xt, 7, normals(700, 3, 2));
    const expected = await outputOf(xt);
    expect(parameterisation).toBe(kind.prediction);
    expect(Math.max(...output.data.map((value, i) => Math.abs(value - (expected.data[i] ?? NaN))))).toBeLessThan(1e-5);
  });

  it("multiplies the Jacobian of each row, as central differences do", async () => {
    const [rows, h] = [40, 5e-3];
    const [xt, v] = [normals(rows, 3, 1), normals(rows, 3, 2)];
    const { vjp } = await session.predict(xt, 7, v);
    for (let d = 0; d < 3; d++) {
      const shifted = async (by: number): Promise<FloatTensor> =>
        outputOf({ ...xt, data: xt.data.map((x, i) => (i % 3 === d ? x + by : x)) });
      const [above, below] = [await shifted(h), await shifted(-h)];
      for (let row = 0; row < rows; row++) {
        let expected = 0;
        for (let i = 3 * row; i < 3 * row + 3; i++) {
          expected += ((v.data[i] ?? 0) * ((above.data[i] ?? 0) - (below.data[i] ?? 0))) / (2 * h);
        }
        expect(Math.abs((vjp.data[3 * row + d] ?? NaN) - expected)).toBeLessThan(
          3e-3 * Math.max(1, Math.abs(expected)),
        );
      }
    }
  });
});
