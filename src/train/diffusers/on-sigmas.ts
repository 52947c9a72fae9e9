import { untilFirstStep, atLevels } from "./at-levels.ts";
import type { Sampler } from "../../diffusion/sampler.ts";
import { alphaCumprodAt, type NoiseSchedule } from "../../diffusion/schedule.ts";
import { UnnoiseError, at } from "../../math/error.ts";
import { checkFalling, curveOf, curveSigmas, sigmasOf, timestepsAt } from "./levels.ts";
import type { SchedulerName } from "./scheduler-classes.ts";
import type { SchedulerValues } from "./scheduler-keys.ts";

/** One run, as a class makes it. */
export interface Run {
  readonly name: SchedulerName;
  readonly values: SchedulerValues;
  readonly schedule: NoiseSchedule;
  /** N, as asked. */
  readonly count: number;
  /** N steps, descending. */
  readonly steps: Int32Array;
}

/** What is sampled with, and at which steps. */
export interface Prepared {
  readonly sampler: Sampler;
  readonly steps: Int32Array;
}

/** The error for a run that would stand still at its end, or all the time. */
export function standstill({ name, values }: Run): UnnoiseError {
  const why = "the run would end with a step from the lowest noise level to itself, which cannot be made here";
  return new UnnoiseError(
    "usage",
    `${name}: final_sigmas_type: ${values.final_sigmas_type}: ${why}; use fewer steps or no curve of noise levels`,
  );
}

/**
 * Puts a sampler on the noise levels that a file asks for: those of the schedule's steps or of a curve, down to the data or to the
 * level of step 0.
 * @param make the sampler; told whether it makes all N steps: one from the lowest level to itself moves nothing and is left out
 */
export function onSigmas(run: Run, make: (whole: boolean) => Sampler): Prepared {
  const table = sigmasOf(run.schedule);
  const levels = levelsOf(run, table);
  const last = lastLevel(run, table, levels);
  const whole = !(at(levels.sigmas, levels.sigmas.length - 1) <= last * (1 + 1e-9));
  const sampler = make(whole);
  const steps = Int32Array.from(whole ? levels.steps : levels.steps.slice(0, -1));
  if (steps.length === 0) throw standstill(run);
  const sigmas = whole ? levels.sigmas : levels.sigmas.slice(0, -1);
  if (!levels.own) return { sampler: last > 0 ? untilFirstStep(sampler) : sampler, steps };
  checkFalling(sigmas);
  return { sampler: atLevels(sampler, { sigmas, timesteps: steps, last }), steps };
}

interface RunLevels {
  readonly steps: readonly number[];
  readonly sigmas: readonly number[];
  /** Whether they are other than the schedule's. */
  readonly own: boolean;
}

function levelsOf({ values, schedule, count, steps }: Run, table: Float64Array): RunLevels {
  const curve = curveOf(values);
  if (curve === undefined) {
    const own = alphaCumprodAt(schedule, at(steps, 0)) === 0;
    return { steps: [...steps], sigmas: Array.from(steps, (step) => at(table, step)), own };
  }
  const [lowest, highest] = [values.sigma_min ?? at(table, 0), values.sigma_max ?? at(table, table.length - 1)];
  const sigmas = curveSigmas(curve, count, lowest, highest);
  return { steps: timestepsAt(table, sigmas), sigmas, own: true };
}

/** The level at which a run ends: the data, that of step 0, or UniPC's own lowest one. */
function lastLevel({ name, values }: Run, table: Float64Array, { sigmas }: RunLevels): number {
  if (values.final_sigmas_type === "zero") return 0;
  const lowest = curveOf(values) && name === "UniPCMultistepScheduler";
  return lowest ? at(sigmas, sigmas.length - 1) : at(table, 0);
}
