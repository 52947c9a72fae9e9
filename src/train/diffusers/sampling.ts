import { samplerOf } from "../../diffusion/linear-method.ts";
import type { SamplerChoice } from "../../diffusion/sampler-choice.ts";
import { samplerTable, type SamplerName } from "../../diffusion/sampler-table.ts";
import type { SamplerOptions } from "../../diffusion/sampler.ts";
import type { ReverseVariance } from "../../diffusion/samplers/ddpm.ts";
import { euler } from "../../diffusion/samplers/euler.ts";
import { heun } from "../../diffusion/samplers/heun.ts";
import { uniPc } from "../../diffusion/samplers/unipc.ts";
import { alphaCumprodAt } from "../../diffusion/schedule.ts";
import { scheduleFromConfig } from "../../diffusion/schedules/schedule-config.ts";
import { UnnoiseError, at } from "../../math/error.ts";
import { counted } from "../../math/text.ts";
import { processOf, schedulerValues, type SchedulerFile } from "../scheduler-config.ts";
import { endScaled, fromScaledNoise } from "./at-levels.ts";
import { curveOf } from "./levels.ts";
import { onSigmas, standstill, type Prepared, type Run } from "./on-sigmas.ts";
import { dpmSolver, noisyEndDdpm, strideDdim } from "./own-steps.ts";
import { checkFollowed } from "./refusals.ts";
import type { SchedulerName } from "./scheduler-classes.ts";
import type { SchedulerValues } from "./scheduler-keys.ts";
import { solverTimesteps, unroundedTimesteps, wholeTimesteps, type Timesteps } from "./timesteps.ts";

type Limits = Pick<SamplerOptions, "clip" | "threshold" | "epsAfterLimit">;

/** What a pipeline is asked when it runs, not when it is saved. */
export interface PipelineOptions {
  /** η of DDIM in [0, 1]; 0 if absent. */
  readonly eta?: number;
  /** Whether DDIM derives ε again from the limited x̂_0 (`use_clipped_model_output`); no if absent. */
  readonly rederivedEps?: boolean;
}

/** How a scheduler's file asks for samples. */
export interface SchedulerSampling {
  readonly name: SamplerName;
  /** Steps where none are asked for. */
  readonly usualSteps: number;
  /** What limits x̂_0, for any sampler. */
  readonly limits: Limits;
  /**
   * The sampler for a number of steps.
   * @param count N; `usualSteps` if absent
   * @throws UnnoiseError `usage` for a number of steps that this spacing does not have, or options of another class
   */
  readonly choose: (count?: number, options?: PipelineOptions) => SamplerChoice;
}

/** One run with what the pipeline was asked. */
interface AskedRun extends Run {
  readonly options: PipelineOptions;
}

interface SamplingRow {
  readonly sampler: (values: SchedulerValues) => SamplerName;
  readonly timesteps: Timesteps;
  readonly prepare: (run: AskedRun) => Prepared;
  /** ε after x̂_0 was limited. */
  readonly eps: NonNullable<SamplerOptions["epsAfterLimit"]>;
}

/** How each class samples. */
const rows: Readonly<Record<SchedulerName, SamplingRow>> = {
  DDPMScheduler: {
    sampler: () => "ddpm",
    timesteps: wholeTimesteps,
    prepare: ({ values, steps }) => ({ sampler: samplerOf(noisyEndDdpm(reverseVariance(values))), steps }),
    eps: "kept",
  },
  DDIMScheduler: { sampler: () => "ddim", timesteps: wholeTimesteps, prepare: prepareDdim, eps: "kept" },
  DPMSolverMultistepScheduler: {
    sampler: ({ algorithm_type: type }) => (type.startsWith("sde") ? "dpmpp-2m-sde" : "dpmpp-2m"),
    timesteps: solverTimesteps,
    prepare: prepareDpmSolver,
    eps: "rederived",
  },
  EulerDiscreteScheduler: {
    sampler: () => "euler",
    timesteps: unroundedTimesteps,
    prepare: (run) =>
      scaledStart(
        run,
        onSigmas(run, () => euler()),
      ),
    eps: "kept",
  },
  HeunDiscreteScheduler: {
    sampler: () => "heun",
    timesteps: unroundedTimesteps,
    prepare: (run) => scaledStart(run, { sampler: heun(), steps: run.steps }),
    eps: "rederived",
  },
  UniPCMultistepScheduler: {
    sampler: () => "unipc",
    timesteps: solverTimesteps,
    prepare: prepareUniPc,
    eps: "rederived",
  },
};

