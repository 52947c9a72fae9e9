import { linearSchedule, type NoiseSchedule } from "../../diffusion/schedule.ts";
import { at } from "../../math/error.ts";

/** ᾱ_T. */
export function terminalSignal({ alphasCumprod, timesteps }: NoiseSchedule): number {
  return at(alphasCumprod, timesteps - 1);
}

/** The one β with which `timesteps` equal steps end in that ᾱ_T: 1 − ᾱ_T^(1/T). */
export function matchedConstantBeta(signal: number, timesteps: number): number {
  return -Math.expm1(Math.log(signal) / timesteps);
}

const HALVINGS = 60;

/**
 * β_T with which a linear schedule ends in that ᾱ_T, found by halving.
 * @param betaStart below the constant β that ends there
 */
export function matchedLinearEnd(signal: number, timesteps: number, betaStart: number): number {
  let [low, high] = [betaStart, 1];
  for (let i = 0; i < HALVINGS; i++) {
    const betaEnd = (low + high) / 2;
    if (terminalSignal(linearSchedule({ timesteps, betaStart, betaEnd })) > signal) low = betaEnd;
    else high = betaEnd;
  }
  return (low + high) / 2;
}
