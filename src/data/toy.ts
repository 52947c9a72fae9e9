import type { FloatTensor } from "../tensor/tensor.ts";
import type { ToyOptions } from "./scatter.ts";
import { checkerboard, cross } from "./toy-areas.ts";
import { circles, moons, pinwheel, sCurve, spirals, swissRoll } from "./toy-curves.ts";
import { eightGaussians, twentyFiveGaussians } from "./toy-gaussians.ts";

export type ToyName =
  | "swiss-roll"
  | "moons"
  | "cross"
  | "circles"
  | "spirals"
  | "s-curve"
  | "pinwheel"
  | "checkerboard"
  | "8-gaussians"
  | "25-gaussians";

/** A toy set: what it is, how to draw it, and the noise that gives its usual picture. */
export interface ToyDataset {
  /** In a few words. */
  readonly summary: string;
  readonly noise: number;
  readonly generate: (options: ToyOptions) => FloatTensor;
}

/** The toy sets by name. */
export const toyDatasets: Readonly<Record<ToyName, ToyDataset>> = {
  "swiss-roll": { summary: "a spiral of 1½ turns", noise: 0.05, generate: swissRoll },
  moons: { summary: "two interleaved half circles", noise: 0.05, generate: moons },
  cross: { summary: "two bars across each other, evenly filled", noise: 0.02, generate: cross },
  circles: { summary: "a circle inside another", noise: 0.05, generate: circles },
  spirals: { summary: "two arms that wind out of the origin", noise: 0.05, generate: spirals },
  "s-curve": { summary: "two three-quarter circles that make an S", noise: 0.05, generate: sCurve },
  pinwheel: { summary: "five winding blades", noise: 0.1, generate: pinwheel },
  checkerboard: { summary: "eight of 4 × 4 squares, evenly filled", noise: 0.02, generate: checkerboard },
  "8-gaussians": { summary: "eight Gaussians on a circle", noise: 0.125, generate: eightGaussians },
  "25-gaussians": { summary: "25 Gaussians on a grid", noise: 0.05, generate: twentyFiveGaussians },
};

/** Names of the toy sets, in the order in which they are listed. */
export const toyNames: readonly ToyName[] = Object.keys(toyDatasets) as ToyName[];

/** Whether a name is that of a toy set. */
export function isToyName(name: string): name is ToyName {
  return Object.hasOwn(toyDatasets, name);
}
