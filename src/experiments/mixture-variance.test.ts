import { describe, expect, it } from "vitest";
import { sampleMixture } from "../diffusion/oracles/mixture-draws.ts";
import { gaussianMixture } from "../diffusion/oracles/mixture.ts";
import { Random } from "../math/random.ts";
import { meanOf } from "../math/running-mean.ts";
import { mixtureVariance } from "./mixture-variance.ts";

describe("the variance of a mixture", () => {
  it("is what lies within components and between their means", () => {
    const mixture = gaussianMixture({ means: [[-2], [4]], covariances: [1], weights: [2, 1] });
    expect(mixtureVariance(mixture)).toBeCloseTo(1 + 8, 12);
  });

  it("sums the columns, with covariances of any kind", () => {
    const full = [
      [2, 1],
      [1, 3],
    ];
    const means = [
      [0, 1],
      [1, -1],
    ];
    const mixture = gaussianMixture({ means, covariances: [full, 0.5], weights: [1, 3] });
    const count = 20_000;
    const draws = sampleMixture(mixture, count, new Random(2, "metric"));
    const spreads = [0, 1].map((column) => {
      const values = Float64Array.from({ length: count }, (_, i) => draws.data[2 * i + column] ?? 0);
      const { mean } = meanOf(values);
      return meanOf(values.map((value) => (value - mean) ** 2));
    });
    const total = spreads.reduce((sum, { mean }) => sum + mean, 0);
    const error = spreads.reduce((sum, { standardError }) => sum + standardError, 0);
    expect(Math.abs(total - mixtureVariance(mixture))).toBeLessThan(4 * error);
    // Without the spread of the means it would be less by ¾ · ¼ · ‖(1, −2)‖².
    expect(Math.abs(total - (mixtureVariance(mixture) - (3 / 16) * 5))).toBeGreaterThan(4 * error);
  });
});
