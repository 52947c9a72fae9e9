import type { TrainingConfig } from "./config.ts";

type Rates = Pick<TrainingConfig, "learningRate" | "warmup" | "decay" | "iterations">;

/** What the learning rate does after warm-up. */
export const decayNames = ["cosine", "constant", "linear", "inverse-sqrt"] as const;
export type DecayName = (typeof decayNames)[number];

/** The share of η that is left when the share p of the iterations after warm-up has passed, i counting them from 1 and w those of warm-up. */
const decays: Readonly<Record<DecayName, (p: number, i: number, w: number) => number>> = {
  /** Loshchilov & Hutter 2017, arXiv 1608.03983, eq. 5, without restarts. */
  cosine: (p) => (1 + Math.cos(Math.PI * p)) / 2,
  constant: () => 1,
  linear: (p) => 1 - p,
  /** Vaswani et al. 2017, arXiv 1706.03762, eq. 3. */
  "inverse-sqrt": (_, i, w) => Math.sqrt(Math.max(1, w) / (Math.max(1, w) + i - 1)),
};

/**
 * The learning rate of iteration i (0-based): η·(i + 1)/warmup, then η times what `decay` leaves: `cosine` ½(1 + cos πp), `linear`
 * 1 − p, `inverse-sqrt` √(warmup/i), without warm-up 1/√(i + 1), with p the share of the iterations after warm-up that has passed.
 */
export function learningRateAt(iteration: number, { learningRate, warmup, decay, iterations }: Rates): number {
  if (iteration < warmup) return (learningRate * (iteration + 1)) / warmup;
  const progress = (iteration - warmup) / Math.max(1, iterations - warmup);
  return learningRate * decays[decay](Math.min(1, progress), iteration - warmup + 1, warmup);
}
