import { at } from "../math/error.ts";
import { short } from "../math/short.ts";
import type { Parameterisation } from "./parameterisation.ts";
import { priorKl } from "./prior.ts";
import { alphaCumprodAt, noiseVarianceAt, type NoiseSchedule } from "./schedule.ts";
import { COSINE_MAX_BETA } from "./schedules/cosine.ts";
import { MAX_TIMESTEPS } from "./schedules/range.ts";
import type { ScheduleConfig } from "./schedules/schedule-config.ts";

/** What is known about a schedule besides its betas. */
export interface LintOptions {
  /** What the network predicts; left out, nothing is said about it. */
  readonly parameterisation?: Parameterisation;
  /** What the schedule was made of: the advice names its options. */
  readonly config?: Pick<ScheduleConfig, "schedule" | "rescaleBetas">;
}

/** The largest L_T, in bits per dimension, at which x_T still counts as pure noise. */
const MAX_PRIOR_BITS = 0.01;
/** ᾱ_T of the linear schedule of Ho et al. 2020 with T = 1000: what the advice aims at. */
const TARGET_SIGNAL = 4e-5;
/** ᾱ_t below which x_t is all but noise. */
const NOISE_SIGNAL = 0.01;
/** The largest share of steps that may be spent there; the linear schedule of Ho et al. 2020 spends a third. */
const MAX_NOISE_SHARE = 0.5;
/** Relative differences of betas below this are rounding, of float32 at worst. */
const ROUNDING = 2 ** -22;
/** Predictions that say nothing about x̂_0 where ᾱ = 0. */
const NEEDS_SIGNAL: readonly (Parameterisation | undefined)[] = ["eps", "score"];

/**
 * Looks for what would spoil training or sampling: x_T that is not close to N(0, I), from which sampling starts; steps wasted on pure
 * noise; betas that were clipped or do not increase; zero terminal SNR with a prediction that then determines no data.
 * @returns one line for each finding, saying figure and remedy; empty when all is well
 */
export function lintSchedule(schedule: NoiseSchedule, options: LintOptions = {}): string[] {
  return [
    ...priorFindings(schedule, options),
    ...noiseFindings(schedule),
    ...clippingFindings(schedule),
    ...orderFindings(schedule, options),
    ...terminalFindings(schedule, options),
  ];
}

/** What a schedule does to data, in figures that are better the smaller they are. */
export interface ScheduleFigures {
  /** L_T: what x_T still tells of the data, in bits per dimension. */
  readonly priorBits: number;
  /** Share of the steps, besides the last, at which x_t is all but noise (ᾱ_t < 0.01), in 0…1. */
  readonly noiseShare: number;
  /** √β_1: standard deviation of the noise that the last step of sampling has to remove at once. */
  readonly firstNoise: number;
}

/** The figures by which `lintSchedule` and `scheduleSeverity` judge. */
export function scheduleFigures(schedule: NoiseSchedule): ScheduleFigures {
  const { alphasCumprod, timesteps, betas } = schedule;
  const noisy = alphasCumprod.filter((signal) => signal < NOISE_SIGNAL).length;
  return {
    priorBits: priorKl(schedule),
    noiseShare: Math.max(0, noisy - 1) / timesteps,
    firstNoise: Math.sqrt(at(betas, 0)),
  };
}

/** How much is amiss with a schedule in one number, the sum of its figures: 0.07 for cosine, 0.34 for linear, both with T = 1000. */
export function scheduleSeverity(schedule: NoiseSchedule): number {
  const { priorBits, noiseShare, firstNoise } = scheduleFigures(schedule);
  return priorBits + noiseShare + firstNoise;
}

function noiseFindings(schedule: NoiseSchedule): string[] {
  const { noiseShare } = scheduleFigures(schedule);
  if (noiseShare <= MAX_NOISE_SHARE) return [];
  const first = schedule.alphasCumprod.findIndex((signal) => signal < NOISE_SIGNAL) + 1;
  return [
    `schedule: x_t is all but noise (ᾱ_t < ${NOISE_SIGNAL}) at ${Math.round(100 * noiseShare)} % of the steps, from t = ${first} on, where there ` +
      `is next to nothing to learn or to decide; use smaller betas, or a family that adds noise later, such as cosine`,
  ];
}

function priorFindings(schedule: NoiseSchedule, { config }: LintOptions): string[] {
  const bits = priorKl(schedule);
  if (bits <= MAX_PRIOR_BITS) return [];
  const alphaCumprod = alphaCumprodAt(schedule, schedule.timesteps - 1);
  return [
    `schedule: ᾱ_T = ${alphaCumprod.toPrecision(3)} after T = ${schedule.timesteps} steps leaves ${bits.toPrecision(3)} bits ` +
      `per dimension of the data in x_T (expected at most ${MAX_PRIOR_BITS}), but sampling starts from pure noise; ` +
      `use ${priorRemedies(schedule, config).join(" or ")}`,
  ];
}

