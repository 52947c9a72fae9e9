import {
  add,
  cast,
  concat,
  detach,
  div,
  exp,
  less,
  log,
  maximum,
  mean,
  mul,
  neg,
  reshape,
  sigmoid,
  split,
  sqrt,
  sub,
  sum,
} from "../../graph/builders.ts";
import { grad } from "../../graph/grad.ts";
import { scope, type Node } from "../../graph/node.ts";
import { UnnoiseError, at } from "../../math/error.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import type { Parameterisation } from "../parameterisation.ts";
import { scheduleFromBetas, type NoiseSchedule } from "../schedule.ts";
import type { BatchLoss, LossInputs, LossReduction, Predict } from "./objective.ts";

/** γ(t) = −log SNR(t) = start + span·part(t), each scalar or curve made of trained weights. */
export interface NoiseCurve {
  /** γ_0, [1, 1]. */
  readonly start: Node;
  /** γ_1 − γ_0 > 0, [1, 1]. */
  readonly span: Node;
  /** Rises from 0 at t = 0 to 1 at t = 1: [N, 1] to [N, 1]. */
  readonly part: (t: Node) => Node;
}

/** What a network may predict where the schedule is learned. */
const learnedPredictions: readonly Parameterisation[] = ["eps", "x0", "v"];

export interface LearnedScheduleOptions {
  /** T ≥ 2: steps k = 0…T−1 stand at t = k/(T − 1). */
  readonly timesteps: number;
  /** `eps`, `x0` or `v`; `eps` if absent. */
  readonly prediction?: Parameterisation;
  /** `mean` if absent. */
  readonly lossReduction?: LossReduction;
}

/**
 * What scales the descent of the curve's interior. Adam's steps do not depend on it; it keeps that part of the gradient, which
 * belongs to a squared loss, from taking over the norm by which all of it is clipped.
 */
const INTERIOR = 1e-3;

/**
 * The bound with a learned schedule, in bits per dimension (Kingma et al. 2021, eq. 11–14, arXiv 2107.00630), for σ² = β̃:
 * L_k = ½(e^(γ_k − γ_{k−1}) − 1)·‖ε − ε̂‖² for k ≥ 1; the decoder −log N(x_0; x̂_0, β_1) for k = 0, β_1 = 1 − ᾱ_1; and the prior
 * L_T. `loss` is T·L_k for the drawn steps, with the decoder's constant part and L_T in closed form.
 *
 * Network and endpoints descend `loss`. What lies between the endpoints changes the bound little but the variance of its estimate
 * much, so it descends E[L²] (appendix I.2): the gradient of mean(2·L_i·∂L_i/∂γ_i·γ_i) with all but the last factor held.
 * @param batch x0, eps [B, …D] and steps [B]
 * @param predict the network on x_t of the learned schedule
 * @returns `loss`, and in `descent` both of these
 * @throws UnnoiseError `usage` for T < 2, a prediction of mean or score, or weighted rows
 */
export function learnedScheduleLoss(
  batch: LossInputs,
  curve: NoiseCurve,
  predict: Predict,
  options: LearnedScheduleOptions,
): BatchLoss {
  checkLearnedSchedule(options);
  return scope("L_vlb", () => {
    const { x0, eps } = batch;
    const gammas = gammasAt(batch.steps, curve, options.timesteps, x0.shape.length);
    const [signal, noise] = [sqrt(sigmoid(neg(gammas.at))), sqrt(sigmoid(gammas.at))];
    const xt = add(mul(signal, x0), mul(noise, eps));
    const inputs = { x0, eps, signal, noise };
    const error = epsErrors[options.prediction ?? "eps"]?.(predict(xt, batch.steps), inputs) ?? eps;
    const drawn = drawnLoss(error, gammas, options);
    const loss = add(mean(drawn), endLoss(x0, curve, options));
    return { loss, descent: add(loss, interiorDescent(drawn, gammas)) };
  });
}

/**
 * Checks what a learned schedule can be trained with.
 * @throws UnnoiseError `usage` for T < 2 or a prediction of mean or score
 */
export function checkLearnedSchedule({ timesteps, prediction = "eps" }: LearnedScheduleOptions): void {
  if (timesteps < 2)
    throw new UnnoiseError("usage", `timesteps: a learned schedule has two ends, so at least 2, got ${timesteps}`);
  if (!learnedPredictions.includes(prediction)) {
    const known = learnedPredictions.join(", ");
    throw new UnnoiseError("usage", `prediction: with a learned schedule expected ${known}, got ${prediction}`);
  }
}

interface ErrorInputs {
  readonly x0: Node;
  readonly eps: Node;
  readonly signal: Node;
  readonly noise: Node;
}

