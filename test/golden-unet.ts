import { readFileSync } from "node:fs";
import { decodeSafetensors } from "../src/formats/safetensors.ts";
import type { FloatTensor, Shape } from "../src/tensor/tensor.ts";
import { at } from "../src/math/error.ts";
import { readGolden } from "./golden-diffusers.ts";

/** A small U-Net of diffusers, as test/golden/make-unet.py writes it. */
export interface UNetCase {
  readonly name: string;
  /** As in config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly steps: readonly number[];
  readonly labels?: readonly number[];
}

/** test/golden/unet.json. */
export interface UNetGolden {
  readonly cases: readonly UNetCase[];
  /** Names and shapes of all weights of some configurations. */
  readonly listings: Readonly<
    Record<string, { readonly config: Readonly<Record<string, unknown>>; readonly weights: readonly [string, Shape][] }>
  >;
}

export const unetGolden: UNetGolden = readGolden("unet.json") as UNetGolden;
const { tensors } = decodeSafetensors(
  readFileSync(new URL("golden/unet.safetensors", import.meta.url)),
  "unet.safetensors",
);

/** The image `sample`, the result `output` or the `labels` of a case, if it has one. */
export function unetTensor(name: string, part: "sample" | "output" | "labels"): FloatTensor | undefined {
  return tensors.get(`${name}/${part}`) as FloatTensor | undefined;
}

/** The weights of a case, under the names of the file. */
export function unetWeights(name: string): Map<string, FloatTensor> {
  const own = [...tensors].filter(([key]) => key.startsWith(`${name}:`));
  return new Map(own.map(([key, tensor]) => [at(key.split(":"), 1), tensor as FloatTensor]));
}
