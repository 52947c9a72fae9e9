import { withNeeds, type JobFailure, type Results } from "./job.ts";
import { jobKey } from "./job-key.node.ts";
import { drawFigures, type DrawnFigure } from "./pictures.node.ts";
import { runJobs, type RunJobsOptions } from "./run-jobs.node.ts";
import type { StudyFolder } from "./study-folder.node.ts";
import type { Figure, Study, StudyOptions, StudyPlan, StudyReport } from "./study.ts";

/** A study, and where its report goes. */
export interface StudyRequest {
  readonly study: Study;
  readonly options: StudyOptions;
  readonly folder: StudyFolder;
  /** What makes the same again. */
  readonly command: string;
}

/** A study that has been done and reported. */
export interface DoneStudy extends StudyRequest {
  readonly report: StudyReport;
  readonly failures: readonly JobFailure[];
  readonly figures: ReadonlyMap<string, DrawnFigure>;
}

/** What becomes of jobs and pictures. */
export interface RunStudiesOptions extends RunJobsOptions {
  /** Called when the jobs of all studies are done, with the number of figures to draw. */
  readonly onDrawing?: (figures: number) => void;
}

/**
 * Does several studies: the jobs of all of them in one go, what they share once; then each one's figures and report.
 * @throws UnnoiseError `interrupted` after the signal; what was finished is kept
 */
export async function runStudies(requests: readonly StudyRequest[], options: RunStudiesOptions): Promise<DoneStudy[]> {
  const planned = requests.map((request) => ({ request, plan: request.study.plan(request.options) }));
  const results = await runJobs(
    planned.flatMap(({ plan }) => plan.jobs),
    options,
  );
  const presented = planned.map(({ request, plan }) => ({
    ...request,
    report: plan.present(results),
    failures: failuresOf(plan, results),
  }));
  const drawn = await drawStudies(presented, options);
  for (const each of drawn) await each.folder.write(each);
  return drawn;
}

/** The failures that concern a study. */
function failuresOf({ jobs }: StudyPlan, { failures }: Results): JobFailure[] {
  const own = new Set(withNeeds(jobs).map(jobKey));
  return failures.filter(({ job }) => own.has(jobKey(job)));
}

const figuresOf = ({ sections }: StudyReport): Figure[] => sections.flatMap(({ figures = [] }) => figures);

/** Draws the figures of all studies in one go. */
async function drawStudies(
  presented: readonly Omit<DoneStudy, "figures">[],
  options: RunStudiesOptions,
): Promise<DoneStudy[]> {
  const all = presented.map(({ report }) => figuresOf(report));
  options.onDrawing?.(all.flat().length);
  const drawn = await drawFigures(all.flat(), options);
  const starts = all.map((_, index) => all.slice(0, index).flat().length);
  return presented.map((each, index) => {
    const start = starts[index] ?? 0;
    const own = drawn.slice(start, start + (all[index]?.length ?? 0));
    return { ...each, figures: new Map(own.map((figure) => [figure.name, figure])) };
  });
}