/** ε − ε̂ that an output implies. */
const epsErrors: Partial<Record<Parameterisation, (output: Node, inputs: ErrorInputs) => Node>> = {
  eps: (output, { eps }) => sub(eps, output),
  x0: (output, { x0, signal, noise }) => mul(div(signal, noise), sub(output, x0)),
  v: (output, { x0, eps, signal, noise }) => mul(signal, sub(sub(mul(signal, eps), mul(noise, x0)), output)),
};

/** γ at each row's step and at the one before, [B, 1, …]: as the endpoints move them, and as the interior does. */
interface Gammas {
  readonly at: Node;
  readonly before: Node;
  readonly interior: { readonly at: Node; readonly before: Node };
  /** 1 for rows at step 0, else 0. */
  readonly isFirst: Node;
}

function gammasAt(steps: Node, { start, span, part }: NoiseCurve, timesteps: number, rank: number): Gammas {
  const rows = at(steps.shape, 0);
  const step = reshape(cast(steps, "float32"), [rows, 1]);
  const before = maximum(sub(step, 1), 0);
  const parts = part(mul(concat([step, before], 0), 1 / (timesteps - 1)));
  const column = (values: Node): Node[] =>
    split(values, 0, [rows, rows]).map((each) => reshape(each, [rows, ...Array<number>(rank - 1).fill(1)]));
  const [ofEnds, beforeOfEnds] = column(add(start, mul(span, detach(parts)))) as [Node, Node];
  const [ofPart, beforeOfPart] = column(add(detach(start), mul(detach(span), parts))) as [Node, Node];
  const isFirst = reshape(cast(less(step, 0.5), "float32"), ofEnds.shape);
  return { at: ofEnds, before: beforeOfEnds, interior: { at: ofPart, before: beforeOfPart }, isFirst };
}

/** What one draw of a step adds to the bound, T times its term, of each row, [B]: for k = 0 ½·(x_0 − x̂_0)²/β_1 = ½(1 + e^γ)·(ε − ε̂)². */
function drawnLoss(error: Node, gammas: Gammas, { timesteps, lossReduction }: LearnedScheduleOptions): Node {
  const growth = sub(exp(sub(gammas.at, gammas.before)), 1);
  const factor = add(growth, mul(gammas.isFirst, add(exp(gammas.at), 1)));
  const elements = mul(mul(factor, mul(error, error)), timesteps / (2 * Math.LN2));
  const axes = error.shape.map((_, axis) => axis).slice(1);
  return lossReduction === "sum" ? sum(elements, { axes }) : mean(elements, { axes });
}

/** The decoder's ½ log 2πβ_1, and L_T = ½(ᾱ_T(x_0² − 1) − log(1 − ᾱ_T)). */
function endLoss(x0: Node, { start, span }: NoiseCurve, { lossReduction }: LearnedScheduleOptions): Node {
  const end = add(start, span);
  const decoder = add(log(sigmoid(start)), Math.log(2 * Math.PI));
  const prior = sub(mul(sigmoid(neg(end)), sub(mean(mul(x0, x0)), 1)), log(sigmoid(end)));
  const width = lossReduction === "sum" ? sizeOf(x0.shape) / at(x0.shape, 0) : 1;
  return mul(reshape(add(decoder, prior), []), width / (2 * Math.LN2));
}

/** The scalar whose gradient with respect to the interior is that of mean(L_i²). */
function interiorDescent(drawn: Node, gammas: Gammas): Node {
  const total = mean(drawn);
  const slopes = grad(total, [gammas.at, gammas.before]);
  const twice = mul(detach(reshape(drawn, gammas.at.shape)), 2 * INTERIOR);
  const [ofAt, ofBefore] = slopes.map((slope) => mul(twice, detach(slope))) as [Node, Node];
  return sum(add(mul(ofAt, gammas.interior.at), mul(ofBefore, gammas.interior.before)));
}

/**
 * The schedule of γ_0…γ_{T−1} = −log SNR: ᾱ = σ(−γ), β_t = 1 − ᾱ_t/ᾱ_{t−1} = (1 − ᾱ_t)(1 − e^(γ_{t−1} − γ_t)), without
 * cancellation (Kingma et al. 2021, appendix A, arXiv 2107.00630).
 * @param gammas ascending
 * @throws UnnoiseError `usage` where γ does not rise, or rises beyond float64
 */
export function scheduleFromGammas(gammas: ArrayLike<number>): NoiseSchedule {
  return scheduleFromBetas(
    Float64Array.from(gammas, (gamma, step) => {
      const noiseVariance = 1 / (1 + Math.exp(-gamma));
      return step === 0 ? noiseVariance : -noiseVariance * Math.expm1(at(gammas, step - 1) - gamma);
    }),
  );
}
