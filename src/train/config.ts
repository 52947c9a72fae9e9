import { distance } from "fastest-levenshtein";
import { z } from "zod";
import { UnnoiseError } from "../math/error.ts";
import { devices, type Device } from "../runtime/backend.ts";

const count = z.int().min(1);
const positive = z.number().positive();

/** Every training option. Keys are camelCase in files and the library, kebab-case as flags. */
export interface TrainingConfig {
  /** A toy set (swiss-roll, moons, cross) or the path of a .csv or .npy file. */
  readonly data: string;
  /** Standard deviation of a toy set's noise; null for its usual one. */
  readonly dataNoise: number | null;
  /** Points of a toy set. */
  readonly dataSize: number;
  /** T, 1…1,000,000. */
  readonly timesteps: number;
  /** β_1 and β_T of the linear schedule, in (0, 1). */
  readonly betaStart: number;
  readonly betaEnd: number;
  readonly iterations: number;
  readonly batchSize: number;
  /** η after warm-up, > 0. */
  readonly learningRate: number;
  /** Iterations over which the learning rate rises linearly from 0. */
  readonly warmup: number;
  /** What follows: `cosine` falls to 0 at the last iteration, `constant` stays. */
  readonly decay: "cosine" | "constant";
  /** AdamW's β1, β2, ε and λ. */
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Largest norm of the gradient, > 0. */
  readonly clipNorm: number;
  /** Decay of the average of the weights after its warm-up, in [0, 1). */
  readonly emaDecay: number;
  readonly width: number;
  /** Residual blocks. */
  readonly depth: number;
  /** Features of the sinusoidal time embedding, even, ≥ 4. */
  readonly timeFeatures: number;
  /** Integer in 0…2^53−1. */
  readonly seed: number;
  readonly device: Device | "auto";
  /** Threads of one operator; null to choose by work. */
  readonly threads: number | null;
  /** Iterations between checkpoints. */
  readonly checkpointEvery: number;
  /** Iterations between log lines. */
  readonly logEvery: number;
}

/** What a caller gives: the data, and whatever differs from the defaults. */
export type TrainingOptions = Pick<TrainingConfig, "data"> & Partial<TrainingConfig>;

const schema = z.strictObject({
  data: z.string().min(1),
  dataNoise: z.number().min(0).nullable().default(null),
  dataSize: count.max(2 ** 31 - 1).default(50_000),
  timesteps: count.max(1_000_000).default(1000),
  betaStart: positive.max(0.999).default(1e-4),
  betaEnd: positive.max(0.999).default(0.02),
  iterations: count.default(10_000),
  batchSize: count.default(256),
  learningRate: positive.default(2e-3),
  warmup: z.int().min(0).default(200),
  decay: z.enum(["cosine", "constant"]).default("cosine"),
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.999),
  epsilon: positive.default(1e-8),
  weightDecay: z.number().min(0).default(0),
  clipNorm: positive.default(1),
  emaDecay: z.number().min(0).lt(1).default(0.999),
  width: count.max(65_536).default(128),
  depth: count.max(1000).default(4),
  timeFeatures: z.int().min(4).multipleOf(2).default(32),
  seed: z.int().min(0).default(0),
  device: z.enum(["auto", ...devices]).default("auto"),
  threads: count.max(1024).nullable().default(null),
  checkpointEvery: count.default(2000),
  logEvery: count.default(100),
});
const keys = Object.keys(schema.shape);

/** The key of `known` nearest to a mistyped `key`, when it is near enough to be meant. */
export function nearMiss(key: string, known: readonly string[]): string | undefined {
  const ranked = known.map((name) => ({ name, edits: distance(key.toLowerCase(), name.toLowerCase()) }));
  const [best] = ranked.sort((a, b) => a.edits - b.edits);
  return best && best.edits <= Math.max(2, key.length / 3) ? best.name : undefined;
}

function unknownKey(key: string, where: string): string {
  const near = nearMiss(key, keys);
  const advice = near ? `did you mean ${near}?` : `known keys: ${keys.join(", ")}`;
  return `${where}: unknown key ${key}; ${advice}`;
}

/**
 * Checks training options and fills in the defaults.
 * @param where what error messages call the source, e.g. a file name
 * @throws UnnoiseError `usage` for an unknown key (a near miss is suggested) or a value out of range
 */
export function parseTrainingConfig(options: unknown, where = "training options"): TrainingConfig {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue?.code === "unrecognized_keys") throw new UnnoiseError("usage", unknownKey(issue.keys[0] ?? "", where));
  const key = issue?.path.join(".") ?? "";
  const value = issue && key !== "" ? (options as Record<string, unknown>)[key] : options;
  const got = value === undefined ? "nothing" : JSON.stringify(value);
  throw new UnnoiseError("usage", `${where}: ${key || "the whole"}: got ${got}; ${issue?.message ?? "not understood"}`);
}
