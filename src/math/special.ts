/**
 * The error function erf(x) = 2/√π ∫₀ˣ e^(−s²) ds to about 1e-15: the Maclaurin series 2x/√π·e^(−x²)·Σ (2x²)ⁿ/(2n+1)!! below
 * 3, the Laplace continued fraction of erfc above (Abramowitz & Stegun 7.1.6 and 7.1.14).
 */
export function erf(x: number): number {
  const magnitude = Math.abs(x);
  if (Number.isNaN(x)) return Number.NaN;
  if (magnitude > 6) return Math.sign(x);
  return Math.sign(x) * (magnitude < 3 ? erfSeries(magnitude) : 1 - erfcFraction(magnitude));
}

/** erfc(x) = 1 − erf(x), with small relative error also where it is tiny; 0 from about x = 27 on. */
export function erfc(x: number): number {
  return x < 2 ? 1 - erf(x) : erfcFraction(x);
}

/** Φ(x) = ½ erfc(−x/√2), the standard normal distribution function. */
export function normalCdf(x: number): number {
  return 0.5 * erfc(-x * Math.SQRT1_2);
}

function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * sum; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

function erfcFraction(x: number): number {
  let fraction = 0;
  for (let k = 60; k >= 1; k--) fraction = k / 2 / (x + fraction);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}