/**
 * The way of sampling that a scheduler's file asks for, as diffusers does it.
 * @param where what error messages call the file
 * @throws UnnoiseError `usage` for what unnoise cannot do exactly, naming the key and its value
 */
export function samplingOf(file: SchedulerFile, where: string = "scheduler_config.json"): SchedulerSampling {
  const values = schedulerValues(file);
  checkFollowed(file, values, where);
  const row = rows[file._class_name];
  const name = row.sampler(values);
  const schedule = scheduleFromConfig(processOf(file).schedule);
  const usual = samplerTable[name].usualSteps;
  const usualSteps = usual === "all" ? schedule.timesteps : Math.min(usual, schedule.timesteps);
  const limits = limitsOf(values, row.eps);
  return {
    name,
    usualSteps,
    limits,
    choose: (count = usualSteps, options = {}) => {
      checkOptions(options, file._class_name);
      checkCount(count);
      const steps = curveOf(values) ? new Int32Array(count) : row.timesteps(values, count, schedule);
      const prepared = row.prepare({ name: file._class_name, values, schedule, count, steps, options });
      return {
        name,
        sampler: prepared.sampler,
        steps: prepared.steps.length,
        options: {
          steps: prepared.steps,
          ...limits,
          ...(options.rederivedEps === true && { epsAfterLimit: "rederived" }),
        },
        label: [samplerTable[name].label, counted(prepared.steps.length, "step"), `as ${file._class_name}`].join(", "),
      };
    },
  };
}

function checkCount(count: number): void {
  if (Number.isInteger(count) && count >= 1) return;
  throw new UnnoiseError("usage", `steps: expected an integer ≥ 1, got ${count}`);
}

function checkOptions({ eta, rederivedEps }: PipelineOptions, name: SchedulerName): void {
  if (name === "DDIMScheduler" || (eta === undefined && rederivedEps === undefined)) {
    if (eta === undefined || (eta >= 0 && eta <= 1)) return;
    throw new UnnoiseError("usage", `eta: expected a number in 0…1, got ${eta}`);
  }
  const given = eta === undefined ? "rederivedEps" : "eta";
  throw new UnnoiseError("usage", `${given}: ${name} has none; leave it out, or choose ddim`);
}

function limitsOf(values: SchedulerValues, epsAfterLimit: SamplingRow["eps"]): Limits {
  const { thresholding, dynamic_thresholding_ratio: quantile, sample_max_value: max } = values;
  if (thresholding) return { threshold: { quantile, max }, epsAfterLimit };
  const { clip_sample: clips, clip_sample_range: range } = values;
  return clips ? { clip: [-range, range], epsAfterLimit } : {};
}

function reverseVariance({ variance_type: type }: SchedulerValues): ReverseVariance {
  if (type === "learned_range") return "learned";
  return type?.startsWith("fixed_large") === true ? "large" : "small";
}

function prepareDdim({ values, schedule, count, steps, options: { eta = 0 } }: AskedRun): Prepared {
  const stride = Math.floor(schedule.timesteps / count);
  return { sampler: samplerOf(strideDdim({ stride, end: values.set_alpha_to_one ? -1 : 0, eta })), steps };
}

function prepareDpmSolver(run: Run): Prepared {
  const { algorithm_type: type, solver_order: order, lower_order_final: lowers, euler_at_final: euler } = run.values;
  const [sde, lowerLast] = [type.startsWith("sde"), euler || (lowers && run.count < 15)];
  return onSigmas(run, (whole) =>
    samplerOf(dpmSolver({ order: order === 1 ? 1 : 2, sde, lowerLast: lowerLast && whole })),
  );
}

function prepareUniPc(run: Run): Prepared {
  const { solver_order: order, solver_type: type, lower_order_final: lowerOrderFinal } = run.values;
  return onSigmas(run, (whole) => {
    if (!whole) throw standstill(run);
    return uniPc({
      order: order === 3 ? 3 : order === 2 ? 2 : 1,
      variant: type === "bh1" ? "bh1" : "bh2",
      lowerOrderFinal,
    });
  });
}

/** x_T and the end as in x/√ᾱ, which Euler and Heun of diffusers work with. */
function scaledStart({ values, schedule }: Run, { sampler, steps }: Prepared): Prepared {
  const end = values.final_sigmas_type === "zero" ? 1 : 1 / Math.sqrt(alphaCumprodAt(schedule, 0));
  const ended = end === 1 ? sampler : endScaled(sampler, end);
  if (values.timestep_spacing === "leading") return { sampler: ended, steps };
  return { sampler: fromScaledNoise(ended, at(steps, 0)), steps };
}
