import { scheduleFromConfig } from "../../diffusion/schedules/schedule-config.ts";
import { invariant } from "../../math/error.ts";
import { quantile } from "../../math/quantile.ts";
import type { GridStudy } from "../grid.ts";
import { gridJobs, jobsOf, type CellJobs } from "../grid-jobs.node.ts";
import { gridResults, metricsSection, rankingSection, type GridResults } from "../grid-plan.node.ts";
import { gridSizes, gridTraining, stepLossSizes } from "../grid-sizes.ts";
import { w2Of } from "../grid-results.ts";
import { gridNumbers } from "../grid-tables.ts";
import { failureWords } from "../grid-words.ts";
import type { Results } from "../job.ts";
import { stepLossJob } from "../jobs/step-loss.node.ts";
import type { TrainJobConfig } from "../jobs/train.node.ts";
import type { Study, StudyReport } from "../study.ts";
import { scheduleFindings, type JudgedSchedule } from "./schedule-findings.ts";
import { ALL_DATA, INTRODUCTION, comparisonSection, linterNumbers, verdictSection } from "./schedule-sections.ts";
import { scheduleSettings, type ScheduleSetting } from "./schedule-settings.ts";
import { trainingSection, type LossOfCell } from "./schedule-training.node.ts";
import { agreementOf, verdictOf, type Agreement } from "./schedule-verdict.ts";

const text = {
  name: "schedules",
  title: "Noise schedules",
  question: "How small, how large and how increasing must β be, the variance of the noise that each step adds?",
} as const;

/** Families and ranges of schedules and numbers of steps, trained with the same seeds and budget. */
export const schedulesStudy: Study = {
  ...text,
  plan: (options) => {
    const study: GridStudy = {
      ...text,
      settings: scheduleSettings(options.scale),
      training: gridTraining[options.scale],
      sizes: gridSizes[options.scale],
      colours: "schedule",
    };
    const cells = gridJobs(study, options);
    const sizes = stepLossSizes[options.scale];
    const losses = cells
      .filter(({ seed }) => seed === options.seed)
      .map((cell) => ({ cell, job: stepLossJob(cell.train, sizes) }));
    return {
      jobs: [...jobsOf(cells), ...losses.map(({ job }) => job)],
      present: (results) => present(study, { cells, losses }, results),
    };
  },
};

interface PlannedJobs {
  readonly cells: readonly CellJobs[];
  readonly losses: readonly LossOfCell[];
}

function present(study: GridStudy, { cells, losses }: PlannedJobs, results: Results): StudyReport {
  const found = gridResults(cells, results);
  const judged = judge(cells, found);
  const agreement = agreements(judged);
  const ranking = rankingSection(study, found);
  return {
    findings: scheduleFindings(judged, agreement.get(ALL_DATA)) + failureWords(found.summaries),
    sections: [
      { ...ranking, text: `${INTRODUCTION}\n\n${ranking.text}` },
      comparisonSection(study, judged),
      verdictSection(judged, agreement),
      trainingSection(losses, results),
      metricsSection(found),
    ],
    numbers: { ...gridNumbers(study, found.cells, found.summaries), linter: linterNumbers(judged, agreement) },
  };
}

/** Every setting with its schedule, as the linter and the samples judge it. */
function judge(cells: readonly CellJobs[], { summaries }: GridResults): JudgedSchedule[] {
  return summaries.map((summary) => {
    const cell = cells.find(({ setting }) => setting === summary.setting);
    invariant(cell !== undefined, "a summary without cells");
    const { training } = cell.train.config as TrainJobConfig;
    const schedule = scheduleFromConfig(training);
    const measured = summary.perData.flatMap(({ metrics }) => metrics.get("w2")?.ratios ?? []);
    // A run that failed is worse than any that did not.
    const ratios = [...measured, ...Array.from({ length: summary.failed }, () => Infinity)];
    const median = ratios.length === 0 ? Infinity : quantile(ratios, 0.5);
    return {
      setting: summary.setting as ScheduleSetting,
      schedule,
      verdict: verdictOf(schedule, training, training.prediction),
      summary,
      median: Number.isFinite(median) ? median : undefined,
    };
  });
}

/** Over all data sets by the median, and on each by the mean over seeds. */
function agreements(judged: readonly JudgedSchedule[]): ReadonlyMap<string, Agreement> {
  const names = judged[0]?.summary.perData.map(({ data }) => data) ?? [];
  const found = [
    [ALL_DATA, agreementOver(judged, ({ median }) => median)] as const,
    ...names.map((data) => [data, agreementOver(judged, ({ summary }) => w2Of(summary, data)?.ratio.mean)] as const),
  ];
  return new Map(found.flatMap(([name, agreement]) => (agreement ? [[name, agreement] as const] : [])));
}

function agreementOver(
  judged: readonly JudgedSchedule[],
  distanceOf: (each: JudgedSchedule) => number | undefined,
): Agreement | undefined {
  const pairs = judged.flatMap((each) => {
    const distance = distanceOf(each);
    return distance === undefined ? [] : [{ severity: each.verdict.severity, distance }];
  });
  return agreementOf(
    pairs.map(({ severity }) => severity),
    pairs.map(({ distance }) => distance),
  );
}
