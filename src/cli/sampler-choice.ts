import type { Sampler } from "../diffusion/sampler.ts";
import { ddim } from "../diffusion/samplers/ddim.ts";
import { ddpm, type ReverseVariance } from "../diffusion/samplers/ddpm.ts";
import { UnnoiseError } from "../math/error.ts";
import type { CompileOptions } from "../runtime/executable.ts";

export type SamplerName = "ddpm" | "ddim";

/** Flags that choose a sampler, each already in its range. */
export interface SamplerFlags {
  readonly sampler?: SamplerName;
  readonly steps?: number;
  readonly eta?: number;
  readonly variance?: ReverseVariance;
}

/** Flags that say where a network runs. */
export type PlacementFlags = CompileOptions;

/** A sampler that is ready to run on a given schedule. */
export interface SamplerChoice {
  readonly name: SamplerName;
  readonly sampler: Sampler;
  readonly steps: number;
  /** "DDIM, 50 steps, η = 0.5" */
  readonly label: string;
}

const DDIM_STEPS = 50;

/**
 * Checks that flags go together, before anything is loaded.
 * @throws UnnoiseError `usage` for a flag of the other sampler
 */
export function checkSamplerFlags({ sampler = "ddpm", eta, variance }: SamplerFlags): void {
  if (sampler === "ddpm" && eta !== undefined) {
    throw new UnnoiseError("usage", "--eta: ddpm has none; use it with --sampler ddim");
  }
  if (sampler === "ddim" && variance !== undefined) {
    throw new UnnoiseError("usage", "--variance: ddim has none; use it with --sampler ddpm, or --eta with ddim");
  }
}

/**
 * The sampler that flags ask for.
 * @param timesteps T of the model
 * @param usual the sampler where none is named
 * @throws UnnoiseError `usage` for flags that do not go together and for more steps than T
 */
export function chooseSampler(flags: SamplerFlags, timesteps: number, usual: SamplerName = "ddpm"): SamplerChoice {
  const { sampler: name = usual, eta = 0, variance = "large" } = flags;
  checkSamplerFlags({ ...flags, sampler: name });
  const steps = flags.steps ?? (name === "ddpm" ? timesteps : Math.min(DDIM_STEPS, timesteps));
  if (steps > timesteps) {
    throw new UnnoiseError("usage", `--steps: expected an integer in 1…${timesteps} (T of this run), got ${steps}`);
  }
  const detail = name === "ddim" ? (eta === 0 ? "" : `, η = ${eta}`) : variance === "small" ? ", small variance" : "";
  const label = `${name.toUpperCase()}, ${steps} ${steps === 1 ? "step" : "steps"}${detail}`;
  return { name, sampler: name === "ddim" ? ddim({ eta }) : ddpm({ variance }), steps, label };
}

/** Where to run, from flags. */
export function placementOf({ device, threads }: PlacementFlags): PlacementFlags {
  return { ...(device === undefined ? {} : { device }), ...(threads === undefined ? {} : { threads }) };
}
