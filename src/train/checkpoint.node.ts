import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { codeOf, ioError } from "../formats/io-error.ts";
import { makeFolder } from "../formats/make-folder.node.ts";
import { decodeSafetensors, encodeSafetensors } from "../formats/safetensors.ts";
import { readFileBytes, writeFileAtomic } from "../formats/write-file.node.ts";
import { REMEMBERED, type LossHistory } from "../diffusion/objectives/loss-moments.ts";
import { UnnoiseError } from "../math/error.ts";
import { shown } from "../math/shown.ts";
import {
  floatTensor,
  sameShape,
  shapeText,
  type DType,
  type Shape,
  type Tensor,
  type TypedArrays,
} from "../tensor/tensor.ts";
import { BLANK_SEAL, SEAL, checkSeal, sealed } from "./checkpoint-seal.node.ts";
import type { TrainingConfig } from "./config.ts";
import type { LossWindow } from "./loss-window.ts";
import { stateNames } from "./train-step.ts";
import type { StateVectors } from "./step-engine.ts";
import { requireFinite, type TrainingState } from "./trainer.ts";

/** How many checkpoints a run keeps: the newest and one to fall back on. */
const KEPT = 2;
const PATTERN = /^(\d{12})\.safetensors$/;

/** Everything that the next step and the next log line depend on. */
export interface Checkpoint {
  readonly state: TrainingState;
  readonly window: LossWindow;
}

/** Whether a file name is that of a checkpoint. */
export function isCheckpoint(name: string): boolean {
  return PATTERN.test(name);
}

/** Names of the tensors of a loss history. */
const HISTORY = { losses: "loss_history", counts: "loss_counts" } as const;

/** The tensor of a further average of the weights. */
const averageName = (index: number): string => `ema.${index + 1}`;

/** What a checkpoint must fit. */
type Fit = Pick<TrainingConfig, "timesteps" | "timestepDraw" | "moreEmaDecays">;

const windowSchema = z.strictObject({ sum: z.number(), gradientNormSum: z.number(), count: z.int().min(0) });

const fileName = (iteration: number): string => `${String(iteration).padStart(12, "0")}.safetensors`;

/**
 * Writes `folder/<iteration>.safetensors` with a checksum of all its bytes and removes checkpoints older than the last two, and those of
 * later iterations: what a run that goes on from here passed over.
 * @throws UnnoiseError `io` when it cannot be written; earlier checkpoints stay. `not-finite` when a vector is not finite.
 */
export async function saveCheckpoint(folder: string, { state, window }: Checkpoint): Promise<void> {
  const { iteration, vectors, lossHistory, averages = [] } = state;
  requireFinite(state);
  const tensors = new Map<string, Tensor>(
    stateNames.map((name) => [name, floatTensor(vectors[name], [vectors[name].length])]),
  );
  averages.forEach((average, i) => tensors.set(averageName(i), floatTensor(average, [average.length])));
  if (lossHistory) {
    const { losses, counts } = lossHistory;
    tensors.set(HISTORY.losses, floatTensor(losses, [counts.length, REMEMBERED]));
    tensors.set(HISTORY.counts, { dtype: "int32", shape: [counts.length], data: counts });
  }
  // Float64 sums as text: JSON keeps every bit of a double.
  const metadata = { iteration: String(iteration), window: JSON.stringify(window), [SEAL]: BLANK_SEAL };
  await makeFolder(folder);
  await writeFileAtomic(join(folder, fileName(iteration)), sealed(encodeSafetensors(tensors, metadata)));
  const names = await checkpointNames(folder);
  const kept = names.filter((name) => name <= fileName(iteration)).slice(-KEPT);
  const old = names.filter((name) => !kept.includes(name));
  await Promise.all(old.map((name) => rm(join(folder, name), { force: true })));
}

/** Checkpoint files of a folder, oldest first; none if the folder does not exist. */
async function checkpointNames(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    if (codeOf(cause) === "ENOENT") return [];
    throw ioError("read", folder, cause);
  });
  return names.filter(isCheckpoint).sort();
}

