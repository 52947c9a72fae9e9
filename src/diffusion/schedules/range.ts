import { UnnoiseError } from "../../math/error.ts";

/** The longest schedule that can be made. */
export const MAX_TIMESTEPS = 1_000_000;
/** T for which published ranges of betas are meant. */
const USUAL_TIMESTEPS = 1000;

/** Throws UnnoiseError `usage` unless T is an integer in 1…1,000,000. */
export function checkTimesteps(timesteps: number): void {
  if (!Number.isInteger(timesteps) || timesteps < 1 || timesteps > MAX_TIMESTEPS) {
    throw new UnnoiseError("usage", `timesteps: expected an integer in 1…${MAX_TIMESTEPS}, got ${timesteps}`);
  }
}

/** What families take that go from one beta to another. */
export interface BetaRangeOptions {
  /** T, an integer in 1…1,000,000; default 1000. */
  readonly timesteps?: number;
  /** β_1, in (0, 1). */
  readonly betaStart?: number;
  /** β_T, in (0, 1]; 1 gives zero terminal SNR where the family reaches it at the last step only. */
  readonly betaEnd?: number;
  /** Multiplies both by 1000/T, so that ᾱ_T is about the same for every T (Nichol and Dhariwal 2021's code); default false. */
  readonly rescaleBetas?: boolean;
}

/** T and the betas at both ends, checked. */
export interface BetaRange {
  readonly timesteps: number;
  readonly betaStart: number;
  readonly betaEnd: number;
}

function checkEnd(name: "betaStart" | "betaEnd", beta: number): void {
  if (beta > 0 && (beta < 1 || (beta === 1 && name === "betaEnd"))) return;
  throw new UnnoiseError("usage", `${name}: expected a number between 0 and 1, got ${beta}`);
}

function checkRescaled(name: string, beta: number, scale: number, timesteps: number): void {
  if (beta * scale < 1) return;
  const least = Math.floor(USUAL_TIMESTEPS * beta) + 1;
  throw new UnnoiseError(
    "usage",
    `rescaleBetas: ${name} = ${beta} becomes ${beta * scale} with T = ${timesteps} (times 1000/T), expected below 1; ` +
      `use at least ${least} timesteps or a smaller ${name}`,
  );
}

/**
 * Fills in and checks T and the range of betas, rescaled where asked.
 * @param usual the family's own range; Ho et al. 2020's where left out
 * @throws UnnoiseError `usage` for a number out of range, given or after rescaling
 */
export function betaRange(options: BetaRangeOptions, usual: { readonly betaEnd?: number } = {}): BetaRange {
  const { timesteps = USUAL_TIMESTEPS, betaStart = 1e-4, betaEnd = usual.betaEnd ?? 0.02 } = options;
  checkTimesteps(timesteps);
  checkEnd("betaStart", betaStart);
  checkEnd("betaEnd", betaEnd);
  if (options.rescaleBetas !== true) return { timesteps, betaStart, betaEnd };
  const scale = USUAL_TIMESTEPS / timesteps;
  checkRescaled("betaStart", betaStart, scale, timesteps);
  checkRescaled("betaEnd", betaEnd, scale, timesteps);
  return { timesteps, betaStart: betaStart * scale, betaEnd: betaEnd * scale };
}

/**
 * `count` numbers in equal steps, `first` and `last` exact; with one number only `first`, as NumPy.
 * @param count an integer ≥ 0
 */
export function linspace(first: number, last: number, count: number): Float64Array {
  const stride = count < 2 ? 0 : (last - first) / (count - 1);
  return Float64Array.from({ length: count }, (_, i) => (i > 0 && i === count - 1 ? last : first + i * stride));
}
