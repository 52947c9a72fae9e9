import { at } from "../math/error.ts";

/**
 * The time t at which a share that is 1 at t = 0 has come down to a level: linear between the times at which it is known, and of several
 * crossings the one at the largest t, which sampling reaches first on its way from noise.
 * @param times t, ascending, each > 0
 * @param shares the share at each of them
 * @returns t in (0, the last time]; the last time where the share is above the level even there
 */
export function crossingTime(times: readonly number[], shares: readonly number[], level: number = 0.5): number {
  const [ts, ys] = [
    [0, ...times],
    [1, ...shares],
  ];
  for (let i = ts.length - 1; i > 0; i--) {
    const [high, low] = [at(ys, i), at(ys, i - 1)];
    if (high >= level && i === ts.length - 1) return at(ts, i);
    if (low < level) continue;
    return at(ts, i - 1) + ((low - level) / (low - high)) * (at(ts, i) - at(ts, i - 1));
  }
  return 0;
}