export interface LoadCheckpointOptions {
  /** Told of each damaged checkpoint before the one before it is tried; where it is absent, a damaged one is refused. */
  readonly onDamage?: (message: string) => void;
}

/**
 * Reads the newest checkpoint of a folder, or `undefined` where there is none.
 * @param size P: values of each vector
 * @param fit of the run's configuration: whether and for how many steps there is a history of losses
 * @throws UnnoiseError `run-folder` when the file is damaged or belongs to another network, `io` when it cannot be read
 */
export async function loadCheckpoint(
  folder: string,
  size: number,
  fit: Fit,
  { onDamage }: LoadCheckpointOptions = {},
): Promise<Checkpoint | undefined> {
  const names = (await checkpointNames(folder)).reverse();
  for (const [i, name] of names.entries()) {
    const path = join(folder, name);
    const bytes = await readFileBytes(path);
    try {
      return decodeCheckpoint(bytes, path, size, fit);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const before = names[i + 1];
      const advice = adviceOn(folder, onDamage !== undefined, before);
      const message = `checkpoint cannot be used: ${reason}; ${advice}`;
      if (onDamage === undefined || before === undefined) throw new UnnoiseError("run-folder", message, { cause });
      onDamage(message);
    }
  }
  return undefined;
}

/** What to do about a damaged checkpoint, or what is done. */
function adviceOn(folder: string, goesOn: boolean, before: string | undefined): string {
  if (before === undefined) {
    return `there is none before it: delete ${folder} to train from the start with --resume, or start again with --overwrite`;
  }
  return goesOn ? `going on from the one before, ${before}` : "train --resume goes on from the one before it";
}

function decodeCheckpoint(bytes: Uint8Array, path: string, size: number, fit: Fit): Checkpoint {
  const { tensors, metadata } = decodeSafetensors(bytes, path);
  const iteration = Number(metadata["iteration"]);
  if (!Number.isSafeInteger(iteration) || iteration < 0 || metadata["window"] === undefined) {
    throw new UnnoiseError("format", `${path}: iteration and loss window are missing`);
  }
  const { iteration: _, window, [SEAL]: seal, ...unknown } = metadata;
  const [other] = Object.keys(unknown);
  // A damaged name of the sum must not make the file one of those from before there were sums.
  if (other !== undefined) throw new UnnoiseError("format", `${path}: unknown metadata ${shown(other)}`);
  if (seal !== undefined) checkSeal(bytes, seal, path);
  const read: Reader = (name, dtype, shape) => checked(tensors.get(name), `${path}: ${name}`, dtype, shape);
  const vectors = Object.fromEntries(stateNames.map((name) => [name, read(name, "float32", [size])]));
  const averages = fit.moreEmaDecays.map((_, i) => read(averageName(i), "float32", [size]));
  const lossHistory = fit.timestepDraw === "importance" ? historyOf(read, fit.timesteps) : undefined;
  return {
    state: { iteration, vectors: vectors as unknown as StateVectors, averages, ...(lossHistory && { lossHistory }) },
    window: windowSchema.parse(JSON.parse(window)),
  };
}

type Reader = <D extends DType>(name: string, dtype: D, shape: Shape) => TypedArrays[D];

function historyOf(read: Reader, timesteps: number): LossHistory {
  const losses = read(HISTORY.losses, "float32", [timesteps, REMEMBERED]);
  const counts = read(HISTORY.counts, "int32", [timesteps]);
  if (losses.every(Number.isFinite) && counts.every((count) => count >= 0 && count <= REMEMBERED))
    return { losses, counts };
  throw new UnnoiseError(
    "format",
    `the history of losses holds numbers that are none, or counts outside 0…${REMEMBERED}`,
  );
}

function checked<D extends DType>(tensor: Tensor | undefined, where: string, dtype: D, shape: Shape): TypedArrays[D] {
  if (tensor?.dtype === dtype && sameShape(tensor.shape, shape)) return tensor.data as TypedArrays[D];
  const got = tensor ? `${tensor.dtype} ${shapeText(tensor.shape)}` : "nothing";
  throw new UnnoiseError("format", `${where}: expected ${dtype} ${shapeText(shape)}, got ${got}`);
}
