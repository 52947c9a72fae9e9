import type { NoisedMixture } from "./noised-mixture.ts";

/** tr Cov(x_0|x_t) of the row that `noised` read last, by the law of total variance. */
export function posteriorTraceOf(noised: NoisedMixture): () => number {
  const mean = new Float64Array(noised.mixture.width);
  if (noised.shared) return () => sharedTrace(noised, mean);
  const component = new Float64Array(mean.length);
  return () => {
    noised.posteriorMean(mean);
    let trace = 0;
    for (let a = 0; a < noised.activeCount; a++) {
      const k = noised.active[a] as number;
      noised.componentMean(k, component);
      const spread = squaredDistance(component, mean);
      trace += (noised.responsibilities[a] as number) * (noised.componentTrace(k) + spread);
    }
    return trace;
  };
}

/** With one C for all, E[x_0|x_t, k] − E[x_0|x_t] = (1 − ᾱ) C⁻¹ (m_k − Σ_j r_j m_j). */
function sharedTrace(noised: NoisedMixture, mean: Float64Array): number {
  const { active, responsibilities, activeCount, noiseVariance, precisions } = noised;
  const { width, means } = noised.mixture;
  noised.meanOfMeans(mean);
  let trace = noised.componentTrace(0);
  for (let d = 0; d < width; d++) {
    const centre = mean[d] as number;
    let spread = 0;
    for (let a = 0; a < activeCount; a++) {
      const offset = (means[(active[a] as number) * width + d] as number) - centre;
      spread += (responsibilities[a] as number) * offset * offset;
    }
    trace += (noiseVariance * (precisions[d] as number)) ** 2 * spread;
  }
  return trace;
}

/** ‖a − b‖² */
export function squaredDistance(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += ((a[d] as number) - (b[d] as number)) ** 2;
  return sum;
}
