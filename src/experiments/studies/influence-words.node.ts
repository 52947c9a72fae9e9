import { at } from "../../math/error.ts";
import { counted, grouped } from "../../math/text.ts";
import { crossingTime } from "../decision-time.ts";
import type { Estimate } from "../influence.ts";
import type { InfluencePlan, SamplerResult, SetResult } from "./influence-report.node.ts";

/** 0.0312 as "3 %"; what is estimated below zero is zero. */
const percent = (value: number): string => {
  const shown = 100 * Math.max(0, value);
  return `${shown > 0 && shown < 9.5 ? Number(shown.toPrecision(1)) : Math.round(shown)} %`;
};

/** "3 % (95 % interval 1 to 5 %)" */
const withInterval = ({ value, low, high }: Estimate): string =>
  value >= 1 - 1e-6 ? "100 %" : `${percent(value)} (95 % interval ${percent(low)} to ${percent(high)})`;

const last = (values: readonly Estimate[]): Estimate => at(values, values.length - 1);
const named = ({ samplers }: SetResult, short: string): SamplerResult | undefined =>
  samplers.find((each) => each.short === short);

/** What was asked and what came out. */
export function findingsOf(sets: readonly SetResult[]): string {
  const sentences = sets.map(finding).filter((sentence) => sentence !== "");
  if (sentences.length === 0) return "No run of this study gave a result.";
  return `Does the noise that sampling starts from determine the sample? It depends on the sampler. ${sentences.join(" ")}`;
}

function finding(set: SetResult): string {
  const [ddpm, ddim] = [named(set, "DDPM"), named(set, "DDIM, η = 0")];
  const ofStart = (result: SamplerResult): string => withInterval(last(result.values.variance));
  const shares = [
    ...(ddpm ? [`${ofStart(ddpm)} of the variance of the samples with ancestral sampling (DDPM)`] : []),
    ...(ddim ? [`${ofStart(ddim)} with DDIM without fresh noise (η = 0)`] : []),
  ];
  if (shares.length === 0) return "";
  const decided = ddpm ? `; ancestral sampling chooses the mode at about ${timeText(ddpm.values.decision, set)}` : "";
  return `On ${set.name} the start explains ${shares.join(" and ")}${decided}.`;
}

/** "t = 230 of 1,000 (210 to 250)" */
function timeText({ value, low, high }: Estimate, { timesteps }: SetResult): string {
  if (low >= timesteps) return `the start, t = ${grouped(timesteps)}`;
  const [t, from, to] = [value, low, high].map((each) => grouped(Math.round(each)));
  return `t = ${t ?? ""} of ${grouped(timesteps)} (95 % interval ${from ?? ""} to ${to ?? ""})`;
}

/** How the shares come about, for all data sets. */
export function methodWords({ states, repeats, replicates }: InfluencePlan): string {
  return [
    `A sampler walks from pure noise x_T (at time t = T, the number of steps of the process) down to a sample x_0 (at t = 0). Two kinds of chance go into it: the start x_T, and the fresh noise that some samplers add at each step. Ancestral sampling (DDPM) adds much of it. DDIM has a dial for it, η (eta): with η = 0 it adds none, with η = 1 as much as ancestral sampling needs.`,
    `To see which chance matters, ${counted(states, "run")} are stopped at a time t, and each state x_t is continued ${repeats} times, each time with fresh noise: the noise is shared down to t and differs below. If the continuations of one state all end in the same place, the state has settled the end; if they end as far apart as continuations of different states, it says nothing about it.`,
    `The share of the variance explained by the state is 1 − E[Var(x_0 | x_t)]/Var(x_0): the mean variance of ends that continue one state, beside the variance of all ends. It is estimated as in a one-way analysis of variance, so that a finite number of continuations does not flatter it. Intervals (95 %) come from drawing the runs again with replacement, ${replicates} times (bootstrap).`,
    `Variance only sees means: a start that settled which of two far-apart, evenly placed parts a sample reaches, but not where in it, could look weak. So two more measures stand beside it, made the same way: the mean distance between two ends of one state beside that of two states, which sees every difference between distributions, and how often two continuations end in the same mode (part) of the data.`,
  ].join("\n\n");
}

/** What the shares of a data set say. */
export function setWords(set: SetResult): string {
  const gone = set.missing.length > 0 ? [`Missing, as the runs failed: ${set.missing.join("; ")}.`] : [];
  if (set.samplers.length === 0) return [...gone, "There is nothing to show for this data set."].join("\n\n");
  const paragraphs = [startWords(set), ddpmWords(set), exactWords(set), checkWords(set), ...gone];
  return paragraphs.filter((text) => text !== "").join("\n\n");
}

