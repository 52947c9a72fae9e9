import { at } from "../math/error.ts";

/** A share with the limits of its interval. */
export interface Share {
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

/** Quantile 0.975 of the standard normal distribution. */
const Z = 1.959963984540054;

/**
 * A share of successes with its 95 % interval (Wilson 1927): the shares p for which the observed one is within 1.96 deviations
 * √(p (1 − p)/n). It stays inside 0…1 and does not collapse at its ends.
 * @param successes 0…trials
 * @param trials ≥ 1
 */
export function wilsonShare(successes: number, trials: number): Share {
  const share = successes / trials;
  const weight = 1 + Z ** 2 / trials;
  const middle = (share + Z ** 2 / (2 * trials)) / weight;
  const half = (Z * Math.sqrt((share * (1 - share)) / trials + Z ** 2 / (4 * trials ** 2))) / weight;
  return { share, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

/**
 * The time at which a test's power falls through a level for the last time, by linear interpolation.
 * @param times ascending
 * @param powers one for each time
 * @returns null where the power is never, or still at the last time, at or above the level
 */
export function timeOfPower(times: readonly number[], powers: readonly number[], level: number): number | null {
  const last = powers.findLastIndex((power) => power >= level);
  if (last < 0 || last === powers.length - 1) return null;
  const [before, after] = [at(powers, last), at(powers, last + 1)];
  return at(times, last) + ((before - level) / (before - after)) * (at(times, last + 1) - at(times, last));
}

/**
 * The first time from which on a test may do no better than chance, as far as its intervals tell.
 * @param times ascending
 * @param level share of false alarms
 * @returns null where it does better at all times
 */
export function timeOfChance(times: readonly number[], powers: readonly Share[], level: number): number | null {
  return times[powers.findLastIndex(({ low }) => low > level) + 1] ?? null;
}
