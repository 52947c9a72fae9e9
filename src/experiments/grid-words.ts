import { short } from "../math/short.ts";
import { counted } from "../math/text.ts";
import type { GridStudy } from "./grid.ts";
import { NEAR_BEST, hasDiverged, nearBest, type SettingSummary } from "./grid-results.ts";

/** Which setting is best, which are about as good, which is worst, and what failed. */
export function gridFindings(summaries: readonly SettingSummary[]): string {
  const complete = summaries.filter((each) => each.failed === 0 && each.score !== undefined && !hasDiverged(each));
  const [best, last] = [complete[0], complete.at(-1)];
  const failing = failureWords(summaries);
  if (!best || !last) return `No setting was measured on all data sets with all seeds.${failing}`;
  if (best === last) return `${best.setting.label} reaches ${ratioWords(best)}.${failing}`;
  const near = nearBest(summaries).length - 1;
  const others = near === 0 ? "No other is" : near === 1 ? "One other is" : `${near} others are`;
  return (
    `Best of ${summaries.length} settings: ${best.setting.label}, which reaches ${ratioWords(best)}. ${others} within ` +
    `${short((NEAR_BEST - 1) * 100)} % of it. ${failing === "" ? "Last" : "Last of those that held"}: ${last.setting.label} with ${ratioWords(last)}.${failing}`
  );
}

/** "1.2 ± 0.1 times the floor" */
export function ratioWords({ score }: Pick<SettingSummary, "score">): string {
  if (!score) return "no figure";
  const error = Number.isFinite(score.standardError) ? ` ± ${score.standardError.toPrecision(1)}` : "";
  return `${short(score.mean)}${error} times the floor`;
}

/** Which settings diverged, and which have failed runs; empty where none has. */
export function failureWords(summaries: readonly SettingSummary[]): string {
  const diverged = summaries
    .filter((each) => each.failed === 0 && hasDiverged(each))
    .map(({ setting }) => setting.label);
  const failing = summaries.filter(({ failed }) => failed > 0);
  const names = failing.map(({ setting, failed }) => `${setting.label} (${counted(failed, "run")})`);
  return [
    diverged.length === 0 ? "" : ` Samples that ran away from the data, and so ranked last: ${diverged.join("; ")}.`,
    names.length === 0 ? "" : ` Failed, and so ranked last: ${names.join("; ")}.`,
  ].join("");
}

/** What a floor is. */
export const FLOOR_WORDS =
  "How far samples are from data is measured by W2: of all ways to move one set of points onto the other, the least root mean square distance. Two fresh draws of the data are not at distance 0 from each other either: what they reach is the floor, and every distance is given as a multiple of it. 1 means as good as fresh data, for as many points as are compared here.";

/** What was trained and compared. */
export function setupWords({ sizes }: GridStudy, summaries: readonly SettingSummary[]): string {
  const perData = summaries.flatMap((summary) => summary.perData);
  const seeds = Math.max(0, ...perData.map((each) => each.seeds.length));
  const names = [...new Set(perData.map(({ data }) => data))];
  return (
    `Each of ${counted(summaries.length, "setting")} was trained and sampled with ${counted(seeds, "seed")} on ${names.join(", ")}, and ` +
    `${counted(sizes.points, "sample")} were compared with as many fresh points of the data. The table ranks the settings by the geometric ` +
    `mean over the data sets; ± is the standard error over seeds${seeds < 2 ? ", which one seed does not have" : ", for the floor as it was measured: its own error moves all settings alike"}.`
  );
}

/** What the metrics are. */
export const METRIC_WORDS =
  "Sliced W2 is W2 along random directions. MMD (maximum mean discrepancy) and energy distance compare all pairs of points. Coverage is the share of data points that have a sample nearby, the only one that is better the larger it is. The bound is an upper limit on how surprising fresh data are to the model, −log p of a standardised point in nats on average: the smaller the better. It is measured for ancestral sampling alone.";
