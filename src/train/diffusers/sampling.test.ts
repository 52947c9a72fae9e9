import { describe, expect, it } from "vitest";
import { fixedDenoiser, goldenNoise, goldenShape, readGolden } from "../../../test/golden-diffusers.ts";
import { finalSample } from "../../diffusion/sampler.ts";
import { scheduleFromConfig } from "../../diffusion/schedules/schedule-config.ts";
import { at } from "../../math/error.ts";
import { processOf, schedulerFile, schedulerSchema, type SchedulerFile } from "../scheduler-config.ts";
import { parsePythonJson, pythonJsonText } from "./python-json.ts";
import { samplingOf } from "./sampling.ts";

interface GoldenRun {
  /** Text of scheduler_config.json. */
  readonly file: string;
  readonly N: number;
  readonly eta?: number;
  readonly use_clipped_model_output?: boolean;
  readonly steps: readonly number[];
  readonly end: readonly number[] | null;
}

const { runs } = readGolden("scheduler-configs.json") as { runs: GoldenRun[] };
const fileOf = ({ file }: GoldenRun): SchedulerFile => schedulerSchema.parse(parsePythonJson(file, "file"));

/** What a case changes of its class, for its name. */
function nameOf(run: GoldenRun): string {
  const shown = [
    "prediction_type",
    "timestep_spacing",
    "steps_offset",
    "variance_type",
    "algorithm_type",
    "solver_order",
  ];
  const file = fileOf(run);
  const changes = Object.entries(file).filter(([key, value]) => shown.includes(key) || value === true);
  return [file._class_name, `N ${run.N}`, ...changes.map(([key, value]) => `${key} ${String(value)}`)].join(" ");
}

/** The network is asked twice a step by Heun, and not at all for a last step that moves nothing. */
function stepsOf(run: GoldenRun): Int32Array {
  const file = fileOf(run);
  if (file._class_name === "HeunDiscreteScheduler") return Int32Array.from(new Set(run.steps));
  const idle = file["final_sigmas_type"] === "sigma_min" && run.steps.at(-1) === 0;
  return Int32Array.from(idle ? run.steps.slice(0, -1) : run.steps);
}

/** The largest difference between our end of a run and that of diffusers. */
async function gapOf(run: GoldenRun, file: SchedulerFile = fileOf(run)): Promise<number> {
  const { eta, use_clipped_model_output: rederivedEps } = run;
  const asked = { ...(eta !== undefined && { eta }), ...(rederivedEps !== undefined && { rederivedEps }) };
  const choice = samplingOf(file).choose(run.N, asked);
  const schedule = scheduleFromConfig(processOf(file).schedule);
  const says = file["variance_type"] === "learned_range" ? "range" : undefined;
  const prediction = (file["prediction_type"] ?? "epsilon") as "epsilon";
  const end = await finalSample(
    choice.sampler({
      denoiser: fixedDenoiser(schedule, prediction, says),
      schedule,
      shape: goldenShape,
      noise: goldenNoise,
      ...choice.options,
    }),
  );
  return Math.max(...Array.from(end.data, (value, i) => Math.abs(value - (run.end?.[i] ?? Number.NaN))));
}

describe("schedulers of diffusers, read from their files", () => {
  it.each(runs.map((run) => [nameOf(run), run] as const))("%s", async (_name, run) => {
    expect(samplingOf(fileOf(run)).choose(run.N).options.steps).toEqual(stepsOf(run));
    expect(await gapOf(run)).toBeLessThan(5e-4);
  });
});

/** The first run whose file and arguments are as wanted. */
function find(wanted: Readonly<Record<string, unknown>>, N: number): GoldenRun {
  const holds = (run: GoldenRun): boolean =>
    run.N === N && Object.entries(wanted).every(([key, value]) => fileOf(run)[key] === value);
  return at(runs.filter(holds), 0);
}

describe("values that matter", () => {
  const ddpm = { _class_name: "DDPMScheduler" };
  const ddim = { _class_name: "DDIMScheduler" };
  const dpm = { _class_name: "DPMSolverMultistepScheduler" };
  it.each([
    ["variance_type", find({ ...ddpm, variance_type: "fixed_large" }, 10), { variance_type: "fixed_small" }],
    ["clip_sample_range", find({ ...ddim, clip_sample_range: 0.7 }, 10), { clip_sample_range: 0.75 }],
    ["sample_max_value", find({ ...ddpm, sample_max_value: 3 }, 10), { sample_max_value: 1 }],
    [
      "set_alpha_to_one",
      find({ ...ddim, set_alpha_to_one: false, clip_sample: false }, 10),
      { set_alpha_to_one: true },
    ],
    ["solver_order", find({ ...dpm, solver_order: 2 }, 20), { solver_order: 1 }],
    ["lower_order_final", find({ ...dpm, lower_order_final: false }, 10), { lower_order_final: true }],
    ["use_karras_sigmas", find({ ...dpm, use_karras_sigmas: true }, 10), { use_karras_sigmas: false }],
    ["final_sigmas_type", find({ ...dpm, final_sigmas_type: "sigma_min" }, 20), { final_sigmas_type: "zero" }],
    ["prediction_type", find({ ...ddim, prediction_type: "sample" }, 10), { prediction_type: "epsilon" }],
  ])("%s: another one leads elsewhere", async (_key, run, change) => {
    expect(await gapOf(run)).toBeLessThan(5e-4);
    expect(await gapOf(run, { ...fileOf(run), ...change })).toBeGreaterThan(2e-3);
  });
});

