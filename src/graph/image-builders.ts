import { at } from "../math/error.ts";
import { sameShape, shapeText, sizeOf } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { add, matmul, mul, reshape, softmax, where } from "./basic-builders.ts";
import { GraphError, pathOf, type Attributes, type Node } from "./node.ts";

/** How `conv2d` moves its kernels. */
export interface Conv2dOptions {
  /** Pixels from one window to the next, default 1. */
  readonly stride?: number;
  /** Zeros around the image: on all sides, or [top, left, bottom, right]; default 0. */
  readonly padding?: number | readonly number[];
  /** Channels and kernels divide into so many groups that do not mix, default 1. */
  readonly groups?: number;
}

/**
 * Convolution in the sense of neural networks (the kernel is not flipped): y[n,o,i,j] = Σ x[n,c,i·s+k−top,j·s+l−left]·w[o,c,k,l] + b[o].
 * @param x [N, Ci, H, W]
 * @param weight [Co, Ci/groups, kh, kw]
 * @param bias [Co], or none
 * @returns [N, Co, ⌊(H + top + bottom − kh)/stride⌋ + 1, ⌊(W + left + right − kw)/stride⌋ + 1]
 * @throws GraphError when channels, groups, bias or kernel do not fit, or stride and padding are no counts
 */
export function conv2d(
  x: Node,
  weight: Node,
  bias?: Node,
  { stride = 1, padding = 0, groups = 1 }: Conv2dOptions = {},
): Node<"conv"> {
  const around = typeof padding === "number" ? [padding, padding, padding, padding] : padding;
  return apply("conv", bias ? [x, weight, bias] : [x, weight], { stride, padding: around, groups });
}

/**
 * The derivative of `conv2d` with respect to its image: dL/dx [N, Ci, …size] from dL/dy [N, Co, …].
 * @throws GraphError when `dy` is not what an image of that size gives
 */
export function convInputGrad(dy: Node, weight: Node, attributes: Attributes["convInputGrad"]): Node {
  return apply("convInputGrad", [dy, weight], attributes);
}

/**
 * The derivative of `conv2d` with respect to its weight: dL/dw [Co, Ci/groups, …kernel] from x and dL/dy.
 * @throws GraphError when `dy` is not what kernels of that size give
 */
export function convWeightGrad(x: Node, dy: Node, attributes: Attributes["convWeightGrad"]): Node {
  return apply("convWeightGrad", [x, dy], attributes);
}

/**
 * (x − mean)/√(variance + ε) over all axes from `firstAxis` on, with the biased variance.
 * @throws GraphError when x is not float32 or has no such axis, or epsilon is negative
 */
export function normalise(x: Node, firstAxis: number, epsilon: number): Node {
  return apply("normalise", [x], { firstAxis, epsilon, part: "value" });
}

/**
 * The factor 1/√(variance + ε) of `normalise`, with extent 1 along the axes from `firstAxis` on; no second pass over x where both
 * are used.
 * @throws GraphError as `normalise`
 */
export function inverseDeviation(x: Node, firstAxis: number, epsilon: number): Node {
  return apply("normalise", [x], { firstAxis, epsilon, part: "inverseDeviation" });
}

/**
 * Group normalisation (Wu & He 2018, arXiv 1803.08494): each image's channels are normalised in `groups` groups, then scaled and
 * shifted by channel.
 * @param x [N, C, H, W]
 * @param weight [C]
 * @param bias [C]
 * @throws GraphError when the channels do not divide into the groups, or weight or bias are not [C]
 */
export function groupNorm(x: Node, groups: number, epsilon: number, weight: Node, bias: Node): Node {
  const [batch, channels] = [at(x.shape, 0), at(x.shape, 1)];
  if (channels % groups !== 0)
    throw new GraphError(pathOf("normalise"), `groupNorm: ${channels} channels do not divide into ${groups} groups`);
  const rows = reshape(x, [batch, groups, sizeOf(x.shape) / (batch * groups)]);
  const perChannel = [channels, ...x.shape.slice(2).map(() => 1)];
  const normal = reshape(normalise(rows, 2, epsilon), x.shape);
  return add(mul(normal, reshape(weight, perChannel)), reshape(bias, perChannel));
}

/**
 * Layer normalisation over the last axis (Ba et al. 2016, arXiv 1607.06450), scaled by `weight` and shifted by `bias` where given.
 * @param x [..., D]
 * @param weight [D]
 * @param bias [D]
 * @throws GraphError when weight or bias do not broadcast to x
 */
export function layerNorm(x: Node, epsilon: number, weight?: Node, bias?: Node): Node {
  const normal = normalise(x, x.shape.length - 1, epsilon);
  const scaled = weight ? mul(normal, weight) : normal;
  return bias ? add(scaled, bias) : scaled;
}

/**
 * Every pixel of x [N, C, H, W] repeated `factor` times along height and width.
 * @throws GraphError when x is no float32 image, or the factor is no integer ≥ 1
 */
export function upsampleNearest(x: Node, factor = 2): Node {
  return apply("upsample", [x], { factor });
}

/**
 * The mean of every square of `size` × `size` pixels of x [N, C, H, W].
 * @throws GraphError when x is no float32 image, or its extents are no multiples of `size`
 */
export function averagePool(x: Node, size = 2): Node {
  return apply("averagePool", [x], { size });
}

/**
 * Scaled dot-product attention, softmax(q·kᵀ/√d)·v (Vaswani et al. 2017, arXiv 1706.03762, eq. 1).
 * @param q [B, heads, L, d]
 * @param k [B, heads, S, d]
 * @param v [B, heads, S, e]
 * @returns [B, heads, L, e]
 * @throws GraphError when the extents do not fit
 */
export function attention(q: Node, k: Node, v: Node): Node {
  const scale = 1 / Math.sqrt(q.shape.at(-1) ?? 1);
  const scores = matmul(mul(q, scale), k, { transposeB: true });
  return matmul(softmax(scores, scores.shape.length - 1), v);
}

/**
 * x/(1 − rate) where `keep` holds, else 0 (Srivastava et al. 2014): its mean over masks that keep with probability 1 − rate is x.
 * @param keep bool, of x's shape
 * @param rate in [0, 1)
 * @throws GraphError when the rate is outside, or `keep` is not bool or does not fit
 */
export function dropout(x: Node, keep: Node, rate: number): Node {
  if (!(rate >= 0 && rate < 1)) throw new GraphError(pathOf("where"), `dropout: rate ${rate} outside [0, 1)`);
  if (!sameShape(keep.shape, x.shape)) {
    const got = `expected a mask ${shapeText(x.shape)}, got ${shapeText(keep.shape)}`;
    throw new GraphError(pathOf("where"), `dropout: ${got}`);
  }
  return mul(where(keep, x, 0), 1 / (1 - rate));
}
