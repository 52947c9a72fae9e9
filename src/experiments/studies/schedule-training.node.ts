import { chartFigure } from "../../figures/chart.ts";
import { colourOf } from "../../figures/colour-of.ts";
import { smoothLosses } from "../../figures/loss.ts";
import type { CellJobs } from "../grid-jobs.node.ts";
import type { Job, Results } from "../job.ts";
import type { StepLossValues } from "../step-loss.ts";
import { stepLossFigures, stepLossTable, type StepLossCurve } from "../step-loss-figures.ts";
import type { Figure, Section } from "../study.ts";
import type { ScheduleSetting } from "./schedule-settings.ts";

/** A cell with the job that measures its loss at single steps. */
export interface LossOfCell {
  readonly cell: CellJobs;
  readonly job: Job<StepLossValues>;
}

/** Settings whose curves are shown: one of each family. */
const isShown = ({ setting }: Pick<CellJobs, "setting">): boolean =>
  (setting as ScheduleSetting).part.includes("family") || setting.label === "linear, β_T = 0.00015";

/** Training curves and the loss at single steps. */
export function trainingSection(losses: readonly LossOfCell[], results: Results): Section {
  const curves = losses.flatMap(({ cell, job }): StepLossCurve[] => {
    const values = results.of(job)?.values;
    return values ? [{ label: cell.setting.label, ...colourFor(cell), data: cell.data, values }] : [];
  });
  const shown = losses.filter(({ cell }) => isShown(cell)).map(({ cell }) => cell);
  const labels = new Set(shown.map(({ setting }) => setting.label));
  const figures = stepLossFigures(curves.filter(({ label }) => labels.has(label)));
  return {
    heading: "Training, and the loss at each step",
    text: TRAINING,
    figures: [...trainingFigure(shown, results), ...figures],
    tables: [stepLossTable(curves)],
  };
}

const TRAINING =
  "Training curves of one seed, one schedule of each family. The loss is the mean squared error of the predicted noise (of v where that is predicted) over all steps, so curves of different schedules must not be compared in height: a schedule that spends more steps at high noise has easier questions. What can be compared is, at one noise level, the squared distance from the best possible prediction: the last figure. The least possible loss itself is not 0, since noise cannot be told from data for certain; for data sets that are drawn from a formula it is estimated from the exact posterior.";

const colourFor = ({ setting }: Pick<CellJobs, "setting">): { readonly colour?: string } =>
  setting.label.includes("0.00015") ? {} : { colour: colourOf("schedule", setting.group ?? "") };

function trainingFigure(cells: readonly CellJobs[], results: Results): Figure[] {
  const panels = [...new Set(cells.map(({ data }) => data))].flatMap((data) => {
    const series = cells
      .filter((cell) => cell.data === data)
      .flatMap((cell) => {
        const values = results.of(cell.train)?.values;
        if (!values || values.iterations.length === 0) return [];
        const y = smoothLosses(values.losses);
        return [{ label: cell.setting.label, ...colourFor(cell), x: values.iterations, y, dots: false }];
      });
    return series.length === 0
      ? []
      : [{ title: data, x: { label: "iteration" }, y: { label: "loss", log: true }, series }];
  });
  if (panels.length === 0) return [];
  const caption =
    "Smoothed training loss. Heights depend on the schedule; what to look for is whether the curves have become flat.";
  return [{ name: "training", caption, svg: chartFigure({ title: "Training curves", panels }) }];
}
