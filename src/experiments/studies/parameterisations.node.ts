import { colourOf } from "../../figures/colour-of.ts";
import { parameterisations, type Parameterisation } from "../../diffusion/parameterisation.ts";
import type { SamplerFlags } from "../../diffusion/sampler-choice.ts";
import type { GridStudy, Setting } from "../grid.ts";
import { gridJobs, jobsOf, type CellJobs } from "../grid-jobs.node.ts";
import { gridResults, metricsSection, rankingSection } from "../grid-plan.node.ts";
import { gridSizes, gridTraining, stepLossSizes } from "../grid-sizes.ts";
import { gridNumbers } from "../grid-tables.ts";
import { gridFindings } from "../grid-words.ts";
import type { Job, Results } from "../job.ts";
import { stepLossJob } from "../jobs/step-loss.node.ts";
import type { StepLossValues } from "../step-loss.ts";
import { stepLossTable, x0ErrorFigure, type StepLossCurve } from "../step-loss-figures.ts";
import type { Scale, Section, Study, StudyReport } from "../study.ts";

/** Names for people. */
const symbols: Readonly<Record<Parameterisation, string>> = { eps: "ε", x0: "x0", v: "v", mean: "μ̃", score: "score" };

const samplers: Readonly<Record<Scale, readonly (SamplerFlags & { readonly name: string })[]>> = {
  quick: [
    { name: "DDPM, 200 steps", sampler: "ddpm", steps: 200 },
    { name: "DDIM, 20 steps", sampler: "ddim", steps: 20 },
  ],
  full: [
    { name: "DDPM, 1000 steps", sampler: "ddpm", steps: 1000 },
    { name: "DDIM, 20 steps", sampler: "ddim", steps: 20 },
  ],
};

function settingsOf(scale: Scale): Setting[] {
  return samplers[scale].flatMap(({ name, ...sampling }) =>
    parameterisations.map((prediction) => ({
      label: `${symbols[prediction]}, ${name}`,
      group: symbols[prediction],
      training: { prediction },
      sampling,
    })),
  );
}

const text = {
  name: "parameterisations",
  title: "What the network predicts",
  question:
    "The same network can predict the noise, the data, or a mix of both: which of them gives the better samples for the same training?",
} as const;

/** ε, x0, v, μ̃ and score, trained with the same seeds and budget. */
export const parameterisationsStudy: Study = {
  ...text,
  plan: (options) => {
    const study: GridStudy = {
      ...text,
      settings: settingsOf(options.scale),
      training: gridTraining[options.scale],
      sizes: gridSizes[options.scale],
      colours: "parameterisation",
    };
    const cells = gridJobs(study, options);
    const losses = oneOfEach(cells, options.seed).map((cell) => ({
      cell,
      job: stepLossJob(cell.train, stepLossSizes[options.scale]),
    }));
    return {
      jobs: [...jobsOf(cells), ...losses.map(({ job }) => job)],
      present: (results) => present(study, cells, losses, results),
    };
  },
};

/** Cells of one seed and one sampler. */
function oneOfEach(cells: readonly CellJobs[], seed: number): CellJobs[] {
  const seen = new Set<string>();
  return cells.filter(({ data, setting, seed: own }) => {
    const key = `${data} ${setting.group ?? ""}`;
    if (own !== seed || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

type Losses = readonly { readonly cell: CellJobs; readonly job: Job<StepLossValues> }[];

function present(study: GridStudy, cells: readonly CellJobs[], losses: Losses, results: Results): StudyReport {
  const found = gridResults(cells, results);
  const ranking = rankingSection(study, found);
  return {
    findings: gridFindings(found.summaries),
    sections: [
      { ...ranking, text: `${INTRODUCTION}\n\n${ranking.text}` },
      errorSection(losses, results),
      metricsSection(found),
    ],
    numbers: gridNumbers(study, found.cells, found.summaries),
  };
}

const INTRODUCTION =
  "From the noisy point x_t, the noise ε and the clean point x_0 follow from each other, so a network may predict any of these: ε; x_0; v, a mix that turns from ε near the data to −x_0 in the noise; μ̃, the mean of the step before; or the score, the direction in which the data become more likely, which is −ε/√(1 − ᾱ). All hold the same knowledge, but errors weigh differently: where the noise is large, a small error of ε is a large one of x_0, and the other way round. Each is trained on the mean squared error of what it predicts, all else being equal.";

function errorSection(losses: Losses, results: Results): Section {
  const curves = losses.flatMap(({ cell, job }): StepLossCurve[] => {
    const values = results.of(job)?.values;
    const label = cell.setting.group ?? cell.setting.label;
    return values ? [{ label, colour: colourOf("parameterisation", label), data: cell.data, values }] : [];
  });
  return {
    heading: "Where the errors are",
    text: "What each network says about the clean data, at single noise levels and for one seed: its prediction is turned into x̂_0, its guess of x_0, and compared with the truth. Even the best guess is wrong where the noise hides the data, so the dashed line is the least possible error, estimated from the exact posterior where data are drawn from a formula.",
    figures: x0ErrorFigure(curves),
    tables: [stepLossTable(curves)],
  };
}
