import { basename, extname } from "node:path";
import { z } from "zod";
import { chooseSampler, type SamplerFlags } from "../diffusion/sampler-choice.ts";
import { scheduleFromConfig } from "../diffusion/schedules/schedule-config.ts";
import { readStructuredFile } from "../formats/structured-file.node.ts";
import { UnnoiseError } from "../math/error.ts";
import { shortened, shown } from "../math/shown.ts";
import { nearMiss } from "../math/near-miss.ts";
import { checkTrainingOptions, learnsSchedule, parseTrainingConfig } from "../train/config.ts";
import { reverseVarianceOf } from "../train/model.ts";
import { valueAt } from "../train/zod-issue.ts";
import { gridPlan } from "./grid-plan.node.ts";
import type { GridStudy, Setting } from "./grid.ts";
import { baseTraining, measuredPoints } from "./measures.node.ts";
import { checkSamplingOptions } from "./sampling-options.ts";
import type { Scale, Study, TrainingChoice } from "./study.ts";

/** Most settings of one study. */
const MOST_SETTINGS = 1000;
/** Most options that a grid varies, and most data sets: each setting is checked for all of them. */
const MOST_KEYS = 100;

const options = z.record(z.string(), z.unknown());
const count = z.int().min(1);
const schema = z.strictObject({
  title: z.string().min(1).optional(),
  question: z.string().min(1).optional(),
  data: z.union([z.string(), z.array(z.string()).min(1).max(MOST_KEYS)]).optional(),
  seeds: count.max(1000).optional(),
  points: count.max(20_000).optional(),
  bound: count.max(1_000_000).optional(),
  train: options.default({}),
  sample: options.default({}),
  grid: z
    .record(z.string(), z.array(z.unknown()).min(1))
    .refine((grid) => Object.keys(grid).length <= MOST_KEYS, `expected at most ${MOST_KEYS} keys`)
    .optional(),
  settings: z
    .array(z.strictObject({ label: z.string().min(1), train: options.default({}), sample: options.default({}) }))
    .min(1)
    .max(MOST_SETTINGS)
    .optional(),
});
type StudyFile = z.infer<typeof schema>;

/**
 * Reads a study from a .json or .yaml file: options of training (`train`) and sampling (`sample`) that all settings share, and
 * either `grid`, options such as `train.batchSize` or `sample.eta` each with a list of values, of which every combination is a
 * setting, or `settings`, a list of them with labels.
 * @throws UnnoiseError `io` when it cannot be read, `usage` for an unknown key (a near miss is suggested), a value out of range
 * or options that do not go together
 */
export async function readStudyFile(path: string): Promise<Study> {
  const file = checkFile(await readStructuredFile(path), path);
  const settings = settingsOf(file, path);
  checkDistinct(settings, path);
  const training = trainingOptions(file.train, `${path}: train`);
  for (const scale of ["quick", "full"] as const) {
    for (const setting of settings) checkSetting(setting, { ...baseTraining[scale], ...training }, path);
  }
  const name = basename(path, extname(path));
  const about = {
    name,
    title: file.title ?? name,
    question: file.question ?? `How do ${settings.length} settings compare?`,
  };
  const studyOf = (scale: Scale): GridStudy => ({ ...about, settings, training, sizes: sizesOf(file, scale) });
  const { data, seeds } = file;
  return {
    ...about,
    ...(data !== undefined && { data: typeof data === "string" ? [data] : data }),
    ...(seeds !== undefined && { seeds }),
    plan: (asked) => gridPlan(studyOf(asked.scale), asked),
  };
}

function sizesOf({ points, bound }: StudyFile, scale: Scale): GridStudy["sizes"] {
  const rows = bound === undefined ? null : { rows: bound, stepsPerRow: null };
  return { points: points ?? measuredPoints[scale], bound: rows };
}

const fileKeys = Object.keys(schema.shape);

function checkFile(value: Record<string, unknown>, path: string): StudyFile {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw notUnderstood(parsed.error, value, path);
  if ((parsed.data.grid === undefined) === (parsed.data.settings === undefined)) {
    const got = parsed.data.grid === undefined ? "neither" : "both";
    throw new UnnoiseError("usage", `${path}: expected either grid or settings, got ${got}`);
  }
  return parsed.data;
}

