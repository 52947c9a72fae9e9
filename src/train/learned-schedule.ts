import { scheduleFromGammas, type NoiseCurve } from "../diffusion/objectives/learned-schedule.ts";
import type { NoiseSchedule } from "../diffusion/schedule.ts";
import { add, constant, mul } from "../graph/builders.ts";
import { evaluate } from "../graph/evaluate.ts";
import { at } from "../math/error.ts";
import { weightOf } from "../nn/linear.ts";
import { monotone, monotoneParameters, softplus } from "../nn/monotone.ts";
import { unflatten, type Parameter, type Weights } from "../nn/parameters.ts";

const [START, SPAN, CURVE] = ["schedule.start", "schedule.span", "schedule.curve"] as const;
/** γ_0 = −log SNR where ᾱ_1 = 1 − 1e-4, as the linear schedule starts. */
const FIRST = Math.log(1e-4 / (1 - 1e-4));
/** γ_1 at the start of training, as Kingma et al. 2021 choose it (arXiv 2107.00630): L_T is 0.005 bits. */
const LAST = 5;

/** The weights of a learned schedule: γ_0, γ_1 − γ_0 before softplus, and the curve between. */
export function scheduleParameters(): Parameter[] {
  const span = Math.log(Math.expm1(LAST - FIRST));
  return [
    { name: START, shape: [1, 1], bound: 0, start: FIRST },
    { name: SPAN, shape: [1, 1], bound: 0, start: span },
    ...monotoneParameters(CURVE),
  ];
}

/** γ(t) as a graph of its weights. */
export function curveOf(weights: Weights): NoiseCurve {
  return {
    start: weightOf(weights, START),
    span: softplus(weightOf(weights, SPAN)),
    part: (t) => monotone(CURVE, t, weights),
  };
}

/**
 * The schedule that trained weights stand for, in float64.
 * @param flat the weights of `scheduleParameters`, one after the other
 * @param timesteps T ≥ 2
 */
export function frozenSchedule(flat: Float32Array, timesteps: number): NoiseSchedule {
  const { start, span, part } = curveOf(unflatten(constant(flat, [flat.length]), scheduleParameters()));
  const times = Float64Array.from({ length: timesteps }, (_, step) => step / (timesteps - 1));
  const gammas = add(start, mul(span, part(constant(times, [timesteps, 1]))));
  return scheduleFromGammas(at(evaluate([gammas]), 0).data);
}
