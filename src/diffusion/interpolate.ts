import { UnnoiseError, at } from "../math/error.ts";
import { sameShape, shapeText, type FloatTensor } from "../tensor/tensor.ts";
import { sampleWidth } from "./sampler.ts";

/** Rows whose angle is nearer to π than this have no shortest arc that float32 could tell. */
const OPPOSITE = 1e-6;

/**
 * Spherical interpolation of latents, row by row: sin((1 − f)θ)/sin θ · a + sin(fθ)/sin θ · b, where θ is the angle between the
 * rows (Shoemake 1985; Song et al. 2020, appendix D.5, arXiv 2010.02502). The length of a point of N(0, I) is kept, which a
 * straight line would shorten. Parallel rows, and a row of zeros, are joined by a straight line, the limit for θ → 0.
 *
 * DDIM with η = 0 makes each latent one sample, so latents on an arc give a path of samples from that of a to that of b:
 * ```
 * const start = interpolateLatents(a, b, [0, 0.25, 0.5, 0.75, 1]);
 * const path = await finalSample(ddim()({ denoiser, schedule, shape: start.shape, noise: seededNoise(0), start, steps: 50 }));
 * ```
 * @param a `[B, …D]`, x_T where paths begin
 * @param b `[B, …D]`, x_T where they end
 * @param fractions F numbers, 0 at a and 1 at b
 * @returns `[B·F, …D]`: the path of the first row, then that of the second, …
 * @throws UnnoiseError `usage` when shapes differ, a fraction is not finite, there is none, or two rows point in opposite
 * directions
 */
export function interpolateLatents(a: FloatTensor, b: FloatTensor, fractions: readonly number[]): FloatTensor {
  check(a, b, fractions);
  const [rows = 0, ...extents] = a.shape;
  const width = sampleWidth(a.shape);
  const data = new Float32Array(rows * fractions.length * width);
  for (let row = 0; row < rows; row++) {
    const [from, to] = [a, b].map((t) => t.data.subarray(row * width, (row + 1) * width)) as [
      Float32Array,
      Float32Array,
    ];
    const theta = angle(from, to);
    if (Math.PI - theta < OPPOSITE) throw opposite(row);
    fractions.forEach((fraction, k) => {
      const [wa, wb] = arcWeights(theta, fraction);
      const offset = (row * fractions.length + k) * width;
      for (let i = 0; i < width; i++) data[offset + i] = wa * at(from, i) + wb * at(to, i);
    });
  }
  return { dtype: "float32", shape: [rows * fractions.length, ...extents], data };
}

function arcWeights(theta: number, fraction: number): [a: number, b: number] {
  if (theta === 0) return [1 - fraction, fraction];
  return [Math.sin((1 - fraction) * theta) / Math.sin(theta), Math.sin(fraction * theta) / Math.sin(theta)];
}

/** 2·atan2(‖u − v‖, ‖u + v‖) of the unit vectors: exact also near 0 and π, where the arc cosine is not (Kahan 2006). */
function angle(a: Float32Array, b: Float32Array): number {
  const [lengthA, lengthB] = [length(a), length(b)];
  if (lengthA === 0 || lengthB === 0) return 0;
  let [apart, together] = [0, 0];
  a.forEach((x, i) => {
    const [u, v] = [x / lengthA, at(b, i) / lengthB];
    apart += (u - v) ** 2;
    together += (u + v) ** 2;
  });
  return 2 * Math.atan2(Math.sqrt(apart), Math.sqrt(together));
}

function length(row: Float32Array): number {
  return Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
}

function check(a: FloatTensor, b: FloatTensor, fractions: readonly number[]): void {
  if (!sameShape(a.shape, b.shape) || a.shape.length === 0) {
    throw new UnnoiseError(
      "usage",
      `interpolation: expected two latents of one shape [B, …], got ${shapeText(a.shape)} and ${shapeText(b.shape)}`,
    );
  }
  if (fractions.length === 0 || !fractions.every(Number.isFinite)) {
    throw new UnnoiseError("usage", `fractions: expected at least one finite number, got [${fractions.join(", ")}]`);
  }
}

function opposite(row: number): UnnoiseError {
  return new UnnoiseError(
    "usage",
    `interpolation: the latents of row ${row} point in opposite directions, so no arc is the shortest; choose others, or go by way of a third`,
  );
}
