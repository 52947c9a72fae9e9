import type { ImageDataset } from "../data/images.ts";
import { UnnoiseError, at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { fid } from "../metrics/fid.ts";
import { kid } from "../metrics/kid.ts";
import { precisionRecall, type PrecisionRecall } from "../metrics/precision-recall.ts";
import { sampleCountMarks, type ScoreMark } from "../metrics/sample-count.ts";
import type { ReferenceSplit } from "./reference-split.ts";
import { sameShape, shapeText, type FloatTensor } from "../tensor/tensor.ts";
import { extractFeatures, type FeatureNet, type NetAccuracy, type PixelSource } from "./feature-net.ts";

/** Scores of one set of images against a reference; lower FID and KID, and higher others, are better. */
export interface ImageScoreValues extends PrecisionRecall {
  readonly fid: number;
  readonly kid: number;
  /** Standard error of `kid`. */
  readonly kidError: number;
}

/** Everything that a score depends on, beside the scores. Plain JSON. */
export interface ImageScores extends ImageScoreValues {
  /** Generated images. */
  readonly n: number;
  /** Images of the reference. */
  readonly referenceCount: number;
  readonly reference: ReferenceSplit;
  /** Name of the data set. */
  readonly data: string;
  readonly net: {
    readonly name: string;
    readonly hash: string;
    readonly features: number;
    readonly accuracy?: NetAccuracy;
  };
  /** The same scores of n real training images, none of them in the reference; null where there are not enough of them. */
  readonly floor: ImageScoreValues | null;
  /** What a reader must know before trusting the scores. */
  readonly marks: readonly ScoreMark[];
  readonly seed: number;
}

export interface ImageScoreProgress {
  /** Which features are being computed. */
  readonly part: "reference" | "generated" | "floor";
  readonly done: number;
  readonly total: number;
}

export interface ImageScoreOptions {
  /** The data set that the samples shall be like. */
  readonly real: ImageDataset;
  /** The images to judge. */
  readonly fake: PixelSource;
  readonly net: FeatureNet;
  /** Where the reference comes from; `test` where the data set has a test part, else `train`, if absent. */
  readonly reference?: ReferenceSplit;
  /** Generated images to take, the first ones; all, at most 10,000, if absent. */
  readonly n?: number;
  /** Images of the reference; as many as there are, at most 10,000 or n, if absent. */
  readonly referenceCount?: number;
  /** Seed of the choice of images and of KID's subsets. */
  readonly seed: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ImageScoreProgress) => void;
}

const MOST = 10_000;

/**
 * FID, KID, precision, recall, density and coverage of images, with the same scores of real images as floor. Precision and its
 * kin are taken between equally many images of both sets. One batch of pixels and the features are in memory at a time.
 * @throws UnnoiseError `usage` for fewer than 50 images, images of another shape or a split that is not there; `interrupted` once
 * `signal` is aborted; as the net
 */
export async function imageScores(options: ImageScoreOptions): Promise<ImageScores> {
  const { real, fake, net, seed } = options;
  const plan = planOf(options);
  const marks = [...sampleCountMarks(plan.n, plan.reference.rows.length, net.width), ...plan.marks];
  const features = (part: ImageScoreProgress["part"], { source, rows }: Chosen): Promise<FloatTensor> =>
    extractFeatures(net, source, rows, {
      signal: options.signal,
      onProgress: (progress) => options.onProgress?.({ part, ...progress }),
    });
  const reference = await features("reference", plan.reference);
  const values = scoresOf(reference, await features("generated", { source: fake, rows: firstRows(plan.n) }), seed);
  const floor = plan.floor ? scoresOf(reference, await features("floor", plan.floor), seed) : null;
  const { name, hash, width, accuracy } = net;
  return {
    ...values,
    n: plan.n,
    referenceCount: plan.reference.rows.length,
    reference: plan.split,
    data: real.name,
    net: { name, hash, features: width, ...(accuracy && { accuracy }) },
    floor,
    marks,
    seed,
  };
}

/**
 * Refuses what `imageScores` would refuse for its numbers of images, before any are drawn.
 * @throws UnnoiseError `usage` for fewer than 50 images on either side, a split that is not there, or more of it than there are
 */
