import { add, div, minimum, mul, sqrt, sub, sum } from "../graph/builders.ts";
import { scope, type Node } from "../graph/node.ts";
import type { Operand } from "../graph/builders.ts";

/** Flat vectors [P] that AdamW carries from step to step. */
export interface AdamState {
  readonly weights: Node;
  /** First moment m. */
  readonly mean: Node;
  /** Second moment v. */
  readonly square: Node;
}

/** Constants of AdamW. */
export interface AdamSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** λ: each step takes η·λ·w off the weights, apart from the gradient. */
  readonly weightDecay: number;
}

export interface AdamOptions extends AdamSettings {
  /** Scalar η of this step, after warm-up. */
  readonly learningRate: Operand;
  /** 1/(1 − β1ⁱ) at the i-th step. */
  readonly meanCorrection: Operand;
  /** 1/(1 − β2ⁱ) at the i-th step. */
  readonly squareCorrection: Operand;
}

/**
 * One step of AdamW on flat vectors (Loshchilov & Hutter 2019, arXiv 1711.05101, algorithm 2):
 * m ← β1·m + (1 − β1)·g, v ← β2·v + (1 − β2)·g², w ← w − η·(m̂/(√v̂ + ε) + λ·w).
 * @param gradient g [P]
 * @param scale scalar that multiplies g first, from gradient clipping
 * @returns the new state, vectors [P]
 */
export function adamw(gradient: Node, scale: Operand, state: AdamState, options: AdamOptions): AdamState {
  const { learningRate, meanCorrection, squareCorrection, beta1, beta2, epsilon, weightDecay } = options;
  return scope("adamw", () => {
    const clipped = mul(gradient, scale);
    const mean = add(mul(state.mean, beta1), mul(clipped, 1 - beta1));
    const square = add(mul(state.square, beta2), mul(mul(clipped, clipped), 1 - beta2));
    const denominator = add(sqrt(mul(square, squareCorrection)), epsilon);
    const step = mul(div(mean, denominator), mul(learningRate, meanCorrection));
    const kept = weightDecay === 0 ? state.weights : mul(state.weights, sub(1, mul(learningRate, weightDecay)));
    return { mean, square, weights: sub(kept, step) };
  });
}

/**
 * The factor that clips a gradient to norm `limit`: min(1, limit/(‖g‖ + 1e-6)) (Pascanu et al. 2013, arXiv 1211.5063, with
 * PyTorch's guard against division by 0), and ‖g‖.
 */
export function clipScale(gradient: Node, limit: number): { readonly scale: Node; readonly norm: Node } {
  const norm = sqrt(sum(mul(gradient, gradient)));
  return { scale: minimum(1, div(limit, add(norm, 1e-6))), norm };
}
