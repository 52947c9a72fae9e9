import { readFileSync } from "node:fs";
import type { Shape } from "../src/tensor/tensor.ts";

export interface GoldenTensor {
  readonly shape: Shape;
  readonly data: readonly number[];
}

/** One application of a builder: inputs, result, and the inputs' gradients for the gradient `dy` of the result. */
export interface GoldenImageCase {
  readonly op: "conv2d" | "groupNorm" | "layerNorm" | "upsampleNearest" | "averagePool" | "attention";
  readonly options: Readonly<Record<string, number>> & { readonly padding?: readonly number[] };
  readonly inputs: readonly GoldenTensor[];
  readonly result: GoldenTensor;
  readonly dy: GoldenTensor;
  readonly gradients: readonly GoldenTensor[];
}

/** What test/golden/make-torch-images.py writes: results of PyTorch in float64. */
export const torchImages: readonly GoldenImageCase[] = (
  JSON.parse(readFileSync(new URL("golden/torch-images.json", import.meta.url), "utf8")) as {
    readonly cases: readonly GoldenImageCase[];
  }
).cases;
