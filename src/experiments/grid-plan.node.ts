import type { GridStudy } from "./grid.ts";
import { axisCharts, rankingOn } from "./grid-figures.ts";
import { gridJobs, jobsOf, type CellJobs } from "./grid-jobs.node.ts";
import { summarise, type Cell, type SettingSummary } from "./grid-results.ts";
import { dataOf, gridNumbers, rankedTable, ratioTable, runsTable, valueTable } from "./grid-tables.ts";
import { FLOOR_WORDS, METRIC_WORDS, gridFindings, setupWords } from "./grid-words.ts";
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
    findings: gridFindings(found.summaries),
    sections: [rankingSection(study, found), ...chartSections(study, found), metricsSection(found)],
    numbers: gridNumbers(study, found.cells, found.summaries),
  };
}

/** Every setting, best first: a figure for each data set and the table over all. */
export function rankingSection(study: GridStudy, { summaries }: GridResults): Section {
  return {
    heading: "Ranking",
    text: `${setupWords(study, summaries)}\n\n${FLOOR_WORDS}`,
    figures: dataOf(summaries).flatMap((data) => rankingOn(summaries, data, study) ?? []),
    tables: [rankedTable(summaries)],
  };
}

/** Distance against each option with numbers. */
function chartSections(study: GridStudy, { summaries }: GridResults): Section[] {
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
