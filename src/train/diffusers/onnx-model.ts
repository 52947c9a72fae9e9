import { constant, input } from "../../graph/builders.ts";
import { optimise } from "../../graph/passes/optimise.ts";
import { UnnoiseError, at } from "../../math/error.ts";
import { toOnnx } from "../../onnx/emit-model.ts";
import { withMetadata } from "../../onnx/metadata.ts";
import { classesOf, denoiserPredict, sampleShapeOf } from "../denoiser-spec.ts";
import type { DiffusionModel } from "../model.ts";

export interface OnnxOptions {
  /** Rows of the batch that the file takes, ≥ 1; 1 if absent. */
  readonly batch?: number;
}

/**
 * A model's network as an ONNX model: inputs `sample`, `timestep` and perhaps `class_labels`, output `out_sample`.
 * @throws UnnoiseError `usage` for a batch that is no integer ≥ 1
 */
export function onnxOf(
  { denoiser, weights }: Pick<DiffusionModel, "denoiser" | "weights">,
  metadata: Readonly<Record<string, string>>,
  { batch = 1 }: OnnxOptions = {},
): Uint8Array {
  if (!Number.isInteger(batch) || batch < 1) {
    throw new UnnoiseError("usage", `batch: expected an integer ≥ 1, got ${batch}`);
  }
  const constants = [...weights].map(([name, { data, shape }]) => [name, constant(data, shape)] as const);
  const said = denoiserPredict(denoiser)(
    {
      xt: input("sample", [batch, ...sampleShapeOf(denoiser)]),
      steps: input("timestep", [1], "int32"),
      ...(classesOf(denoiser) > 0 && { classLabels: input("class_labels", [batch], "int32") }),
    },
    Object.fromEntries(constants),
  );
  return withMetadata(toOnnx({ out_sample: at(optimise([said]), 0) }), metadata);
}
