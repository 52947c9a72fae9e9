import { add, cast, concat, constant, cos, log, mul, pad, reshape, sin, sub } from "../graph/builders.ts";
import type { Node } from "../graph/node.ts";
import { at } from "../math/error.ts";
import type { TimeEmbeddingOptions } from "./time-embedding.ts";

const TURN = 2 * Math.PI;
/** 2π in two parts, the first of 9 bits: whole turns times it are exact in float32. */
const TURN_HIGH = 6.28125;
const TURN_LOW = TURN - TURN_HIGH;

/** The angle less whole turns: sine and cosine of large angles are rough on GPUs. */
function reduced(angle: Node): Node {
  const turns = cast(cast(add(mul(angle, 1 / TURN), 0.5), "int32"), "float32");
  return sub(sub(angle, mul(turns, TURN_HIGH)), mul(turns, TURN_LOW));
}

function waves(angle: Node, cosinesFirst: boolean): Node {
  const within = reduced(angle);
  return concat(cosinesFirst ? [cos(within), sin(within)] : [sin(within), cos(within)], 1);
}

/** ω_i, each operation rounded to float32 as diffusers has it: at step 1000 the roundings turn the wave by 1e-4. */
function float32Frequencies(half: number, freqShift: number): Float32Array {
  const exponent = Math.fround(-Math.log(10_000));
  return Float32Array.from({ length: half }, (_, i) =>
    Math.exp(Math.fround(Math.fround(exponent * i) / Math.fround(half - freqShift))),
  );
}

/** Steps or noise levels [N] as a float32 column. */
const column = (steps: Node): Node => reshape(cast(steps, "float32"), [at(steps.shape, 0), 1]);

/**
 * The sinusoidal embedding of steps, computed in the graph, so that it holds for any number of them: sin(t·ω_i) and cos(t·ω_i) with
 * ω_i = 10000^(−i/(half − shift)), half = ⌊features/2⌋ (Vaswani et al. 2017, arXiv 1706.03762), as in `timestepTable`.
 * @param steps [N] int32, or float32 noise levels
 * @param features ≥ 2; the last is 0 where the number is odd
 * @returns [N, features]
 */
export function sinusoidalFeatures(
  steps: Node,
  features: number,
  { flipSinToCos = false, freqShift = 1 }: TimeEmbeddingOptions = {},
): Node {
  const half = Math.floor(features / 2);
  const frequencies = float32Frequencies(half, freqShift);
  const all = waves(mul(column(steps), constant(frequencies, [1, half])), flipSinToCos);
  return features % 2 === 0 ? all : pad(all, [0, 0], [0, 1]);
}

/**
 * Random Fourier features of the logarithm: sin(2π·w_i·ln t) then cos of the same (Tancik et al. 2020, arXiv 2006.10739; Song et
 * al. 2021, arXiv 2011.13456).
 * @param steps [N] > 0, int32 or float32: 0 has no logarithm
 * @param weights w [F]
 * @returns [N, 2·F]
 */
export function fourierFeatures(steps: Node, weights: Node): Node {
  const phase = mul(log(column(steps)), reshape(weights, [1, at(weights.shape, 0)]));
  return waves(mul(phase, TURN), false);
}
