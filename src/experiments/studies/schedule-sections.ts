import { rankingFigure } from "../../figures/ranking.ts";
import type { NoiseSchedule } from "../../diffusion/schedule.ts";
import { short } from "../../math/short.ts";
import type { GridStudy, Setting } from "../grid.ts";
import { ratioChart, type RatioChart } from "../grid-figures.ts";
import { finiteOrNull } from "../grid-tables.ts";
import type { Json } from "../job.ts";
import type { Figure, Section, Table } from "../study.ts";
import { terminalSignal } from "./matched-schedule.ts";
import { agreementWords, type JudgedSchedule } from "./schedule-findings.ts";
import type { ScheduleSetting } from "./schedule-settings.ts";
import { verdicts, type Agreement } from "./schedule-verdict.ts";

/** What a schedule is. */
export const INTRODUCTION =
  "A diffusion model learns to undo a process that turns data into noise in T small steps. Step t mixes in fresh noise of variance β_t; the schedule is the list β_1 … β_T. What counts in the end is ᾱ_t, the product of all 1 − β up to t: the share of the data's variance that is left after t steps. ᾱ_T should be close to 0, since sampling starts from pure noise. The scaled linear schedule is also known as quadratic (√β grows in equal steps). Schedules that end in ᾱ_T = 0 exactly are trained to predict v, a mix of noise and data, because predicted noise alone says nothing about the data there; “linear, v” is the usual schedule with that prediction, for a fair comparison.";

type Part = ScheduleSetting["part"][number];
type ChartWords = Pick<RatioChart, "label" | "title" | "caption">;

/** Three comparisons that each change one thing. */
export function comparisonSection(
  { settings }: Pick<GridStudy, "settings">,
  judged: readonly JudgedSchedule[],
): Section {
  const chart = (part: Part, words: ChartWords, x: (of: NoiseSchedule) => number): Figure[] => {
    const taking = new Map<Setting, NoiseSchedule>(
      judged.filter(({ setting }) => setting.part.includes(part)).map(({ setting, schedule }) => [setting, schedule]),
    );
    const figure = ratioChart(
      judged.map(({ summary }) => summary),
      {
        ...words,
        name: `w2-${part}`,
        settings,
        x: (setting) => {
          const schedule = taking.get(setting);
          return schedule && x(schedule);
        },
        curve: ({ group = "" }) => (part === "start" ? "same ᾱ_T" : group),
        ...(part !== "start" && { colours: "schedule" as const }),
      },
    );
    return figure ? [figure] : [];
  };
  return {
    heading: "Small, large, increasing",
    text: COMPARISON,
    figures: [
      ...chart("range", RANGE, ({ betas }) => betas[betas.length - 1] ?? 0),
      ...chart("start", START, ({ betas }) => betas[0] ?? 0),
      ...chart("length", LENGTH, ({ timesteps }) => timesteps),
    ],
  };
}

const COMPARISON =
  "Three comparisons, each of which changes one thing. First the last step β_T of a linear schedule: where it is too small, the chain ends before the data have become noise, and sampling starts from the wrong place. Then the first step β_1, with β_T chosen so that ᾱ_T stays the same; the right end is the constant schedule, which does not increase at all. Last the number of steps T, where all chains end in nearly pure noise: fewer steps are coarser, and all of them are used for sampling.";
const RANGE = {
  label: "β_T",
  title: "Linear schedules, T = 1000: how large must β become?",
  caption:
    "Distance to the data against the last step β_T of linear schedules that start at the same β_1. On the left the chain ends with much of the data still in x_T.",
};
const START = {
  label: "β₁",
  title: "Same ᾱ_T, T = 1000: how small must β start?",
  caption:
    "Distance to the data against the first step β_1, at the same ᾱ_T. The rightmost point is the constant schedule.",
};
const LENGTH = {
  label: "T",
  title: "How many steps?",
  caption:
    "Distance to the data against the number of steps T, all of them used for sampling. All of these schedules end in nearly pure noise.",
};

/** Name of the agreement over all data sets. */
export const ALL_DATA = "all data sets";

type Agreements = ReadonlyMap<string, Agreement>;

/** The linter's verdicts beside what was measured. */
export function verdictSection(judged: readonly JudgedSchedule[], agreements: Agreements): Section {
  const all = agreements.get(ALL_DATA);
  return {
    heading: "What the linter says",
    text: `${LINTER}\n\n${agreementWords(all)}\n\n${MARGINAL}`,
    figures: verdictFigure(judged, all),
    tables: [agreementTable(agreements), verdictTable(judged), findingsTable(judged)],
  };
}