function startWords({ samplers }: SetResult): string {
  const parts = samplers.map(({ short, values }) => `${short}: ${withInterval(last(values.variance))}`);
  return `Share of the variance of the end that the start x_T explains – ${parts.join("; ")}.`;
}

/** Below this share the start says next to nothing. */
const NEXT_TO_NOTHING = 0.05;

function ddpmWords(set: SetResult): string {
  const ddpm = named(set, "DDPM");
  if (!ddpm) return "";
  const start = last(ddpm.values.variance);
  const { times, variance } = ddpm.values;
  const half = ` Half of the variance is settled at about t = ${grouped(
    Math.round(
      crossingTime(
        times,
        variance.map(({ value }) => value),
      ),
    ),
  )}.`;
  if (start.high < NEXT_TO_NOTHING && last(ddpm.values.distance).high < NEXT_TO_NOTHING) {
    return `With ancestral sampling the start is all but forgotten: the noise added on the way outweighs it, and samples that begin at one and the same point end all over the data.${half} So one cannot steer DDPM by choosing its start, and two of its runs from one start are about as different as any two samples.`;
  }
  return `With ancestral sampling the start leaves a trace in the end, ${withInterval(start)} of its variance; all else is decided by the noise added on the way.${half}`;
}

function exactWords({ known, samplers }: SetResult): string {
  const ddpm = samplers.find(({ short }) => short === "DDPM");
  if (!known || !ddpm) return "";
  const { times, variance } = ddpm.values;
  const gaps = times.flatMap((t, i) => {
    const share = known.shares[known.times.indexOf(t)];
    return share === undefined
      ? []
      : [{ t, gap: at(variance, i).value - share, inside: within(share, at(variance, i)) }];
  });
  if (gaps.length === 0) return "";
  const worst = gaps.reduce((most, each) => (Math.abs(each.gap) > Math.abs(most.gap) ? each : most));
  const inside = gaps.filter((each) => each.inside).length;
  return `The dashed black curve needs no network: it is what a perfect model would give with steps that are small enough, computed from random draws and the distribution of the data (1 − E[Var(x_0 | x_t)]/Var(x_0) for the forward process, which a perfect reverse process retraces). The trained model's DDPM curve holds it in its interval at ${inside} of ${gaps.length} times; the largest difference is ${(100 * Math.abs(worst.gap)).toFixed(1)} percentage points, at t = ${grouped(worst.t)}.`;
}

const within = (value: number, { low, high }: Estimate): boolean => low <= value && value <= high;

function checkWords(set: SetResult): string {
  const ddim = named(set, "DDIM, η = 0");
  if (!ddim) return "";
  const least = Math.min(...ddim.values.variance.map(({ value }) => value));
  const held = least > 1 - 1e-6;
  const meaning =
    "A start is then an address: the same start always leads to the same sample, and nearby starts mostly to nearby samples.";
  const check = held
    ? "DDIM with η = 0 adds no noise, so its share must be 100 % at all times, and it is: a check of the measurement."
    : `DDIM with η = 0 adds no noise, so its share must be 100 % at all times; the least measured is ${percent(least)}, which points to a mistake in the measurement.`;
  return `${check} ${meaning} Between the two, η sets how much of the start survives.`;
}

/** When modes are chosen. */
export function decisionWords(set: SetResult): string {
  const first = set.samplers[0];
  if (!first) return "No run of this data set gave a result.";
  const { chance } = first.values;
  const parts = set.samplers.map(({ short, values }) => `${short} at ${timeText(values.decision, set)}`);
  return [
    `A mode is here ${first.values.modes}. Two samples from different starts land in the same one with probability ${percent(at(chance, chance.length - 1))}, by chance alone. Two continuations of one state agree more often, the later the state; the decision time is the t at which agreement is half way from chance to certainty. Before it (larger t) the choice is mostly open, after it (smaller t) mostly made.`,
    `Half of the choice is made: ${parts.join("; ")}.`,
  ].join("\n\n");
}

/** What the colour maps show. */
export function mapWords({ samplers }: SetResult): string {
  const noise = samplers.some(({ short }) => short === "DDPM") ? " and ancestral sampling (DDPM)" : "";
  return `Each start x_T gets a colour by its place; its end is drawn in the same colour. All panels begin with the same starts. Where the start determines the end, colours stay in order: neighbours end as neighbours, and the noise is seen to be stretched and folded onto the data. Where it does not, colours are mixed everywhere. Compare DDIM at growing η${noise}.`;
}
