import { existsSync } from "node:fs";
import { basename, extname } from "node:path";
import { isToyName, toyNames } from "../data/toy.ts";
import { UnnoiseError } from "../math/error.ts";
import { nearMiss } from "../math/near-miss.ts";
import { imageNames } from "../train/open-data.node.ts";

const EXPECTED = `expected ${toyNames.join(", ")}, or a .csv, .npy, .json, .png or .svg file`;
const OR_IMAGES = `; of images ${imageNames.join(", ")}, a folder, or a .npy or .npz file`;

/** No data were named. */
export function missingData(): UnnoiseError {
  return new UnnoiseError("usage", `data is missing: ${EXPECTED}`);
}

/**
 * Checks that a name is that of a set of points or images, or a path.
 * @throws UnnoiseError `usage` otherwise, with a near miss
 */
export function checkTrainingData(name: string): string {
  if (imageNames.includes(name) || existsSync(name)) return name;
  const near = nearMiss(name, imageNames);
  if (near === undefined || isToyName(name) || extname(name) !== "") return checkDataName(name, OR_IMAGES);
  throw new UnnoiseError("usage", `unknown data ${name}: ${EXPECTED}${OR_IMAGES}; did you mean ${near}?`);
}

/**
 * Checks that a name is that of a toy set or looks like a file.
 * @throws UnnoiseError `usage` otherwise, with a near miss
 */
export function checkDataName(name: string, others = ""): string {
  if (isToyName(name) || extname(name) !== "") return name;
  const near = nearMiss(name, toyNames);
  const advice = near === undefined ? "" : `; did you mean ${near}?`;
  throw new UnnoiseError("usage", `unknown data ${name === "" ? '""' : name}: ${EXPECTED}${others}${advice}`);
}

/** Where a run on some data goes if the user does not say: `unnoise-<data>` in the current folder. */
export function defaultRunFolder(data: string): string {
  return `unnoise-${basename(data, extname(data))}`;
}
