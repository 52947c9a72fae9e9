// AssemblyScript: compiled to WebAssembly with SIMD by `npm run kernels` into src/nn/adamw-wasm.ts.
// Vectors are float32 in linear memory, `count` a multiple of 4, every address a multiple of 16.

/** Σ g², in float64. */
export function sumOfSquares(g: usize, count: u32): f64 {
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (let i: usize = 0; i < (<usize>count) << 2; i += 16) {
    const x = v128.load(g + i);
    const a = f64x2.promote_low_f32x4(x);
    const b = f64x2.promote_low_f32x4(v128.shuffle<i32>(x, x, 2, 3, 2, 3));
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
  }
  const sum = f64x2.add(low, high);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/**
 * AdamW (arXiv 1711.05101, algorithm 2) and the average of the weights in one pass over memory:
 * g ← scale·g, m ← β1·m + (1 − β1)·g, v ← β2·v + (1 − β2)·g², w ← kept·w − step·m/(√(v·squareCorrection) + ε),
 * e ← e + (w − e)·average. Scaling comes first, so that the square of a large gradient does not overflow.
 */
export function adamw(
  w: usize,
  m: usize,
  v: usize,
  e: usize,
  g: usize,
  count: u32,
  beta1: f32,
  beta2: f32,
  scale: f32,
  squareCorrection: f32,
  epsilon: f32,
  step: f32,
  kept: f32,
  average: f32,
): void {
  for (let i: usize = 0; i < (<usize>count) << 2; i += 16) {
    const gradient = f32x4.mul(v128.load(g + i), f32x4.splat(scale));
    const mean = f32x4.add(
      f32x4.mul(v128.load(m + i), f32x4.splat(beta1)),
      f32x4.mul(gradient, f32x4.splat(1 - beta1)),
    );
    const square = f32x4.add(
      f32x4.mul(v128.load(v + i), f32x4.splat(beta2)),
      f32x4.mul(f32x4.mul(gradient, gradient), f32x4.splat(1 - beta2)),
    );
    const root = f32x4.sqrt(f32x4.mul(square, f32x4.splat(squareCorrection)));
    const change = f32x4.mul(f32x4.div(mean, f32x4.add(root, f32x4.splat(epsilon))), f32x4.splat(step));
    const weight = f32x4.sub(f32x4.mul(v128.load(w + i), f32x4.splat(kept)), change);
    const ema = v128.load(e + i);
    v128.store(m + i, mean);
    v128.store(v + i, square);
    v128.store(w + i, weight);
    v128.store(e + i, f32x4.add(ema, f32x4.mul(f32x4.sub(weight, ema), f32x4.splat(average))));
  }
}
