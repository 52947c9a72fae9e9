import { UnnoiseError } from "../../math/error.ts";
import type { FloatTensor } from "../../tensor/tensor.ts";
import { weightedSum } from "../combine.ts";
import type { Estimate, Sampler } from "../sampler.ts";
import { samplerFrom } from "../sampling-loop.ts";
import { alphaCumprodAt, noiseVarianceAt, type NoiseSchedule } from "../schedule.ts";

/** What `ddimInversion` takes. */
export interface DdimInversionOptions {
  /** Fixed-point iterations a step, an integer ≥ 0; 0 if absent. */
  readonly refinements?: number;
}

/** Weights of one step up: x_t = xs·x_s + eps·ε. */
export interface InversionCoefficients {
  readonly xs: number;
  readonly eps: number;
}

/**
 * One step of the DDIM ODE upwards: x_t/√ᾱ_t = x_s/√ᾱ_s + (√((1 − ᾱ_t)/ᾱ_t) − √((1 − ᾱ_s)/ᾱ_s)) ε (Song et al. 2020, eq. 13
 * and 14, arXiv 2010.02502), multiplied by √ᾱ_t so that ᾱ_t = 0 is allowed.
 * @param step s, in −1…T−2; −1 is the data
 * @param nextStep t > s, in 0…T−1
 * @throws UnnoiseError `usage` for a step outside the schedule
 */
export function inversionCoefficients(schedule: NoiseSchedule, step: number, nextStep: number): InversionCoefficients {
  const xs = Math.sqrt(alphaCumprodAt(schedule, nextStep) / alphaCumprodAt(schedule, step));
  const [below, above] = [step, nextStep].map((s) => Math.sqrt(noiseVarianceAt(schedule, s))) as [number, number];
  return { xs, eps: above - xs * below };
}

/**
 * DDIM inversion: from data, `start`, up to the latent x_T that `ddim` with η = 0 takes back to them (Song et al. 2020, section
 * 4.3, arXiv 2010.02502). `steps` are those of the way back, `until` the step that `start` is at.
 *
 * Each step solves x_t = xs·x_s + eps·ε(x_t, t), DDIM's own equation read upwards. Its first guess takes ε(x_s, s) for ε(x_t, t),
 * an error of order 1 in the steps over the whole way; from the data, where no network can be asked, it takes ε(√ᾱ_t x_0, t).
 * Each refinement puts the last guess into ε(x_t, t) again, which multiplies the error that is left by about eps·‖∂ε/∂x_t‖: it
 * falls where that is below 1, fast where steps are short. A step of the run shows what the denoiser said last.
 * @returns a sampler that goes upwards; each run takes `SamplerOptions` with `start`
 * @throws UnnoiseError `usage` for an option out of range
 */
export function ddimInversion({ refinements = 0 }: DdimInversionOptions = {}): Sampler {
  if (!Number.isInteger(refinements) || refinements < 0) {
    throw new UnnoiseError("usage", `refinements: expected an integer ≥ 0, got ${refinements}`);
  }
  return samplerFrom({
    name: "ddim-inversion",
    upwards: true,
    begin:
      (walk) =>
      async (xs, { step, previousStep: nextStep }) => {
        const coefficients = inversionCoefficients(walk.schedule, step, nextStep);
        const up = ({ terms }: Estimate): FloatTensor =>
          weightedSum([[coefficients.xs, xs], ...terms(0, coefficients.eps)]);
        let said =
          step === -1
            ? await walk.estimate(weightedSum([[coefficients.xs, xs]]), nextStep)
            : await walk.estimate(xs, step);
        for (let k = 0; k < refinements; k++) said = await walk.estimate(up(said), nextStep);
        return { x0: said.x0, eps: said.eps, xPrevious: up(said) };
      },
  });
}