function priorRemedies(schedule: NoiseSchedule, config: LintOptions["config"]): string[] {
  if (config?.schedule === "geometric" || config?.schedule === "karras") {
    return [`a sigmaMax of about ${short(Math.sqrt(1 / TARGET_SIGNAL - 1))}`];
  }
  const noiseVariance = noiseVarianceAt(schedule, schedule.timesteps - 1);
  const factor = Math.log(TARGET_SIGNAL) / Math.log1p(-noiseVariance);
  const timesteps = Math.ceil(schedule.timesteps * factor);
  const remedies: string[] = [];
  if (config?.rescaleBetas !== true && timesteps <= MAX_TIMESTEPS) remedies.push(`about ${timesteps} timesteps`);
  if (schedule.betas.every((beta) => beta * factor < 1)) {
    remedies.push(`betas about ${factor.toPrecision(2)} times as large`);
  }
  return remedies.length > 0 ? remedies : ["zeroTerminalSnr with a network that predicts v or x0"];
}

function clippingFindings({ betas, timesteps, alphasCumprod }: NoiseSchedule): string[] {
  const clipped = [...betas.keys()].filter((step) => isClipped(at(betas, step)));
  if (clipped.length === 0) return [];
  const where = clipped.length === 1 ? `t = ${at(clipped, 0) + 1}` : `first t = ${at(clipped, 0) + 1}`;
  const left = at(alphasCumprod, timesteps - 1);
  return [
    `schedule: ${clipped.length} of ${timesteps} betas clipped at ${COSINE_MAX_BETA} (${where}), which leaves ` +
      `ᾱ_T = ${left.toPrecision(3)} where the unclipped schedule ends at or near 0; ` +
      (clipped.length === 1 && at(clipped, 0) === timesteps - 1
        ? "harmless at the last step alone, use zeroTerminalSnr for exactly 0"
        : "use smaller betas or fewer timesteps"),
  ];
}

const isClipped = (beta: number): boolean => Math.abs(beta / COSINE_MAX_BETA - 1) < ROUNDING;

/** Families whose betas need not increase, because their noise levels are what is chosen. */
const freeOrder: readonly (string | undefined)[] = ["geometric", "karras", "learned"];

function orderFindings({ betas, timesteps }: NoiseSchedule, { config }: LintOptions): string[] {
  if (timesteps === 1 || freeOrder.includes(config?.schedule)) return [];
  const first = at(betas, 0);
  if (betas.every((beta) => beta === first)) {
    return [
      `schedule: betas do not increase: all ${timesteps} are ${short(first)}, so x_1 already carries noise of standard ` +
        `deviation ${short(Math.sqrt(first))}, which the last step of sampling has to remove at once; ` +
        `use a family that starts smaller, such as linear`,
    ];
  }
  const falls = [...betas.keys()].filter((step) => step > 0 && at(betas, step) < at(betas, step - 1) * (1 - ROUNDING));
  if (falls.length === 0) return [];
  const step = at(falls, 0);
  const pair = `from ${short(at(betas, step - 1))} (t = ${step}) to ${short(at(betas, step))} (t = ${step + 1})`;
  return [
    `schedule: betas decrease at ${falls.length} of ${timesteps - 1} steps, first ${pair}, so noise is added faster near the data ` +
      `than later; sort them in ascending order, unless the order is meant`,
  ];
}

/** Whether a network that predicts this says nothing about x̂_0 at the step from which sampling starts. */
export function isBlindAtStart(schedule: NoiseSchedule, parameterisation: Parameterisation | undefined): boolean {
  return alphaCumprodAt(schedule, schedule.timesteps - 1) === 0 && NEEDS_SIGNAL.includes(parameterisation);
}

function terminalFindings(schedule: NoiseSchedule, { parameterisation }: LintOptions): string[] {
  if (!isBlindAtStart(schedule, parameterisation)) return [];
  const name = parameterisation === "score" ? "the score" : "ε";
  return [
    `schedule: ᾱ_T = 0 at t = ${schedule.timesteps} leaves x̂_0 undetermined by a network that predicts ${name} ` +
      `(x̂_0 = (x_t − √(1 − ᾱ_t) ε)/√ᾱ_t divides by 0), so the first step of sampling knows nothing of the data; ` +
      `predict v or x0, or leave out zero terminal SNR`,
  ];
}
