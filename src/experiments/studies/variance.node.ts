import { at } from "../../math/error.ts";
import { short } from "../../math/short.ts";
import type { GridStudy, Setting } from "../grid.ts";
import { ratioChart } from "../grid-figures.ts";
import { gridJobs, jobsOf } from "../grid-jobs.node.ts";
import { gridResults, metricsSection, rankingSection } from "../grid-plan.node.ts";
import type { SettingSummary } from "../grid-results.ts";
import { gridSizes, gridTraining } from "../grid-sizes.ts";
import { boundTable, dataOf, gridNumbers } from "../grid-tables.ts";
import { failureWords, ratioWords } from "../grid-words.ts";
import type { Scale, Section, Study, TrainingChoice } from "../study.ts";

interface Way {
  readonly name: string;
  readonly label: string;
  readonly training: TrainingChoice;
  readonly variance?: "large" | "small";
}

/** The fixed ones share a model: its training does not depend on them. */
const ways: readonly Way[] = [
  { name: "large", label: "large (β)", training: {}, variance: "large" },
  { name: "small", label: "small (β̃)", training: {}, variance: "small" },
  { name: "learned-range", label: "learned between β̃ and β", training: { variance: "learned-range" } },
  { name: "learned", label: "learned freely", training: { variance: "learned" } },
];

/** T, the number of all steps: a freely learned variance belongs to the step that it was trained for, so no other number will do. */
const ALL_STEPS = 1000;

const stepCounts = { quick: [10, ALL_STEPS], full: [10, 50, ALL_STEPS] } as const;

function settingsOf(scale: Scale): readonly Setting[] {
  return stepCounts[scale].flatMap((steps) =>
    ways
      .filter(({ name }) => name !== "learned" || steps === ALL_STEPS)
      .map(({ name, label, training, variance }) => ({
        label: `${label}, ${steps} steps`,
        group: name,
        training,
        sampling: { sampler: "ddpm" as const, steps, ...(variance && { variance }) },
      })),
  );
}

const text = {
  name: "variance",
  title: "The variance of the reverse steps",
  question: "How much noise should a reverse step add: a fixed amount, or one that the network learns?",
} as const;

/** Fixed and learned variances, with few and many steps. */
export const varianceStudy: Study = {
  ...text,
  plan: (options) => {
    const study: GridStudy = {
      ...text,
      settings: settingsOf(options.scale),
      training: gridTraining[options.scale],
      sizes: gridSizes[options.scale],
      colours: "variance",
    };
    const cells = gridJobs(study, options);
    return {
      jobs: jobsOf(cells),
      present: (results) => {
        const found = gridResults(cells, results);
        return {
          findings: findings(study, found.summaries),
          sections: [stepsSection(study, found.summaries), rankingSection(study, found), metricsSection(found)],
          numbers: gridNumbers(study, found.cells, found.summaries),
        };
      },
    };
  },
};

const INTRODUCTION =
  "A reverse step takes the noisy point to the mean of where it may have come from, and adds noise of variance σ². Ho et al. give two choices: β, right for data that are pure noise, and the smaller β̃, right for data that are a single point; the truth lies between. The network can also learn it (Nichol and Dhariwal), between these two or freely; a freely learned one belongs to the very steps that it was trained for, so it is tried with all of them alone. With many small steps both are nearly the same but near the data; with few steps the choice should matter more, for the samples and for the bound: an upper limit on −log p of fresh data, in nats for a point, which falls as the model gets better.";

function stepsSection({ settings }: GridStudy, summaries: readonly SettingSummary[]): Section {
  const figure = ratioChart(summaries, {
    name: "w2-steps",
    label: "sampling steps",
    title: "Fixed and learned variances, few and many steps",
    settings,
    x: ({ sampling }) => (typeof sampling.steps === "number" ? sampling.steps : undefined),
    curve: ({ group = "" }) => group,
    colours: "variance",
  });
  return {
    heading: "Few and many steps",
    text: INTRODUCTION,
    figures: figure ? [figure] : [],
    tables: dataOf(summaries).map((data) => boundTable(summaries, data)),
  };
}

/** Best and worst variance at each number of steps, for samples and for the bound. */
function findings({ settings }: GridStudy, summaries: readonly SettingSummary[]): string {
  const counts = new Set(settings.map(({ sampling }) => sampling.steps));
  const words = [...counts].flatMap((steps) => {
    const own = summaries.filter(
      ({ setting, score, failed }) => setting.sampling.steps === steps && score && failed === 0,
    );
    if (own.length < 2) return [];
    const byScore = own.toSorted((a, b) => (a.score?.mean ?? 0) - (b.score?.mean ?? 0));
    const [best, worst] = [at(byScore, 0), at(byScore, byScore.length - 1)];
    return [
      `With ${String(steps)} steps the best samples come from the variance ${nameOf(best)} (${ratioWords(best)}), the worst from ${nameOf(worst)} (${ratioWords(worst)})${boundWords(own)}.`,
    ];
  });
  return (
    (words.length === 0 ? "No number of steps was measured completely." : words.join(" ")) + failureWords(summaries)
  );
}

const nameOf = ({ setting }: SettingSummary): string => at(setting.label.split(", "), 0);

function boundWords(own: readonly SettingSummary[]): string {
  const meanBound = ({ perData }: SettingSummary): number =>
    perData.reduce((sum, { bound }) => sum + (bound?.mean ?? Number.NaN), 0) / perData.length;
  const known = own.filter((each) => Number.isFinite(meanBound(each))).sort((a, b) => meanBound(a) - meanBound(b));
  const [best, worst] = [known[0], known.at(-1)];
  if (!best || !worst || best === worst) return "";
  return `; the bound is lowest for ${nameOf(best)} (${short(meanBound(best))} nats a point, mean over the data sets) and highest for ${nameOf(worst)} (${short(meanBound(worst))})`;
}