const ddpmFile = fileOf(at(runs, 0));

describe("a file of diffusers", () => {
  it("is written back as it was, infinite numbers too", () => {
    for (const run of runs) {
      const file = fileOf(run);
      expect(schedulerFile(processOf(file), file)).toBe(file);
      expect(JSON.parse(pythonJsonText(file).replace("-Infinity", "-1e999"))).toEqual(parsePythonJson(run.file, "x"));
    }
    expect(runs.filter(({ file }) => file.includes("-Infinity")).length).toBeGreaterThan(10);
  });

  it("keeps its way of sampling, and keys that nobody knows, when the process changes", () => {
    const file = { ...ddpmFile, _class_name: "UniPCMultistepScheduler" as const, note: null, solver_order: 3 };
    const facts = { ...processOf(file), prediction: "v" as const };
    expect(schedulerFile(facts, file)).toMatchObject({ ...file, prediction_type: "v_prediction" });
  });

  it("has the values of its class where it leaves keys out", () => {
    const heun: SchedulerFile = { _class_name: "HeunDiscreteScheduler" };
    expect(processOf(heun).schedule).toMatchObject({ schedule: "linear", betaStart: 0.00085, betaEnd: 0.012 });
    expect(samplingOf(heun).limits).toEqual({});
    expect(samplingOf({ _class_name: "DDPMScheduler" }).limits).toMatchObject({ clip: [-1, 1] });
    expect(processOf({ _class_name: "DDPMScheduler" }).variance).toBe("small");
  });

  it("has None for no, as Python does", () => {
    const file = schedulerSchema.parse({ _class_name: "DDPMScheduler", clip_sample: null });
    expect(samplingOf(file).limits).toEqual({});
  });
});

describe("what cannot be followed", () => {
  const class_ = (name: SchedulerFile["_class_name"]): SchedulerFile => ({ _class_name: name });
  it.each([
    ["DPMSolverMultistepScheduler", "algorithm_type", "dpmsolver"],
    ["DPMSolverMultistepScheduler", "solver_order", 3],
    ["DPMSolverMultistepScheduler", "solver_type", "heun"],
    ["DPMSolverMultistepScheduler", "use_beta_sigmas", true],
    ["DPMSolverMultistepScheduler", "use_exponential_sigmas", true],
    ["DPMSolverMultistepScheduler", "use_flow_sigmas", true],
    ["EulerDiscreteScheduler", "use_karras_sigmas", true],
    ["EulerDiscreteScheduler", "interpolation_type", "log_linear"],
    ["HeunDiscreteScheduler", "use_karras_sigmas", true],
    ["UniPCMultistepScheduler", "predict_x0", false],
    ["UniPCMultistepScheduler", "disable_corrector", [0]],
    ["UniPCMultistepScheduler", "solver_p", { order: 1 }],
    ["DDPMScheduler", "variance_type", "learned"],
    ["DDPMScheduler", "shift", 3],
  ] as const)("%s: %s %j: one line with the key and its value", (name, key, value) => {
    const act = (): unknown => samplingOf({ ...class_(name), [key]: value });
    expect(act).toThrow(new RegExp(`^scheduler_config.json: ${key}: [^\n]+ cannot be followed: [^\n]+$`));
    expect(act).toThrow(JSON.stringify(value));
  });

  it("includes steps between steps, numbers of steps that a spacing does not have, and options of other classes", () => {
    const euler = samplingOf(class_("EulerDiscreteScheduler"));
    expect(() => euler.choose(20)).toThrow(/linspace of 20 steps asks .* \(at 946\.4211\).* \(10 or 28\)/);
    expect(euler.choose(28).steps).toBe(28);
    expect(() => samplingOf({ ...class_("DDPMScheduler"), steps_offset: 1 }).choose(1000)).toThrow(/steps_offset: 1/);
    expect(() => samplingOf(class_("UniPCMultistepScheduler")).choose(1000)).toThrow(/at most 999 steps/);
    expect(() => samplingOf(class_("DDPMScheduler")).choose(0)).toThrow(/steps: expected an integer ≥ 1/);
    expect(() => samplingOf(class_("DDPMScheduler")).choose(5, { eta: 1 })).toThrow(/eta: DDPMScheduler has none/);
    expect(() => samplingOf(class_("DDIMScheduler")).choose(5, { eta: 2 })).toThrow(/eta: expected/);
    const lowest = { ...class_("UniPCMultistepScheduler"), use_karras_sigmas: true, final_sigmas_type: "sigma_min" };
    expect(() => samplingOf(lowest).choose(10)).toThrow(/final_sigmas_type/);
    const steep = { rescale_betas_zero_snr: true, timestep_spacing: "trailing" };
    expect(() => samplingOf({ ...class_("EulerDiscreteScheduler"), ...steep }).choose(1000)).toThrow(/rescale_betas/);
  });

  it("does not include what a class does not read, or what is off", () => {
    const file = { ...class_("EulerDiscreteScheduler"), solver_order: 3, algorithm_type: "dpmsolver", shift: null };
    expect(samplingOf(file).name).toBe("euler");
    expect(() => schedulerSchema.parse({ _class_name: "DDPMScheduler", clip_sample: "yes" })).toThrow();
  });
});
