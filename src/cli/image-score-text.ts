import { alignedLines, grouped } from "../math/text.ts";
import type { MeanEstimate } from "../math/running-mean.ts";
import type { ImageBound } from "../train/image-bound.ts";
import type { ImageScores, ImageScoreValues } from "../train/image-scores.ts";

/** What a bound depends on, beside the images. */
export interface BoundContext {
  /** Name of the data set. */
  readonly data: string;
  readonly split: string;
  readonly weights: string;
  readonly stepsPerImage: number | null;
}

const TOLD: Readonly<Record<ImageBound["classes"], string>> = {
  told: "; the network is told each image's class: −log₂ p(x|class)",
  none: "; the images have no classes, so the network is told none",
  absent: "",
};

/** Bits per dimension, term by term, for people. */
export function boundLines(bound: ImageBound, { data, split, weights, stepsPerImage }: BoundContext): string[] {
  const row = (label: string, { mean, standardError }: MeanEstimate): string[] => [
    label,
    `${mean.toFixed(4)} ± ${standardError.toFixed(4)}`,
  ];
  const steps = stepsPerImage === null ? "all steps" : `${grouped(stepsPerImage)} steps of each image`;
  const rows = [
    ["−log₂ p(x) ≤", "bits/dim"],
    row("L_T, prior", bound.prior),
    row(`Σ L_{t−1}, ${steps}`, bound.transitions),
    row("L_0, 256 levels", bound.reconstruction),
    row("total", bound.total),
  ];
  const classes = TOLD[bound.classes];
  const note = `${grouped(bound.images)} images of the ${split} part of ${data}; weights: ${weights}; ± standard error${classes}`;
  return [...alignedLines(rows), "", note];
}

/** What scores depend on, beside data and features. */
export interface ScoreContext {
  readonly sampler: string;
  readonly weights: string;
}

/** Scores beside their floor, and all that they depend on, for people. */
export function scoreLines(scores: ImageScores, { sampler, weights }: ScoreContext): string[] {
  const { floor, net, n, reference, referenceCount, data, marks } = scores;
  const row = (label: string, key: keyof ImageScoreValues, digits: number, unit = 1): string[] => [
    label,
    (unit * scores[key]).toFixed(digits),
    floor ? (unit * floor[key]).toFixed(digits) : "–",
  ];
  const rows = [
    [sampler, "samples", "floor"],
    row("FID", "fid", 2),
    row("KID × 1000", "kid", 2, 1000),
    row("precision (higher is better)", "precision", 3),
    row("recall (higher is better)", "recall", 3),
    row("density (higher is better)", "density", 3),
    row("coverage (higher is better)", "coverage", 3),
  ];
  const right =
    net.accuracy && `, right on ${(100 * net.accuracy.value).toFixed(1)} % of the ${net.accuracy.split} images`;
  return [
    ...alignedLines(rows),
    "",
    `${grouped(n)} samples against ${grouped(referenceCount)} images of the ${reference} part of ${data}; weights: ${weights}`,
    `features: ${net.name} (${net.hash.slice(0, 8)}), ${grouped(net.features)} of them${right ?? ""}; not comparable with scores of other features`,
    floor ? "floor: as many real training images against the same reference" : "floor: not enough real images",
    ...marks.map(({ score, reason }) => `note: ${score}: ${reason}`),
  ];
}
