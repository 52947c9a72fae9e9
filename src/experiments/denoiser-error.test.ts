import { describe, expect, it } from "vitest";
import { qSample } from "../diffusion/forward.ts";
import { mixtureDenoiser } from "../diffusion/oracles/mixture-denoiser.ts";
import { bayesLoss, sampleMixture } from "../diffusion/oracles/mixture-draws.ts";
import { gaussianMixture } from "../diffusion/oracles/mixture.ts";
import { convertPrediction } from "../diffusion/parameterisation.ts";
import { linearSchedule } from "../diffusion/schedule.ts";
import { Random } from "../math/random.ts";
import { floatTensor } from "../tensor/tensor.ts";
import { denoiserError, epsOf, rowErrors } from "./denoiser-error.ts";

const COUNT = 4000;
const STEP = 300;
const schedule = linearSchedule();
const mixture = gaussianMixture({
  means: [
    [-1, 0],
    [1, 0.5],
  ],
  covariances: [0.05],
});
const x0 = sampleMixture(mixture, COUNT, new Random(4, "data"));
const eps = floatTensor(new Float32Array(2 * COUNT), [COUNT, 2]);
new Random(4, "noise").normals(eps.data, 2);
const xt = qSample(x0, eps, schedule, STEP);
const exact = mixtureDenoiser(mixture, schedule)(xt, STEP);

describe("the error of a denoiser", () => {
  const off = 0.3;
  const learned = floatTensor(
    exact.data.map((value) => value + off),
    exact.shape,
  );
  const { relative, loss, excess } = denoiserError(learned, eps, exact);

  it("is what it adds to the exact answer", () => {
    expect(excess.mean).toBeCloseTo(off ** 2, 6);
    expect(excess.standardError).toBeLessThan(1e-6);
    const zero = floatTensor(new Float32Array(2 * COUNT), [COUNT, 2]);
    const size = rowErrors(exact, zero).reduce((sum, value) => sum + value, 0) / COUNT;
    expect(relative.mean).toBeCloseTo(off ** 2 / size, 6);
  });

  it("and the Bayes loss make up the loss; neither does alone", () => {
    const bayes = bayesLoss(mixture, schedule, STEP, { count: COUNT, random: new Random(4, "metric") });
    const error = Math.hypot(loss.standardError, bayes.standardError);
    expect(Math.abs(loss.mean - bayes.mean - excess.mean)).toBeLessThan(4 * error);
    expect(Math.abs(loss.mean - bayes.mean)).toBeGreaterThan(4 * error);
  });
});

describe("ε of a denoiser", () => {
  it.each(["x0", "v", "score"] as const)("is converted where it predicts %s", async (parameterisation) => {
    const output = convertPrediction(exact, "eps", parameterisation, xt, schedule, STEP);
    const found = await epsOf(() => ({ parameterisation, output }), schedule, xt, STEP);
    expect(Math.max(...found.data.map((value, i) => Math.abs(value - (exact.data[i] ?? 0))))).toBeLessThan(1e-4);
  });
});
