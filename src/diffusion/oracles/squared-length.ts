/** Σ_d p_d (x_d − scale·m_d)², in four sums that a processor can add side by side. */
export function squaredLength(
  x: Float64Array,
  means: Float64Array,
  mean: number,
  scale: number,
  precisions: Float64Array,
  precision: number,
): number {
  const whole = x.length - (x.length % 4);
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (let d = 0; d < whole; d += 4) {
    const y0 = (x[d] as number) - scale * (means[mean + d] as number);
    const y1 = (x[d + 1] as number) - scale * (means[mean + d + 1] as number);
    const y2 = (x[d + 2] as number) - scale * (means[mean + d + 2] as number);
    const y3 = (x[d + 3] as number) - scale * (means[mean + d + 3] as number);
    s0 += (precisions[precision + d] as number) * y0 * y0;
    s1 += (precisions[precision + d + 1] as number) * y1 * y1;
    s2 += (precisions[precision + d + 2] as number) * y2 * y2;
    s3 += (precisions[precision + d + 3] as number) * y3 * y3;
  }
  for (let d = whole; d < x.length; d++) {
    const y = (x[d] as number) - scale * (means[mean + d] as number);
    s0 += (precisions[precision + d] as number) * y * y;
  }
  return s0 + s1 + (s2 + s3);
}
