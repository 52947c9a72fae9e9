import { expect, it } from "vitest";
import { sampleMixture } from "../../diffusion/oracles/mixture-draws.ts";
import { gaussianMixture, type GaussianMixture } from "../../diffusion/oracles/mixture.ts";
import { qSample } from "../../diffusion/forward.ts";
import { priorKl } from "../../diffusion/prior.ts";
import { alphaCumprodAt, linearSchedule } from "../../diffusion/schedule.ts";
import { Random } from "../../math/random.ts";
import { floatTensor, type FloatTensor } from "../../tensor/tensor.ts";
import { klToNoise, meanKlToNoise } from "./noise-distance.node.ts";

const schedule = linearSchedule();
const [mean, variances] = [[0.3, -0.2] as const, [1.4, 0.5] as const];
const gaussian = gaussianMixture({ means: [[...mean]], covariances: [[...variances]] });

/** KL(N(√ᾱ m, ᾱ s² + 1 − ᾱ) ‖ N(0, 1)), summed over the coordinates. */
function exactKl(step: number): number {
  const alphaCumprod = alphaCumprodAt(schedule, step);
  return mean.reduce((sum, m, d) => {
    const excess = alphaCumprod * ((variances[d] ?? 0) - 1);
    return sum + 0.5 * (excess + alphaCumprod * m ** 2 - Math.log1p(excess));
  }, 0);
}

function drawsOf(mixture: GaussianMixture, step: number): FloatTensor {
  const x0 = sampleMixture(mixture, 4000, new Random(1, "data"));
  const eps = floatTensor(new Float32Array(x0.data.length), x0.shape);
  new Random(1, "noise").normals(eps.data, 2);
  return qSample(x0, eps, schedule, step);
}

it("KL to noise is that of a Gaussian, at few and at much noise", () => {
  for (const step of [10, 100, 250, 320, 500, 800]) {
    const { mean: kl, standardError } = klToNoise(gaussian, schedule, drawsOf(gaussian, step), step);
    expect(Math.abs(kl - exactKl(step)), `step ${step}`).toBeLessThan(4 * standardError);
    // Draws of another time are told from those of this one where the noise hides little.
    if (step > 320) expect(standardError / kl).toBeLessThan(0.1);
  }
  const shifted = klToNoise(gaussian, schedule, drawsOf(gaussian, 100), 250);
  expect(Math.abs(shifted.mean - exactKl(250))).toBeGreaterThan(4 * shifted.standardError);
});

it("the mean KL of single points is the term L_T at the last step, and never below the KL of all", () => {
  const mixture = gaussianMixture({
    means: [
      [1, 0.5],
      [-1, -0.5],
    ],
    covariances: [[0.2, 0.1]],
  });
  const square = 1 + 0.25 + 0.2 + 0.1;
  const last = schedule.timesteps - 1;
  expect(meanKlToNoise(mixture, schedule, last)).toBeCloseTo(2 * Math.LN2 * priorKl(schedule, square / 2), 12);
  for (const step of [5, 100, 400, last]) {
    const { mean: kl, standardError } = klToNoise(mixture, schedule, drawsOf(mixture, step), step);
    expect(kl + 4 * standardError).toBeLessThan(meanKlToNoise(mixture, schedule, step));
  }
});
