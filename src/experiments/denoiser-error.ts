import { conversionOf } from "../diffusion/parameterisation.ts";
import type { Denoiser } from "../diffusion/sampler.ts";
import type { NoiseSchedule } from "../diffusion/schedule.ts";
import { at } from "../math/error.ts";
import { meanOf, type MeanEstimate } from "../math/running-mean.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import { ratioOfMeans } from "./path-recorder.ts";

/** ε that a denoiser says of x_t, whatever it predicts. */
export async function epsOf(
  denoiser: Denoiser,
  schedule: NoiseSchedule,
  xt: FloatTensor,
  step: number,
): Promise<FloatTensor> {
  const said = await denoiser(xt, step);
  if (!("output" in said)) return said;
  const { eps } = conversionOf(said.parameterisation, schedule, step);
  const { output } = said;
  return floatTensor(
    xt.data.map((value, i) => eps.xt * value + eps.output * at(output.data, i)),
    xt.shape,
  );
}

/** ‖a_i − b_i‖²/D of each row. */
export function rowErrors(a: FloatTensor, b: FloatTensor): Float64Array {
  const [count, width] = [at(a.shape, 0), at(a.shape, 1)];
  const errors = new Float64Array(count);
  for (let i = 0; i < a.data.length; i++) {
    const row = Math.floor(i / width);
    errors[row] = at(errors, row) + (at(a.data, i) - at(b.data, i)) ** 2 / width;
  }
  return errors;
}

/** How far a learned ε is from the exact one, and what either loses. */
export interface DenoiserError {
  /** E‖ε_θ − ε*‖²/E‖ε*‖², which is E‖s_θ − s‖²/E‖s‖² as s = −ε/√(1 − ᾱ_t). */
  readonly relative: MeanEstimate;
  /** E‖ε − ε_θ‖²/D. */
  readonly loss: MeanEstimate;
  /** E‖ε_θ − ε*‖²/D: the part of the loss that is the network's. */
  readonly excess: MeanEstimate;
}

/**
 * Compares a learned ε with the exact one over draws of x_t.
 * @param eps the noise that was drawn, `[B, D]`
 * @param exact ε* = E[ε|x_t], `[B, D]`
 */
export function denoiserError(learned: FloatTensor, eps: FloatTensor, exact: FloatTensor): DenoiserError {
  const excess = rowErrors(learned, exact);
  const zero = floatTensor(new Float32Array(exact.data.length), exact.shape);
  return {
    relative: ratioOfMeans(excess, rowErrors(exact, zero)),
    loss: plain(meanOf(rowErrors(learned, eps))),
    excess: plain(meanOf(excess)),
  };
}

const plain = ({ mean, standardError }: MeanEstimate): MeanEstimate => ({ mean, standardError });