function notUnderstood({ issues }: z.ZodError, value: unknown, path: string): UnnoiseError {
  const [issue] = issues;
  if (issue?.code === "unrecognized_keys") {
    const key = issue.keys[0] ?? "";
    const near = nearMiss(key, fileKeys);
    const advice = near === undefined ? `known keys: ${fileKeys.join(", ")}` : `did you mean ${near}?`;
    return new UnnoiseError("usage", `${path}: unknown key ${shortened(key, 60)}; ${advice}`);
  }
  const keys = issue?.path ?? [];
  const where = `${path}: ${keys.map(String).join(".")}`;
  return new UnnoiseError(
    "usage",
    `${where}: got ${shown(valueAt(value, keys))}; ${issue?.message ?? "not understood"}`,
  );
}

/** Options that a study sets itself, and what to use instead. */
const elsewhere: Readonly<Record<string, string>> = {
  data: "use data at the top of the file, or --data",
  seed: "use --seed and seeds",
  device: "studies run on cpu",
  drop: "leave the columns out of the file: unnoise data FILE --drop NAMES --out OTHER",
  scale: "studies scale columns by mean and standard deviation",
  threads: "each run has one thread; use --workers",
};

function trainingOptions(given: Readonly<Record<string, unknown>>, where: string): TrainingChoice {
  const own = Object.keys(given).find((key) => Object.hasOwn(elsewhere, key));
  if (own !== undefined)
    throw new UnnoiseError("usage", `${where}: ${own} is not for a study; ${elsewhere[own] ?? ""}`);
  checkTrainingOptions({ ...given, data: "any" }, where);
  return given;
}

function settingsOf({ grid, settings, sample }: StudyFile, path: string): Setting[] {
  if (grid !== undefined) return combinations(grid, path).map((values) => gridSetting(values, sample, path));
  return (settings ?? []).map(({ label, ...setting }, index) => {
    const where = `${path}: settings ${index + 1}`;
    const training = trainingOptions(setting.train, `${where}: train`);
    return { label, training, sampling: checkSamplingOptions({ ...sample, ...setting.sample }, `${where}: sample`) };
  });
}

/** @throws UnnoiseError `usage` for two settings under one label */
function checkDistinct(settings: readonly Setting[], path: string): void {
  const labels = settings.map(({ label }) => label);
  const twice = labels.find((label, index) => labels.indexOf(label) !== index);
  if (twice === undefined) return;
  throw new UnnoiseError("usage", `${path}: two settings are called "${shortened(twice, 60)}"; expected each once`);
}

type Values = readonly (readonly [string, unknown])[];

/** Every combination of values. */
function combinations(grid: Readonly<Record<string, readonly unknown[]>>, path: string): Values[] {
  const size = Object.values(grid).reduce((product, values) => product * values.length, 1);
  if (size > MOST_SETTINGS || Object.keys(grid).length === 0) {
    throw new UnnoiseError("usage", `${path}: grid: expected 1 to ${MOST_SETTINGS} settings, got ${size}`);
  }
  return Object.entries(grid).reduce<Values[]>(
    (rows, [key, values]) => rows.flatMap((row) => values.map((value) => [...row, [key, value] as const])),
    [[]],
  );
}

function gridSetting(values: Values, shared: Readonly<Record<string, unknown>>, path: string): Setting {
  const part = (name: string): Record<string, unknown> =>
    Object.fromEntries(
      values.flatMap(([key, value]) => (key.startsWith(`${name}.`) ? [[key.slice(name.length + 1), value]] : [])),
    );
  const stray = values.find(([key]) => !/^(train|sample)\../.test(key));
  if (stray) {
    throw new UnnoiseError(
      "usage",
      `${path}: grid: expected keys such as train.batchSize or sample.eta, got ${shortened(stray[0], 60)}`,
    );
  }
  const words = values.map(([key, value]) => `${key.slice(key.indexOf(".") + 1)} ${wordOf(value)}`);
  const training = trainingOptions(part("train"), `${path}: grid: train`);
  const sampling = checkSamplingOptions({ ...shared, ...part("sample") }, `${path}: grid: sample`);
  return { label: words.join(", "), training, sampling };
}

const wordOf = (value: unknown): string => (typeof value === "string" ? shortened(value, 60) : shown(value));

/** Checks that all options of a setting go together, before anything is trained. */
function checkSetting({ label, training, sampling }: Setting, shared: TrainingChoice, path: string): void {
  try {
    const config = parseTrainingConfig({ ...shared, ...training, data: "any" }, label);
    if (learnsSchedule(config)) return;
    const process = { schedule: scheduleFromConfig(config), variance: reverseVarianceOf(config) };
    chooseSampler(sampling satisfies SamplerFlags, process);
  } catch (cause) {
    if (!(cause instanceof UnnoiseError)) throw cause;
    const where = cause.message.startsWith(label) ? "" : `${label}: `;
    throw new UnnoiseError(cause.code, `${path}: ${where}${cause.message}`, { cause });
  }
}
