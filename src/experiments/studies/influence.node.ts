import { trailingSteps } from "../../diffusion/steps.ts";
import type { SamplerFlags } from "../../diffusion/sampler-choice.ts";
import { at } from "../../math/error.ts";
import { fileNamesOf } from "../file-names.ts";
import { jobOf, type Results } from "../job.ts";
import { continuationsKind } from "../jobs/continuations.node.ts";
import { knownShareKind } from "../jobs/known-share.node.ts";
import { startEndKind } from "../jobs/start-end.node.ts";
import { trainingOf } from "../jobs/train.node.ts";
import { nameOf, trainJob } from "../measures.node.ts";
import type { Scale, Study, StudyOptions } from "../study.ts";
import { presentInfluence, type InfluencePlan, type SamplerPlan, type SetPlan } from "./influence-report.node.ts";

/** Parts of T at which runs are continued; denser where ends are decided. */
const quickParts = [0.02, 0.08, 0.16, 0.3, 0.5, 0.75, 1] as const;
const fullParts = [0.02, 0.05, 0.08, 0.12, 0.16, 0.2, 0.25, 0.32, 0.4, 0.5, 0.65, 0.82, 1] as const;

/** How much is done at each scale. */
interface Sizes {
  readonly parts: readonly number[];
  readonly states: number;
  readonly repeats: number;
  readonly replicates: number;
  readonly ddimSteps: number;
  /** Pairs of start and end that are drawn. */
  readonly mapped: number;
  /** Draws for what a perfect model would give. */
  readonly draws: number;
}

const sizes: Readonly<Record<Scale, Sizes>> = {
  quick: { parts: quickParts, states: 96, repeats: 8, replicates: 200, ddimSteps: 50, mapped: 600, draws: 300 },
  full: { parts: fullParts, states: 256, repeats: 8, replicates: 400, ddimSteps: 100, mapped: 1500, draws: 1500 },
};

const etas = [0, 0.2, 0.5, 1] as const;

/** Does the start determine the end? */
export const influenceStudy: Study = {
  name: "influence",
  title: "Does the start determine the end?",
  question:
    "Sampling begins with random noise and may add fresh noise at every step. How much of the sample is settled by the start, how much by what comes later, and when is it decided?",
  plan: (options) => {
    const plan = planOf(options);
    const jobs = plan.sets.flatMap(({ known, samplers }) => [
      known,
      ...samplers.flatMap(({ ends, map }) => [ends, map]),
    ]);
    return { jobs, present: (results: Results) => presentInfluence(plan, results) };
  },
};

function planOf(options: StudyOptions): InfluencePlan {
  const { states, repeats, replicates } = sizes[options.scale];
  const files = fileNamesOf(options.data);
  const sets = options.data.map((source, index) =>
    setPlan({ source, seed: options.seed, scale: options.scale }, at(files, index)),
  );
  return { states, repeats, replicates, sets };
}

function setPlan(choice: Parameters<typeof trainJob>[0], file: string): SetPlan {
  const { states, repeats, replicates, draws, ddimSteps } = sizes[choice.scale];
  const train = trainJob(choice);
  const { timesteps } = trainingOf([train]);
  const steps = Math.min(ddimSteps, timesteps);
  const times = timesOf(sizes[choice.scale].parts, timesteps, steps);
  const name = nameOf(choice);
  const seed = seedFor(name, choice.seed);
  const common = { times, states, repeats, replicates, seed };
  const samplers = samplingsOf(timesteps, steps).map(({ short, sampling }): SamplerPlan => {
    const mapped = { sampling, count: sizes[choice.scale].mapped, seed };
    const ends = jobOf(continuationsKind, { ...common, sampling }, `continue ${short} on ${name}`, [train]);
    return { short, ends, map: jobOf(startEndKind, mapped, `${short} from start to end on ${name}`, [train]) };
  });
  const known = { times: choice.scale === "full" ? dense(times) : times, draws, seed };
  return { name, file, timesteps, samplers, known: jobOf(knownShareKind, known, `what noised ${name} say`, [train]) };
}

/** Ancestral sampling and DDIM at each η. */
function samplingsOf(timesteps: number, steps: number): { readonly short: string; readonly sampling: SamplerFlags }[] {
  const ddim = { sampler: "ddim", steps } as const;
  return [
    { short: "DDPM", sampling: { sampler: "ddpm", steps: timesteps } },
    ...etas.map((eta) => ({ short: `DDIM, η = ${eta}`, sampling: { ...ddim, eta } })),
  ];
}

/** Stops of both samplers near the chosen parts of T, ascending. */
function timesOf(parts: readonly number[], timesteps: number, steps: number): number[] {
  const stops = Array.from(trailingSteps(timesteps, steps), (step) => step + 1);
  const nearest = parts.map((part) =>
    stops.reduce((best, t) => (Math.abs(t - part * timesteps) < Math.abs(best - part * timesteps) ? t : best)),
  );
  return [...new Set(nearest)].sort((a, b) => a - b);
}

/** The times, and the middles between them. */
function dense(times: readonly number[]): number[] {
  const middles = times.map((t, i) => Math.round((t + (times[i - 1] ?? 0)) / 2));
  return [...new Set([...times, ...middles])].filter((t) => t >= 1).sort((a, b) => a - b);
}

/** Draws of its own for each data set, so that what is chance in one does not come again in the next. */
function seedFor(name: string, seed: number): number {
  return Array.from(name).reduce((sum, letter) => (31 * sum + (letter.codePointAt(0) ?? 0)) % 1_000_003, 0) + seed;
}
