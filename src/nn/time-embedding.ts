import { UnnoiseError } from "../math/error.ts";

/** Where published embeddings differ; the names are those of diffusers. */
export interface TimeEmbeddingOptions {
  /** Whether the cosines stand before the sines; false if absent. */
  readonly flipSinToCos?: boolean;
  /** What is taken off half in the divisor, in [0, 1]: 1 (Ho et al. 2020's code; if absent) or 0 (OpenAI's). */
  readonly freqShift?: number;
}

/**
 * The sinusoidal embedding of every timestep, as a table [T, features]: sin(t·ω_i) then cos(t·ω_i) with
 * ω_i = 10000^(−i/(half − shift)), half = features/2 (Vaswani et al. 2017, arXiv 1706.03762; divisor half − 1 as in Ho et al.
 * 2020's code). Row t is the embedding of the 0-based step t.
 * @param timesteps T ≥ 1
 * @param features an even number ≥ 4
 * @throws UnnoiseError `usage` for another number of features
 */
export function timestepTable(
  timesteps: number,
  features: number,
  { flipSinToCos = false, freqShift = 1 }: TimeEmbeddingOptions = {},
): Float64Array {
  if (features < 4 || features % 2 !== 0) {
    throw new UnnoiseError("usage", `time embedding: expected an even number of features ≥ 4, got ${features}`);
  }
  const half = features / 2;
  const [sine, cosine] = flipSinToCos ? [half, 0] : [0, half];
  const table = new Float64Array(timesteps * features);
  for (let step = 0; step < timesteps; step++) {
    for (let i = 0; i < half; i++) {
      const angle = step * Math.exp((-Math.log(10_000) * i) / (half - freqShift));
      table[step * features + sine + i] = Math.sin(angle);
      table[step * features + cosine + i] = Math.cos(angle);
    }
  }
  return table;
}
