import { chooseSampler, type SamplerChoice, type SamplerFlags } from "../../diffusion/sampler-choice.ts";
import { finalSample, type Denoiser } from "../../diffusion/sampler.ts";
import { seededNoise } from "../../diffusion/noise.ts";
import type { NoiseSchedule } from "../../diffusion/schedule.ts";
import { at, invariant } from "../../math/error.ts";
import { Random } from "../../math/random.ts";
import { floatTensor, type FloatTensor } from "../../tensor/tensor.ts";
import { influenceOf, type Influence } from "../influence.ts";
import type { JobKind } from "../job.ts";
import { modesOf, type Modes } from "../modes.ts";
import { runOf, secondsOfRow, trainingOf } from "./train.node.ts";
import { withDenoiser } from "./with-denoiser.node.ts";

/** Which states are continued, how often, by what. */
export interface ContinuationsConfig {
  /** With all its steps. */
  readonly sampling: SamplerFlags;
  /** t at which states are continued, ascending, each a stop of the sampler. */
  readonly times: readonly number[];
  /** Runs whose states are continued. */
  readonly states: number;
  /** Continuations of each state, with fresh noise. */
  readonly repeats: number;
  /** Bootstrap samples of the states. */
  readonly replicates: number;
  readonly seed: number;
}

/** How much the state at each time says of the end. */
export interface ContinuationsValues extends Influence {
  /** "DDIM, 50 steps, η = 0.5" */
  readonly label: string;
  readonly times: readonly number[];
  /** What a mode is: "one of 2 moons". */
  readonly modes: string;
}

/** Keeps the noise of continuations apart from that of the runs whose states are continued. */
const FRESH_SEED = 1_000_000;
/** Seconds for a pair of continuations, compared in three ways, and for a pair of states in a bootstrap sample. */
const SECONDS_PER_PAIR = 2e-8;
const SECONDS_PER_PAIR_MEAN = 2e-9;

/** Continues states of sampling from several times, each often and with fresh noise. Needs train. */
export const continuationsKind: JobKind<ContinuationsConfig, ContinuationsValues> = {
  name: "continuations",
  version: 1,
  seconds: ({ times, states, repeats, replicates, sampling }, needs) => {
    const training = trainingOf(needs);
    const share = times.reduce((sum, t) => sum + t, 0) / training.timesteps;
    const steps = typeof sampling.steps === "number" ? sampling.steps : training.timesteps;
    const pairs = (times.length * states ** 2) / 2;
    const comparing = pairs * (repeats ** 2 * SECONDS_PER_PAIR + replicates * SECONDS_PER_PAIR_MEAN);
    return 0.3 + share * steps * states * repeats * secondsOfRow(training) + comparing;
  },
  run: async (config, { needs, signal, onShare }) => {
    const run = await runOf(at(needs, 0));
    const choice = chooseSampler(config.sampling, run);
    const modes = modesOf(await run.dataset(), run.model.standardiser);
    const options = { config, choice, schedule: run.schedule, width: run.model.columns.length, signal, onShare };
    const ends = await withDenoiser(run, (denoiser) => continueAll({ ...options, denoiser }));
    return { values: { ...valuesOf(config, ends, modes), label: choice.label }, arrays: {} };
  },
};

interface Continuing {
  readonly config: ContinuationsConfig;
  readonly choice: SamplerChoice;
  readonly schedule: NoiseSchedule;
  readonly width: number;
  readonly denoiser: Denoiser;
  readonly signal: AbortSignal;
  readonly onShare: (share: number) => void;
}

/** Ends `[states · repeats, D]` of the continuations from each time. */
async function continueAll(options: Continuing): Promise<FloatTensor[]> {
  const { config, choice, schedule, denoiser, width, signal, onShare } = options;
  const { times, repeats, states: count } = config;
  const states = await statesAt(options);
  const total = times.reduce((sum, t) => sum + t, 0);
  const ends: FloatTensor[] = [];
  for (const [index, t] of times.entries()) {
    const walk = choice.sampler({
      ...choice.options,
      denoiser,
      schedule,
      shape: [count * repeats, width],
      start: repeated(at(states, index), repeats),
      steps: choice.options.steps.filter((step) => step < t),
      noise: seededNoise(config.seed + FRESH_SEED),
      signal,
    });
    ends.push(await finalSample(walk));
    onShare(times.slice(0, index + 1).reduce((sum, each) => sum + each, 0) / total);
  }
  return ends;
}

/** States `[states, D]` of one run at each time. */
async function statesAt({ config, choice, schedule, width, denoiser, signal }: Continuing): Promise<FloatTensor[]> {
  const { times, states, seed } = config;
  const found = new Map<number, FloatTensor>();
  const noise = seededNoise(seed);
  const walk = choice.sampler({ ...choice.options, denoiser, schedule, shape: [states, width], noise, signal });
  await finalSample(walk, ({ step, xt }) => {
    if (times.includes(step + 1)) found.set(step + 1, floatTensor(xt.data.slice(), xt.shape));
  });
  return times.map((t) => {
    const state = found.get(t);
    invariant(state, `${choice.label} does not stop at t = ${t}`);
    return state;
  });
}

/** Each row `repeats` times, one after the other. */
function repeated({ data, shape }: FloatTensor, repeats: number): FloatTensor {
  const [count, width] = [at(shape, 0), at(shape, 1)];
  const out = new Float32Array(data.length * repeats);
  for (let row = 0; row < count * repeats; row++) {
    const from = Math.floor(row / repeats) * width;
    out.set(data.subarray(from, from + width), row * width);
  }
  return floatTensor(out, [count * repeats, width]);
}

function valuesOf(
  { times, states, repeats, replicates, seed }: ContinuationsConfig,
  ends: readonly FloatTensor[],
  modes: Modes,
): Omit<ContinuationsValues, "label"> {
  const random = new Random(seed, "metric");
  const influence = influenceOf({ times, ends, modes, states, repeats, replicates, random });
  return { ...influence, times, modes: modes.description };
}
