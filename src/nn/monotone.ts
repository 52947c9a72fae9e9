import {
  abs,
  add,
  concat,
  constant,
  div,
  exp,
  log,
  matmul,
  maximum,
  mul,
  neg,
  sigmoid,
  split,
  sub,
} from "../graph/builders.ts";
import { scope, type Node } from "../graph/node.ts";
import { at } from "../math/error.ts";
import { weightOf } from "./linear.ts";
import type { Parameter, Weights } from "./parameters.ts";

/** Hidden units: enough for any curve that a schedule of a thousand steps can follow. */
const HIDDEN = 128;
/** What softplus turns into 1. */
const ONE = Math.log(Math.E - 1);

/** log(1 + eˣ) without overflow. */
export function softplus(x: Node): Node {
  return add(maximum(x, 0), log(add(exp(neg(abs(x))), 1)));
}

/** The weights of a `monotone` function: an almost straight line at first, with bends spread over [0, 1]. */
export function monotoneParameters(name: string): Parameter[] {
  return [
    { name: `${name}.line`, shape: [1, 1], bound: 0, start: ONE },
    { name: `${name}.slopes`, shape: [1, HIDDEN], bound: 4, start: 8 },
    { name: `${name}.offsets`, shape: [HIDDEN], bound: 6, start: -4 },
    { name: `${name}.heights`, shape: [HIDDEN, 1], bound: 0.5, start: -2 },
  ];
}

/**
 * A function that rises from 0 at 0 to 1 at 1, whatever its weights: g(t) = l1(t) + l3(σ(l2(t)))/H with positive weights by
 * softplus, as (g(t) − g(0))/(g(1) − g(0)) (Kingma et al. 2021, appendix H, arXiv 2107.00630; there l2 sees l1(t), which its own
 * weights make up for).
 * @param t [N, 1], in [0, 1]
 * @returns [N, 1]
 */
export function monotone(name: string, t: Node, weights: Weights): Node {
  return scope(name, () => {
    const positive = (part: string): Node => softplus(weightOf(weights, `${name}.${part}`));
    const times = concat([t, constant([0, 1], [2, 1])], 0);
    const inner = add(matmul(times, positive("slopes")), weightOf(weights, `${name}.offsets`));
    const bends = mul(matmul(sigmoid(inner), positive("heights")), 1 / HIDDEN);
    const curve = add(matmul(times, positive("line")), bends);
    const [values, first, last] = split(curve, 0, [at(t.shape, 0), 1, 1]) as [Node, Node, Node];
    return div(sub(values, first), sub(last, first));
  });
}
