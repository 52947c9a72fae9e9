import type { SamplerFlags } from "../../diffusion/sampler-choice.ts";
import type { Setting } from "../grid.ts";
import type { Scale, TrainingChoice } from "../study.ts";

/** A sampler of the comparison. */
interface ComparedSampler {
  readonly label: string;
  /** What differs from the usual model; nothing if absent. */
  readonly training?: TrainingChoice;
  readonly sampling: SamplerFlags;
  /** Calls of the network for each step. */
  readonly calls: 1 | 2;
  /** Whether it is tried with all steps: solvers of high order have long arrived there. */
  readonly long: "always" | "full" | "never";
  /** Whether small studies have it too. */
  readonly quick: boolean;
}

/**
 * The cosine schedule spends fewer steps on x_t that is all but noise. Its last steps have ᾱ_t near 0, where an error of ε is multiplied by
 * 1/√ᾱ_t in x̂_0, so few steps must not start there: leading ones do not.
 */
const cosine = { training: { schedule: "cosine" }, calls: 1, long: "full", quick: false } as const;

/** Samplers in the order of the table. */
export const comparedSamplers: readonly ComparedSampler[] = [
  ...[0, 0.2, 0.5, 1].map((eta): ComparedSampler => ({
    label: `DDIM, η = ${eta}`,
    sampling: { sampler: "ddim", eta },
    calls: 1,
    long: "full",
    quick: eta === 0 || eta === 1,
  })),
  { label: "DDPM-σ̂", sampling: { sampler: "ddim", eta: "hat" }, calls: 1, long: "full", quick: false },
  { label: "DDPM", sampling: { sampler: "ddpm" }, calls: 1, long: "always", quick: true },
  { label: "Heun", sampling: { sampler: "heun" }, calls: 2, long: "never", quick: true },
  { label: "DPM-Solver++ 2M", sampling: { sampler: "dpmpp-2m" }, calls: 1, long: "never", quick: true },
  { label: "UniPC", sampling: { sampler: "unipc" }, calls: 1, long: "never", quick: true },
  { ...cosine, label: "cosine schedule: DDIM, η = 0", sampling: { sampler: "ddim", eta: 0, spacing: "leading" } },
  { ...cosine, label: "cosine schedule: DDPM", sampling: { sampler: "ddpm" } },
];

const few: Readonly<Record<Scale, readonly number[]>> = { quick: [5, 10, 20, 50], full: [5, 10, 20, 50, 100] };

/** T, the number of all steps. */
const ALL_STEPS = 1000;

/** Every sampler with every number of steps. */
export function samplingSettings(scale: Scale): Setting[] {
  const chosen = comparedSamplers.filter(({ quick }) => quick || scale === "full");
  return chosen.flatMap(({ label, training = {}, sampling, long }) => {
    const withAll = long === "always" || (long === "full" && scale === "full");
    return [...few[scale], ...(withAll ? [ALL_STEPS] : [])].map((steps) => ({
      label: `${label}, ${steps} steps`,
      group: label,
      training,
      sampling: { ...sampling, steps },
    }));
  });
}
