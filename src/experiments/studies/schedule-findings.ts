import type { NoiseSchedule } from "../../diffusion/schedule.ts";
import { at } from "../../math/error.ts";
import type { MeanEstimate } from "../../math/running-mean.ts";
import { short } from "../../math/short.ts";
import { NEAR_BEST, comparedWith, nearBest, type SettingSummary } from "../grid-results.ts";
import { ratioWords } from "../grid-words.ts";
import { terminalSignal } from "./matched-schedule.ts";
import type { ScheduleSetting } from "./schedule-settings.ts";
import type { Agreement, Verdict } from "./schedule-verdict.ts";

/** A setting with its schedule, what the linter said, and what was measured. */
export interface JudgedSchedule {
  readonly setting: ScheduleSetting;
  readonly schedule: NoiseSchedule;
  readonly verdict: Verdict;
  readonly summary: SettingSummary;
  /** Median over data sets and seeds of the W2 ratio; undefined where nothing was measured. */
  readonly median: number | undefined;
}

/** What the study says about β, from its numbers. */
export function scheduleFindings(judged: readonly JudgedSchedule[], agreement: Agreement | undefined): string {
  return [rangeWords(judged), pairWords(judged), lengthWords(judged), agreementWords(agreement)]
    .filter((words) => words !== "")
    .join(" ");
}

/** Between which values β_1, β_T and ᾱ_T of the good schedules lie. */
function rangeWords(judged: readonly JudgedSchedule[]): string {
  const good = nearBest(judged.map(({ summary }) => summary));
  const best = judged.find(({ summary }) => summary === good[0]);
  if (!best) return "No schedule was measured on all data sets with all seeds.";
  const own = judged.filter(({ summary }) => good.includes(summary)).map(({ schedule }) => schedule);
  const { timesteps: steps } = best.schedule;
  const alike = own.filter(({ timesteps }) => timesteps === steps);
  const span = (of: (schedule: NoiseSchedule) => number): string => {
    const values = alike.map(of);
    const [low, high] = [short(Math.min(...values)), short(Math.max(...values))];
    return low === high ? `is ${low}` : `goes from ${low} to ${high}`;
  };
  return (
    `Best of ${judged.length} schedules is ${best.setting.label} with ${ratioWords(best.summary)}; ${own.length - 1} more are within ` +
    `${short((NEAR_BEST - 1) * 100)} % of it. How small and how large must β be? Among the ${alike.length} of these good ones that have T = ${steps} ` +
    `(β belongs to a number of steps) the first step β_1 ${span(({ betas }) => at(betas, 0))}, the last step β_T ` +
    `${span(({ betas }) => at(betas, steps - 1))}, and the share ᾱ_T of the data's variance that is left at the end ${span(terminalSignal)}. ${leftWords(judged)}`
  );
}

/** What happens where much of the data is left at the end. */
function leftWords(judged: readonly JudgedSchedule[]): string {
  const scored = judged.filter(({ summary, setting }) => summary.score && setting.part.includes("range"));
  const usual = scored.find(({ setting }) => setting.label === "linear");
  const left = scored.filter(({ verdict }) => verdict.name === "data left in x_T");
  const worst = left.toSorted((a, b) => terminalSignal(b.schedule) - terminalSignal(a.schedule))[0];
  if (!usual || !worst) return "";
  const factor = comparedWith(worst.summary, usual.summary);
  if (!factor) return "";
  const cost = !isClear(factor, seedsOf(worst, usual))
    ? "Too small a β shows no cost that these seeds can tell from chance"
    : factor.mean > 1
      ? "Too small a β costs"
      : "Even too small a β costs nothing for these data and this training";
  return (
    `${cost}: ${worst.setting.label} leaves ᾱ_T = ${short(terminalSignal(worst.schedule))}, and its samples are ${factorWords(factor)} times as ` +
    `far from the data as those of the usual linear schedule.`
  );
}

/** Quantile 0.975 of Student's t for 1, 2, … degrees of freedom: few seeds know their standard error badly. */
const CLEAR = [12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262] as const;
const CLEAR_WITH_MORE = 2.228;