export function checkScoreCounts(
  options: Pick<ImageScoreOptions, "real" | "reference" | "referenceCount" | "n">,
): void {
  const { n = MOST } = options;
  sampleCountMarks(n, referenceOf(options, n).count, 1);
}

/** The part of the data, and how many of it, that n images are compared with. */
function referenceOf(
  { real, reference, referenceCount }: Pick<ImageScoreOptions, "real" | "reference" | "referenceCount">,
  n: number,
): { split: ReferenceSplit; source: ImageDataset; count: number } {
  const split = reference ?? (real.test ? "test" : "train");
  const source = split === "test" ? real.test : real;
  if (!source) {
    throw new UnnoiseError("usage", `image scores: ${real.name} has no test part; take reference train`);
  }
  const count = referenceCount ?? Math.min(roomFor(source, split, n), Math.max(MOST, n));
  if (Number.isInteger(count) && count >= 1 && count <= source.count) return { split, source, count };
  const range = `an integer in 1…${source.count}`;
  throw new UnnoiseError("usage", `image scores: referenceCount must be ${range}, got ${count}`);
}

function scoresOf(reference: FloatTensor, generated: FloatTensor, seed: number): ImageScoreValues {
  const equal = Math.min(at(reference.shape, 0), at(generated.shape, 0));
  const { value, error } = kid(reference, generated, { seed });
  return {
    fid: fid(reference, generated),
    kid: value,
    kidError: error,
    ...precisionRecall(firstFeatures(reference, equal), firstFeatures(generated, equal)),
  };
}

function firstFeatures({ shape, data }: FloatTensor, count: number): FloatTensor {
  const width = at(shape, 1);
  return { dtype: "float32", shape: [count, width], data: data.subarray(0, count * width) };
}

const firstRows = (count: number): Int32Array => Int32Array.from({ length: count }, (_, row) => row);

/** Images of a source. */
interface Chosen {
  readonly source: PixelSource;
  readonly rows: Int32Array;
}

interface Plan {
  readonly n: number;
  readonly split: ReferenceSplit;
  readonly reference: Chosen;
  readonly floor: Chosen | null;
  readonly marks: readonly ScoreMark[];
}

/** Which images are compared. */
function planOf(options: ImageScoreOptions): Plan {
  const { real, fake, seed, n = Math.min(fake.count, MOST) } = options;
  checkCounts(options, n);
  const { split, source, count: referenceCount } = referenceOf(options, n);
  const order = (count: number, step: number): Int32Array =>
    Int32Array.from(new Random(seed, "split").permutation(count, step));
  const reference = { source, rows: order(source.count, 1).subarray(0, referenceCount) };
  const train = split === "train" ? order(real.count, 1).subarray(referenceCount) : order(real.count, 2);
  const floor = train.length < n ? null : { source: real, rows: train.subarray(0, n) };
  return { n, split, reference, floor, marks: marksOf(split, floor) };
}

/** Largest reference: a training split leaves n images for the floor where it can. */
function roomFor({ count }: PixelSource, split: ReferenceSplit, n: number): number {
  return split === "train" && count >= 2 * n ? count - n : count;
}

function marksOf(split: ReferenceSplit, floor: Chosen | null): ScoreMark[] {
  const marks: ScoreMark[] = [];
  if (split === "train") {
    const reason = "the reference is the training part, of which models may remember images";
    marks.push({ score: "all", reason: `${reason}; a test part tells them apart` });
  }
  if (!floor)
    marks.push({ score: "all", reason: "no floor: the training images outside the reference are fewer than n" });
  return marks;
}

function checkCounts({ real, fake }: ImageScoreOptions, n: number): void {
  if (!sameShape(real.shape, fake.shape)) {
    const shapes = `${shapeText(real.shape)} and ${shapeText(fake.shape)}`;
    throw new UnnoiseError("usage", `image scores: data and samples need images of one shape, got ${shapes}`);
  }
  if (!Number.isInteger(n) || n < 1 || n > fake.count) {
    throw new UnnoiseError("usage", `image scores: n must be an integer in 1…${fake.count}, got ${n}`);
  }
}
