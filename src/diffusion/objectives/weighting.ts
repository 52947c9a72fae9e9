import { UnnoiseError } from "../../math/error.ts";
import type { Parameterisation } from "../parameterisation.ts";
import { alphaCumprodAt, snr, type NoiseSchedule } from "../schedule.ts";
import { requireFloat32 } from "./step-columns.ts";

/**
 * How the loss of a step counts, as a weight of ‖x_0 − x̂_0‖²: `min-snr` min(SNR, γ) (Hang et al. 2023, section 3.4, arXiv
 * 2303.09556), `p2` SNR/(1 + SNR)^γ (Choi et al. 2022, eq. 8 with k = 1, arXiv 2204.00227), `edm` 1 + SNR (Karras et al. 2022,
 * table 1, arXiv 2206.00364: (σ² + σ_data²)/(σ·σ_data)² with σ² = 1/SNR and σ_data = 1, for standardised data). `uniform`
 * leaves the loss of what is predicted as it is.
 */
export const weightingNames = ["uniform", "min-snr", "p2", "edm"] as const;
export type WeightingName = (typeof weightingNames)[number];

/** A weighting by name, or a function of SNR and step that multiplies the loss of what is predicted. */
export type Weighting = WeightingName | ((snr: number, step: number) => number);

/** γ where none is given; a weighting that is not here has none. */
export const usualGamma: Readonly<Partial<Record<WeightingName, number>>> = { "min-snr": 5, p2: 1 };

/** Stands for SNR = 0, so that quotients take their limits. */
const NO_SIGNAL = 1e-300;

const x0Weights: Record<Exclude<WeightingName, "uniform">, (snr: number, gamma: number) => number> = {
  "min-snr": (ratio, gamma) => Math.min(ratio, gamma),
  p2: (ratio, gamma) => ratio / (1 + ratio) ** gamma,
  edm: (ratio) => 1 + ratio,
};

/** ‖e‖² of what the loss is made of, for ‖x_0 − x̂_0‖² = 1; mean and score are measured as the ε they imply. */
const unitErrors: Record<Parameterisation, (snr: number) => number> = {
  eps: (ratio) => ratio,
  x0: () => 1,
  v: (ratio) => ratio + 1,
  mean: (ratio) => ratio,
  score: (ratio) => ratio,
};

/**
 * Weights of the loss at each step.
 * @param gamma null for `usualGamma`
 * @returns [T], or undefined where all are 1
 * @throws UnnoiseError `usage` for a weight that is negative or that float32 cannot hold
 */
export function stepWeights(
  schedule: NoiseSchedule,
  prediction: Parameterisation,
  weighting: Weighting,
  gamma: number | null = null,
): Float64Array | undefined {
  if (weighting === "uniform") return undefined;
  const weights = Float64Array.from({ length: schedule.timesteps }, (_, step) => {
    if (typeof weighting === "function") return weighting(snr(schedule, step), step);
    const ratio = Math.max(snr(schedule, step), NO_SIGNAL);
    return x0Weights[weighting](ratio, gamma ?? usualGamma[weighting] ?? 1) / unitErrors[prediction](ratio);
  });
  const name = typeof weighting === "function" ? "function" : weighting;
  checkSigns(weights, name);
  return requireFloat32(weights, (step, value) => {
    const advice = alphaCumprodAt(schedule, step) === 0 ? "predict v or x0" : "choose another weighting";
    return `weighting: ${name} is ${value.toPrecision(3)} at step ${step}, where SNR = ${snr(schedule, step)}; ${advice}`;
  });
}

function checkSigns(weights: Float64Array, name: string): void {
  const step = weights.findIndex((weight) => !(weight >= 0));
  if (step === -1) return;
  const got = `${name} gave ${weights[step] ?? Number.NaN} at step ${step}`;
  throw new UnnoiseError("usage", `weighting: expected a weight ≥ 0 for every step; ${got}`);
}