/** Whether a factor differs from 1 at the level of 5 %, by the t-test of its logarithms over seeds. */
function isClear({ mean, standardError }: MeanEstimate, seeds: number): boolean {
  return Math.abs(Math.log(mean)) > ((CLEAR[seeds - 2] ?? CLEAR_WITH_MORE) * standardError) / mean;
}

/** Seeds that two schedules have on all data sets. */
function seedsOf(a: JudgedSchedule, b: JudgedSchedule): number {
  const all = [...a.summary.perData, ...b.summary.perData].map(({ seeds }) => seeds);
  return (all[0] ?? []).filter((seed) => all.every((seeds) => seeds.includes(seed))).length;
}

/** "1.3 ± 0.05" */
function factorWords(factor: MeanEstimate | undefined): string {
  if (!factor) return "?";
  return `${short(factor.mean)}${Number.isFinite(factor.standardError) ? ` ± ${factor.standardError.toPrecision(1)}` : ""}`;
}

/** Constant against increasing β that end in the same ᾱ_T. */
function pairWords(judged: readonly JudgedSchedule[]): string {
  const pairs = judged
    .filter(({ setting }) => setting.group === "constant")
    .flatMap((constant) => {
      const { timesteps } = constant.schedule;
      const linear = judged.find(
        ({ setting, schedule }) =>
          setting.group === "linear" && setting.part.includes("length") && schedule.timesteps === timesteps,
      );
      const factor = linear && comparedWith(constant.summary, linear.summary);
      return linear && factor ? [{ timesteps, factor, seeds: seedsOf(constant, linear) }] : [];
    });
  if (pairs.length === 0) return "";
  const words = pairs.map(({ timesteps, factor }) => `${factorWords(factor)} at T = ${timesteps}`);
  return (
    `Must β increase? A constant β that ends in about as much noise as the linear schedule gives samples that are farther from the data by a factor of ${words.join(", ")}: ` +
    `${conclusion(pairs)}.`
  );
}

interface Pair {
  readonly timesteps: number;
  readonly factor: MeanEstimate;
  readonly seeds: number;
}

function conclusion(pairs: readonly Pair[]): string {
  const clear = pairs.filter(({ factor, seeds }) => isClear(factor, seeds));
  const worse = clear.filter(({ factor }) => factor.mean > 1);
  const better = clear.filter(({ factor }) => factor.mean < 1);
  const at = (some: typeof pairs): string => some.map(({ timesteps }) => `T = ${timesteps}`).join(" and ");
  if (worse.length === 0 && better.length === 0) return "no difference that these seeds can tell from chance";
  return [
    ...(worse.length > 0 ? [`increasing is better at ${at(worse)}`] : []),
    ...(better.length > 0 ? [`constant is better at ${at(better)}`] : []),
  ].join(", and ");
}

/** What few steps cost. */
function lengthWords(judged: readonly JudgedSchedule[]): string {
  const families = (["linear", "cosine"] as const).flatMap((group) => {
    const found = judged
      .filter(({ setting, summary }) => setting.group === group && setting.part.includes("length") && summary.score)
      .sort((a, b) => a.schedule.timesteps - b.schedule.timesteps);
    if (found.length < 2) return [];
    const words = found.map(
      ({ schedule, summary }) => `${short(summary.score?.mean ?? Number.NaN)} at T = ${schedule.timesteps}`,
    );
    return [`${group} ${words.join(", ")}`];
  });
  if (families.length === 0) return "";
  return `How many steps T? With the whole chain sampled, the distance in floors is: ${families.join("; ")}.`;
}

/** Whether the linter's verdict goes with quality. */
export function agreementWords(agreement: Agreement | undefined): string {
  if (!agreement) return "Too few schedules differ in their verdict for a rank correlation with quality.";
  const { spearman, spearmanInterval: s, kendall, probability, count } = agreement;
  const says =
    probability < 0.05 && spearman > 0
      ? "The linter's verdict, given before any training, agrees with the measured quality"
      : "The linter's verdict does not agree with the measured quality beyond chance";
  return (
    `${says}: over ${count} schedules the rank correlation of severity and distance is ${short(spearman)} by Spearman (95 % interval ` +
    `${short(s.low)} to ${short(s.high)}) and ${short(kendall)} by Kendall; chance alone would give as much with a probability of ${short(probability)}.`
  );
}