const MARGINAL =
  "L_T is a sum of two things: what x_T still tells about the single point that it came from, and how far the cloud of all x_T together is from N(0, I). Sampling, which starts from N(0, I), suffers from the second alone. Where a data set is round as a whole that is a small part of L_T, so data left in x_T should do less harm there than where a data set has separate parts. So the table gives the agreement on each data set too.";

function agreementTable(agreements: Agreements): Table {
  return {
    name: "linter-agreement",
    header: ["data", "schedules", "Spearman ρ", "from", "to", "Kendall τ", "from", "to", "chance of as much"],
    rows: [...agreements].map(
      ([name, { count, spearman, spearmanInterval: s, kendall, kendallInterval: k, probability }]) => [
        name,
        count,
        spearman,
        s.low,
        s.high,
        kendall,
        k.low,
        k.high,
        probability,
      ],
    ),
  };
}

function verdictTable(judged: readonly JudgedSchedule[]): Table {
  return {
    name: "linter",
    header: ["schedule", "T", "β_1", "β_T", "ᾱ_T", "verdict", "severity", "median W2/floor"],
    rows: judged.map(({ setting, schedule, verdict, median }) => [
      setting.label,
      schedule.timesteps,
      schedule.betas[0] ?? null,
      schedule.betas[schedule.timesteps - 1] ?? null,
      terminalSignal(schedule),
      verdict.name,
      verdict.severity,
      median ?? null,
    ]),
  };
}

function findingsTable(judged: readonly JudgedSchedule[]): Table {
  return {
    name: "linter-findings",
    header: ["schedule", "finding"],
    rows: judged.flatMap(({ setting, verdict }) => verdict.findings.map((line) => [setting.label, line])),
    folded: "the linter's findings, word for word",
  };
}

const LINTER =
  "The linter reads a schedule before anything is trained. It looks at three figures, each better the smaller it is: L_T, what x_T still tells of the data, in bits per dimension; the share of steps at which x_t is all but noise (ᾱ_t < 0.01); and √β_1, the noise that the last step of sampling has to remove at once. Severity is their plain sum: the three have no common unit, and equal weights are a choice. Where the first or the second is large, or β was clipped or does not increase, the linter says so in words. Quality is the median over data sets and seeds of W2 over its floor. A rank correlation of 1 would mean that the linter sorts the schedules as the samples do, 0 that it knows nothing; ties share a rank. The interval comes from drawing schedules again (bootstrap), the probability from shuffling them; both take the schedules for independent, which members of one family are not quite, so they flatter a little. The linter looks at the schedule alone: that few steps are coarse is not its subject. The three figures were chosen after earlier runs of this study had shown that the findings alone do not sort schedules: a small one on swiss-roll, moons and cross, and one seed at full size on moons. So on these sets the agreement is partly fitted, most of all on moons, and the probability is too favourable; other data would be a fair test.";

const verdictColours = ["#009e73", "#2a22d0", "#cc79a7", "#d55e00"] as const;

function verdictFigure(judged: readonly JudgedSchedule[], agreement: Agreement | undefined): Figure[] {
  const rows = judged
    .flatMap(({ setting, verdict, median }) =>
      median === undefined
        ? []
        : [
            {
              label: setting.label,
              value: median,
              group: verdict.name,
              colour: verdictColours[verdicts.indexOf(verdict.name)] ?? "",
            },
          ],
    )
    .sort((a, b) => a.value - b.value);
  if (rows.length === 0) return [];
  const svg = rankingFigure({
    title: "Measured quality, coloured by the linter's verdict",
    x: { label: "median W2 / floor", log: true },
    rows,
    reference: { value: 1, label: "fresh data" },
    notes: agreement ? [`Spearman ${short(agreement.spearman)}, Kendall ${short(agreement.kendall)}.`] : [],
  });
  const caption =
    "Schedules from best to worst by what was measured, coloured by what the linter said before. If it is right, warnings gather at the bottom.";
  return [{ name: "linter-agreement", caption, svg }];
}

/** The linter's verdicts as JSON. */
export function linterNumbers(judged: readonly JudgedSchedule[], agreements: Agreements): Json {
  return {
    agreement: Object.fromEntries([...agreements].map(([name, found]) => [name, { ...found } as unknown as Json])),
    schedules: judged.map(({ setting, verdict, median, schedule }) => ({
      setting: setting.label,
      timesteps: schedule.timesteps,
      terminalSignal: terminalSignal(schedule),
      verdict: verdict.name,
      severity: verdict.severity,
      findings: verdict.findings,
      median: finiteOrNull(median),
    })),
  };
}
