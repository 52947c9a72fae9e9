import { basename, extname } from "node:path";
import { toyDatasets, type ToyName } from "../data/toy.ts";
import { UnnoiseError } from "../math/error.ts";
import { nearMiss } from "../train/config.ts";

const toyNames = Object.keys(toyDatasets);

export function isToyName(name: string): name is ToyName {
  return toyNames.includes(name);
}

/**
 * Checks that a name is that of a toy set or looks like a file.
 * @throws UnnoiseError `usage` otherwise, with a near miss
 */
export function checkDataName(name: string): string {
  if (isToyName(name) || extname(name) !== "") return name;
  const near = nearMiss(name, toyNames);
  const advice = near === undefined ? "" : `; did you mean ${near}?`;
  const expected = `expected ${toyNames.join(", ")}, or a .csv or .npy file`;
  throw new UnnoiseError("usage", `unknown data ${name === "" ? '""' : name}: ${expected}${advice}`);
}

/** Where a run on some data goes if the user does not say: `unnoise-<data>` in the current folder. */
export function defaultRunFolder(data: string): string {
  return `unnoise-${basename(data, extname(data))}`;
}
