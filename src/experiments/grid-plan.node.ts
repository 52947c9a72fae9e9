import { short } from "../math/short.ts";
import { counted } from "../math/text.ts";
import type { GridStudy } from "./grid.ts";
import { axisCharts, rankingOn } from "./grid-figures.ts";
import { gridJobs, jobsOf, type CellJobs } from "./grid-jobs.node.ts";
import { summarise, type Cell, type SettingSummary } from "./grid-results.ts";
import { dataOf, gridNumbers, rankedTable, ratioTable, runsTable, valueTable } from "./grid-tables.ts";
import type { Results } from "./job.ts";
import type { Section, StudyOptions, StudyPlan, StudyReport } from "./study.ts";

/** What was measured in a grid, as its report needs it. */
export interface GridResults {
  readonly cells: readonly Cell[];
  /** Best first. */
  readonly summaries: readonly SettingSummary[];
}

/** Trains, samples and measures every setting on every data set with every seed, and reports them side by side. */
export function gridPlan(study: GridStudy, options: StudyOptions): StudyPlan {
  const cells = gridJobs(study, options);
  return { jobs: jobsOf(cells), present: (results) => gridReport(study, gridResults(cells, results)) };
}

/** The results of the jobs of a grid. */
export function gridResults(jobs: readonly CellJobs[], results: Results): GridResults {
  const cells = jobs.map(({ data, setting, seed, quality, bound }): Cell => {
    const measured = results.of(quality)?.values;
    const found = bound && results.of(bound)?.values;
    return { data, setting, seed, metrics: measured?.metrics, steps: measured?.steps, bound: found?.bound };
  });
  return { cells, summaries: summarise(cells) };
}

/** The report of a grid of which nothing more is known. */
function gridReport(study: GridStudy, found: GridResults): StudyReport {
  return {
    findings: gridFindings(found),
    sections: [rankingSection(study, found), ...chartSections(study, found), metricsSection(found)],
    numbers: gridNumbers(found.cells, found.summaries),
  };
}

/** A setting within this factor of the best one counts as about as good. */
export const NEAR_BEST = 1.25;

/** Settings without failed runs whose W2 ratio is within `NEAR_BEST` of the best one, best first. */
export function nearBest(summaries: readonly SettingSummary[]): SettingSummary[] {
  const complete = summaries.filter(({ failed, score }) => failed === 0 && score !== undefined);
  const best = complete[0]?.score?.mean ?? 0;
  return complete.filter(({ score }) => (score?.mean ?? Infinity) <= NEAR_BEST * best);
}

/** Which setting is best, which are about as good, which is worst, and what failed. */
export function gridFindings({ summaries }: GridResults): string {
  const complete = summaries.filter(({ failed, score }) => failed === 0 && score !== undefined);
  const [best, last] = [complete[0], complete.at(-1)];
  const failing = failureWords(summaries);
  if (!best || !last) return `No setting was measured on all data sets with all seeds.${failing}`;
  if (best === last) return `The only setting, ${best.setting.label}, reaches ${ratioWords(best)}.${failing}`;
  const near = nearBest(summaries).length;
  return (
    `Best of ${summaries.length} settings: ${best.setting.label}, which reaches ${ratioWords(best)}. ` +
    (near === 1
      ? `No other is within ${short((NEAR_BEST - 1) * 100)} % of it. `
      : `${near === 2 ? "One other is" : `${near - 1} others are`} within ${short((NEAR_BEST - 1) * 100)} % of it. `) +
    `Last: ${last.setting.label} with ${ratioWords(last)}.${failing}`
  );
}

/** "1.2 ± 0.1 times the floor" */
export function ratioWords({ score }: Pick<SettingSummary, "score">): string {
  if (!score) return "no figure";
  const error = Number.isFinite(score.standardError) ? ` ± ${score.standardError.toPrecision(1)}` : "";
  return `${short(score.mean)}${error} times the floor`;
}

function failureWords(summaries: readonly SettingSummary[]): string {
  const failing = summaries.filter(({ failed }) => failed > 0);
  if (failing.length === 0) return "";
  const names = failing.map(({ setting, failed }) => `${setting.label} (${counted(failed, "run")})`);
  return ` Failed, and so ranked last: ${names.join(", ")}.`;
}

/** Every setting, best first: a figure for each data set and the table over all. */
export function rankingSection(study: GridStudy, { summaries }: GridResults): Section {
  return {
    heading: "Ranking",
    text: `${rankingWords(study, summaries)}\n\n${FLOOR_WORDS}`,
    figures: dataOf(summaries).flatMap((data) => rankingOn(summaries, data, study) ?? []),
    tables: [rankedTable(summaries)],
  };
}

const FLOOR_WORDS =
  "How far samples are from data is measured by W2, the least mean distance (root mean square) by which one set of points has to be moved to become the other. Two fresh draws of the data are not at distance 0 from each other either: what they reach is the floor, and every distance is given as a multiple of it. 1 means as good as fresh data, for as many points as are compared here.";

function rankingWords({ sizes }: GridStudy, summaries: readonly SettingSummary[]): string {
  const seeds = Math.max(0, ...summaries.flatMap(({ perData }) => perData.map((each) => each.seeds.length)));
  const names = dataOf(summaries);
  return (
    `Each of ${counted(summaries.length, "setting")} was trained and sampled with ${counted(seeds, "seed")} on ${names.join(", ")}, and ` +
    `${counted(sizes.points, "sample")} were compared with as many fresh points of the data. The table ranks the settings by the geometric ` +
    `mean over the data sets; ± is the standard error over seeds${seeds < 2 ? ", which one seed does not have" : ""}.`
  );
}

/** Distance against each option with numbers. */
export function chartSections(study: GridStudy, { summaries }: GridResults): Section[] {
  const figures = axisCharts(summaries, study);
  if (figures.length === 0) return [];
  const text =
    "The same distances against the options that are numbers. A curve is one way to choose everything else; where there would be too many, it is the geometric mean over them.";
  return [{ heading: "What the numbers do", text, figures }];
}

/** All metrics as tables. */
export function metricsSection({ cells, summaries }: GridResults): Section {
  const names = dataOf(summaries);
  return {
    heading: "All metrics",
    text: METRIC_WORDS,
    tables: [
      ...names.map((data) => ratioTable(summaries, data)),
      ...names.map((data) => valueTable(summaries, data)),
      runsTable(cells),
    ],
  };
}

const METRIC_WORDS =
  "Sliced W2 is W2 along random directions. MMD (maximum mean discrepancy) and energy distance compare all pairs of points. Coverage is the share of data points that have a sample nearby, the only one that is better the larger it is. The bound is an upper limit on how surprising fresh data are to the model, −log p of a point in nats on average: the smaller the better. Only ancestral sampling has one.";
