import type { TrainingConfig } from "./config.ts";

type Rates = Pick<TrainingConfig, "learningRate" | "warmup" | "decay" | "iterations">;

/**
 * The learning rate of iteration i (0-based): η·min(1, (i + 1)/warmup), then for `cosine` times ½(1 + cos πp) with p the share of
 * the iterations after warm-up that has passed (Loshchilov & Hutter 2017, arXiv 1608.03983, eq. 5, without restarts).
 */
export function learningRateAt(iteration: number, { learningRate, warmup, decay, iterations }: Rates): number {
  if (iteration < warmup) return (learningRate * (iteration + 1)) / warmup;
  if (decay === "constant") return learningRate;
  const progress = (iteration - warmup) / Math.max(1, iterations - warmup);
  return (learningRate * (1 + Math.cos(Math.PI * Math.min(1, progress)))) / 2;
}
