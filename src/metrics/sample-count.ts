import { UnnoiseError } from "../math/error.ts";

/** Fewer images than this give no score at all. */
const FEWEST_IMAGES = 50;

/** Why a score is not to be trusted, in words for a reader. */
export interface ScoreMark {
  readonly score: "fid" | "kid" | "precision" | "recall" | "all";
  readonly reason: string;
}

/**
 * What the numbers of images allow: fewer than 50 are refused; as many as features or fewer leave the covariance singular, and
 * the FID, whose bias grows with features/images (Chong and Forsyth 2020, arXiv 1911.07023), is marked.
 * @param generated images to judge
 * @param reference images of the data
 * @param features F of the feature net
 * @throws UnnoiseError `usage` for fewer than 50 images
 */
export function sampleCountMarks(generated: number, reference: number, features: number): ScoreMark[] {
  const sets = [
    ["generated", generated],
    ["reference", reference],
  ] as const;
  return sets.flatMap(([name, count]) => {
    if (!(count >= FEWEST_IMAGES)) {
      throw new UnnoiseError(
        "usage",
        `image scores: expected ${FEWEST_IMAGES} ${name} images at least, got ${count}; take 2000 or more`,
      );
    }
    if (count > features) return [];
    const reason = `unreliable: ${count} ${name} images for ${features} features, so the covariance is singular`;
    return [{ score: "fid", reason: `${reason}; take more than ${features} images` }];
  });
}
