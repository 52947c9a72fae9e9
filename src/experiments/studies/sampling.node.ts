import { short } from "../../math/short.ts";
import type { GridSizes, GridStudy } from "../grid.ts";
import { ratioChart } from "../grid-figures.ts";
import { gridJobs, jobsOf } from "../grid-jobs.node.ts";
import { gridResults, metricsSection, rankingSection, type GridResults } from "../grid-plan.node.ts";
import { w2Of, type SettingSummary } from "../grid-results.ts";
import { boundTable, dataOf, finiteOrNull, gridNumbers } from "../grid-tables.ts";
import { failureWords, ratioWords } from "../grid-words.ts";
import type { Scale, Section, Study, Table } from "../study.ts";
import { comparedSamplers, samplingSettings } from "./sampling-settings.ts";

const text = {
  name: "sampling",
  title: "Samplers and steps",
  question: "How few steps are enough, and for which sampler?",
} as const;

const sizes: Readonly<Record<Scale, GridSizes>> = {
  quick: { points: 500, bound: { rows: 64, stepsPerRow: null } },
  full: { points: 1000, bound: { rows: 250, stepsPerRow: null } },
};

/** Quality against the number of steps, from the same models and the same noise. */
export const samplingStudy: Study = {
  ...text,
  plan: (options) => {
    const study: GridStudy = {
      ...text,
      settings: samplingSettings(options.scale),
      training: {},
      sizes: sizes[options.scale],
      colours: "sampler",
    };
    const cells = gridJobs(study, options);
    return {
      jobs: jobsOf(cells),
      present: (results) => {
        const found = gridResults(cells, results);
        return {
          findings: findings(found.summaries),
          sections: [
            stepsSection(study, found),
            rankingSection(study, found),
            boundSection(found),
            metricsSection(found),
          ],
          numbers: gridNumbers(study, found.cells, found.summaries),
        };
      },
    };
  },
};

const INTRODUCTION =
  "A model that was trained with T = 1000 steps can be sampled in fewer: a sampler takes S of them and leaps over the others. DDPM follows the learned chain and adds fresh noise at every step. DDIM adds a share η of that noise: with η = 0 none at all, so that the start decides everything, with η = 1 as much as DDPM with the small variance. σ̂ is the larger noise, √(1 − ᾱ_t/ᾱ_s) for a leap from t to s (ᾱ is the share of the data's variance that is left), which is DDPM with the large variance by another name. Heun, DPM-Solver++ and UniPC add no noise and look at more than one point of the path for each step, so that they may leap farther; Heun calls the network twice a step (but once in the last), all others once. All start from the same noise and use the same models, but for the rows that name the cosine schedule: their models were trained with it.";

function stepsSection(study: GridStudy, { summaries }: GridResults): Section {
  const figure = ratioChart(summaries, {
    name: "w2-steps",
    label: "steps S",
    title: "Distance to the data against the number of steps",
    settings: study.settings,
    x: ({ sampling }) => (typeof sampling.steps === "number" ? sampling.steps : undefined),
    curve: ({ group = "" }) => group,
    colours: "sampler",
  });
  return {
    heading: "Quality and steps",
    text: `${INTRODUCTION}\n\nThe tables have the shape of table 1 of Song et al. (DDIM): a row for each sampler, a column for each number of steps S, in the cells W2 over its floor, the mean over seeds ± its standard error. An empty cell (–) was not tried.`,
    figures: figure ? [figure] : [],
    tables: dataOf(summaries).map((data) => stepsTable(summaries, data)),
  };
}

/** Samplers against steps, as table 1 of Song et al. 2020 (arXiv 2010.02502). */
function stepsTable(summaries: readonly SettingSummary[], data: string): Table {
  const counts = stepCounts(summaries);
  const tried = new Set(summaries.map(({ setting }) => setting.group));
  return {
    name: `${data}-steps`,
    header: [`${data}: W2/floor`, "network calls a step", ...counts.flatMap((count) => [`S = ${count}`, "± s.e."])],
    rows: comparedSamplers
      .filter(({ label }) => tried.has(label))
      .map(({ label, calls }) => [
        label,
        calls,
        ...counts.flatMap((count) => {
          const found = summaries.find(({ setting }) => setting.group === label && setting.sampling.steps === count);
          const ratio = found && w2Of(found, data)?.ratio;
          return [finiteOrNull(ratio?.mean), finiteOrNull(ratio?.standardError)];
        }),
      ]),
  };
}

function stepCounts(summaries: readonly SettingSummary[]): number[] {
  const counts = summaries.flatMap(({ setting }) =>
    typeof setting.sampling.steps === "number" ? setting.sampling.steps : [],
  );
  return [...new Set(counts)].sort((a, b) => a - b);
}

function boundSection({ summaries }: GridResults): Section {
  const own = summaries
    .filter(({ setting }) => setting.group === "DDPM")
    .sort((a, b) => Number(a.setting.sampling.steps) - Number(b.setting.sampling.steps));
  return {
    heading: "The bound of shorter chains",
    text: "Ancestral sampling with S steps is a model of its own, with its own variational bound: an upper limit on −log p of fresh data, in nats for a point. The deterministic samplers have none.",
    tables: dataOf(own).map((data) => boundTable(own, data)),
  };
}

/** Calls of the network in a setting: one or two a step, but one in the last. */
function callsOf({ setting }: SettingSummary): number {
  const steps = Number(setting.sampling.steps);
  const calls = comparedSamplers.find(({ label }) => label === setting.group)?.calls ?? 1;
  return calls * steps - (calls - 1);
}

/** How far from the best a sampler may be to count as enough. */
const ENOUGH = 1.1;

/** The best sampler at each number of steps, and the fewest steps that come close to the best of all. */
function findings(summaries: readonly SettingSummary[]): string {
  const complete = summaries.filter(({ failed, score }) => failed === 0 && score !== undefined);
  const score = (each: SettingSummary): number => each.score?.mean ?? Infinity;
  const sorted = complete.toSorted((a, b) => score(a) - score(b));
  const best = sorted[0];
  if (!best) return `No sampler was measured completely.${failureWords(summaries)}`;
  const at = stepCounts(complete).map((count) => {
    const [first] = sorted.filter(({ setting }) => setting.sampling.steps === count);
    return first ? `${count} steps ${first.setting.group ?? ""} (${short(score(first))})` : "";
  });
  const near = sorted.filter((each) => score(each) <= ENOUGH * score(best));
  const fewest = near.toSorted((a, b) => callsOf(a) - callsOf(b))[0] ?? best;
  return (
    `Closest to the data, W2 as a multiple of the floor, over all data sets: at ${at.join(", ")}. Best of all is ${best.setting.label} with ` +
    `${ratioWords(best)}; the fewest calls of the network within ${short((ENOUGH - 1) * 100)} % of it, ${callsOf(fewest)}, are those of ${fewest.setting.label} with ${ratioWords(fewest)}.` +
    failureWords(summaries)
  );
}
