import { UnnoiseError } from "../math/error.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { seededNoise } from "./noise.ts";
import { gaussianMixture } from "./oracles/mixture.ts";
import { mixtureDenoiser } from "./oracles/mixture-denoiser.ts";
import {
  presetKeys,
  presets,
  presetSettings,
  presetValue,
  samplingOptions,
  type Preset,
  type PresetName,
  type PresetPart,
} from "./presets.ts";
import { finalSample, type Denoiser } from "./sampler.ts";
import { ddim } from "./samplers/ddim.ts";
import { linearSchedule, type NoiseSchedule } from "./schedule.ts";
import { posteriorLogVariance } from "./variance.ts";

/** One setting in which two presets differ. */
export interface PresetDifference {
  readonly setting: keyof Preset;
  readonly label: string;
  readonly part: PresetPart;
  /** Its value in each. */
  readonly values: readonly [a: string, b: string];
  /** Root mean square by which samples move when it alone changes from a to b; null where it does not act in sampling. */
  readonly moved: number | null;
  /** For the bound: log σ² of the last reverse step, of T = 1000 linear betas, in each. */
  readonly logVariances?: readonly [a: number, b: number];
}

/** What two presets do differently. */
export interface PresetComparison {
  readonly presets: readonly [a: PresetName, b: PresetName];
  readonly differences: readonly PresetDifference[];
  /** Root mean square by which samples move when all change at once. */
  readonly moved: number;
  /** Root mean square of the samples themselves. */
  readonly size: number;
  readonly steps: number;
  readonly count: number;
}

const COUNT = 512;
const STEPS = 10;
/** Error of the stand-in network, so that clipping has something to clip: the exact ε lies inside the data's range. */
const EXCESS = 1.05;

/**
 * Where two presets differ, and what that does to samples: DDIM (η = 0) of 10 steps from the same noise with the settings of `a`, then with one
 * of them after another from `b`. The denoiser is the exact one of eight Gaussians on a circle in [−1, 1]², its ε enlarged by 5 %
 * as an imperfect network's might be.
 * @throws UnnoiseError `usage` for the same preset twice
 */
export async function comparePresets(a: PresetName, b: PresetName): Promise<PresetComparison> {
  if (a === b) throw new UnnoiseError("usage", `presets: expected two different ones, got ${a} twice`);
  const schedule = linearSchedule();
  const denoiser = imperfectDenoiser(schedule);
  const [from, to] = [presets[a], presets[b]];
  const base = await samplesWith(from, denoiser, schedule);
  const movedWith = async (preset: Preset): Promise<number> =>
    distance(base, await samplesWith(preset, denoiser, schedule));
  const differences: PresetDifference[] = [];
  for (const setting of presetKeys) {
    const values = [presetValue(from, setting), presetValue(to, setting)] as const;
    if (values[0] === values[1]) continue;
    const { label, part } = presetSettings[setting];
    const moved = part === "sampling" ? await movedWith({ ...from, [setting]: to[setting] }) : null;
    const logVariances = setting === "firstLogVariance" && { logVariances: [from, to].map(firstOf(schedule)) as Pair };
    differences.push({ setting, label, part, values, moved, ...logVariances });
  }
  const size = distance(base, { ...base, data: new Float32Array(base.data.length) });
  return { presets: [a, b], differences, moved: await movedWith(to), size, steps: STEPS, count: COUNT };
}

type Pair = [number, number];

const firstOf =
  (schedule: NoiseSchedule) =>
  ({ firstLogVariance }: Preset): number =>
    posteriorLogVariance({ schedule, step: 0, first: firstLogVariance });

function imperfectDenoiser(schedule: NoiseSchedule): Denoiser {
  const angles = Array.from({ length: 8 }, (_, i) => (i * Math.PI) / 4);
  const means = angles.map((angle) => [0.9 * Math.cos(angle), 0.9 * Math.sin(angle)]);
  const exact = mixtureDenoiser(gaussianMixture({ means, covariances: [0.01] }), schedule);
  return (xt, step) => {
    const eps = exact(xt, step);
    return { ...eps, data: eps.data.map((value) => EXCESS * value) };
  };
}

function samplesWith(preset: Preset, denoiser: Denoiser, schedule: NoiseSchedule): Promise<FloatTensor> {
  const steps = preset.spacing.steps(schedule, STEPS);
  const noise = seededNoise(0);
  return finalSample(ddim()({ denoiser, schedule, shape: [COUNT, 2], noise, steps, ...samplingOptions(preset) }));
}

function distance(a: FloatTensor, b: FloatTensor): number {
  const squares = a.data.reduce((sum, x, i) => sum + (x - (b.data[i] ?? Number.NaN)) ** 2, 0);
  return Math.sqrt(squares / a.data.length);
}
