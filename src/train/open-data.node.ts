import { open, stat } from "node:fs/promises";
import { extname } from "node:path";
import { toyDataset, type Dataset } from "../data/dataset.ts";
import type { ImageDataset } from "../data/images.ts";
import { noColumnsToDrop } from "../data/drop-columns.ts";
import { densityEndings, loadPoints } from "../data/points.node.ts";
import { checkLearnable, fitStandardiser, standardise } from "../data/standardise.ts";
import { isToyName } from "../data/toy.ts";
import { ioError } from "../formats/io-error.ts";
import { parseNpyHeader } from "../formats/npy-header.ts";
import type { Shape } from "../tensor/tensor.ts";
import { checkCountFits } from "./count-memory.ts";
import { machineMemory } from "../formats/machine-memory.node.ts";
import type { DataKind, TrainingConfig } from "./config.ts";
import { imageData, pointData, type TrainingData } from "./training-data.ts";
import type { DataFacts } from "./trainer.ts";

/** Sets of images that are found by name. */
export const imageNames: readonly string[] = ["fashion-mnist", "digits"];

/**
 * Whether a name or path stands for points or for images: folders, .npz, .idx and -ubyte files are images, .npy where it has more than two
 * axes.
 * @throws UnnoiseError `io` or `format` when a .npy file cannot be read
 */
export async function dataKindOf(data: string): Promise<DataKind> {
  if (isToyName(data)) return "points";
  const ending = extname(data).toLowerCase();
  if (imageNames.includes(data) || ending === ".npz" || /(-ubyte|\.idx)(\.gz)?$/.test(data)) return "images";
  if (ending === ".npy") return (await npyShape(data)).length > 2 ? "images" : "points";
  const info = await stat(data).catch(() => undefined);
  return info?.isDirectory() === true ? "images" : "points";
}

const HEADER_BYTES = 4096;

async function npyShape(path: string): Promise<Shape> {
  const file = await open(path).catch((cause: unknown) => {
    throw ioError("read", path, cause);
  });
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(HEADER_BYTES), 0, HEADER_BYTES, 0);
    return parseNpyHeader(buffer.subarray(0, bytesRead), path).shape;
  } finally {
    await file.close();
  }
}

/** Memory of a drawn point of the plane with the draws that place it. */
const POINT_BYTES = 100;

/** What of a configuration its points depend on. */
export type DataConfig = Pick<TrainingConfig, "data" | "dataSize" | "dataNoise" | "seed"> &
  Partial<Pick<TrainingConfig, "drop">>;

/**
 * Opens the points that a configuration names: a toy set, or the user's points or density.
 * @throws UnnoiseError `usage`, `io` or `data`: one line with file, row and column
 */
export async function openDataset(config: DataConfig): Promise<Dataset> {
  const { data, dataSize, dataNoise, seed, drop = null } = config;
  if (isToyName(data) && drop !== null) throw noColumnsToDrop(data);
  if (isToyName(data) || densityEndings.includes(extname(data).toLowerCase())) {
    checkCountFits({ option: "dataSize", count: dataSize, thing: "point", each: POINT_BYTES }, machineMemory());
  }
  if (!isToyName(data)) return loadPoints(data, { count: dataSize, seed, ...(drop !== null && { drop }) });
  return toyDataset(data, { count: dataSize, seed, ...(dataNoise === null ? {} : { noise: dataNoise }) });
}

/** What of a configuration its images depend on. */
export type ImageConfig = Pick<
  TrainingConfig,
  "data" | "imageSize" | "channels" | "crop" | "broken" | "holdOut" | "seed"
> &
  Partial<Pick<TrainingConfig, "folders">>;

/** How opening tells what it does. */
export interface OpenHooks {
  readonly onWarning?: (message: string) => void;
  /** Share of the images that have been read. */
  readonly onProgress?: (share: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Opens the images that a configuration names, their held-out part under `test`.
 * @throws UnnoiseError `usage`, `io`, `format` or `data`: one line with the file
 */
export async function openImageData(config: ImageConfig, hooks: OpenHooks = {}): Promise<ImageDataset> {
  const { holdOut, openImages } = await import("../data/images.node.ts");
  const { data, imageSize, channels, crop, broken, folders = "auto", holdOut: share, seed } = config;
  const asked = { ...(imageSize !== null && { size: imageSize }), ...(channels !== null && { channels }) };
  const images = await openImages(data, { ...asked, crop, folders, onBroken: broken, ...hooks });
  return images.test !== undefined || share === 0 ? images : holdOut(images, share, seed);
}

/** Data ready for training. */
export interface OpenData {
  readonly data: TrainingData;
  /** What a model keeps of them. */
  readonly facts: DataFacts;
  /** As they were opened. */
  readonly source: Dataset | ImageDataset;
}

/**
 * Points, standardised as their own values say.
 * @throws UnnoiseError `data` where nothing can be learned from them
 */
export function openedPoints(source: Dataset, { scale }: Pick<TrainingConfig, "scale">): OpenData {
  checkLearnable(source.points, source.name);
  const standardiser = fitStandardiser(source.points, scale);
  const data = pointData(standardise(source.points, standardiser));
  return { data, facts: { kind: "points", standardiser, columns: source.columns }, source };
}

/** Images as they are. */
export function openedImages(source: ImageDataset): OpenData {
  const facts = { kind: "images", ...(source.classes && { classes: source.classes }) } as const;
  return { data: imageData(source), facts, source };
}
