import { UnnoiseError } from "../../math/error.ts";
import { counted } from "../../math/text.ts";
import { parameterCount } from "../../nn/parameters.ts";
import { modelOfCheckpoint, type WeightsChoice } from "../../train/checkpoint-model.node.ts";
import { denoiserParameters } from "../../train/denoiser-spec.ts";
import {
  exportDiffusers,
  exportOnnx,
  exportSafetensors,
  type ExportedModel,
} from "../../train/diffusers/export.node.ts";
import { exportTargets, type ExportTarget } from "../../train/diffusers/export-targets.ts";
import { looksLikeDiffusers } from "../../train/diffusers/folder.node.ts";
import { importDiffusers } from "../../train/diffusers/import.node.ts";
import { openAnyRun } from "../../train/open-run.node.ts";
import type { Io } from "../io.ts";
import { checkFile, checkFolder } from "../output.ts";
import { Terminal } from "../terminal.ts";

/** Flags of `unnoise export`. */
export interface ExportCommandOptions {
  readonly to?: ExportTarget;
  readonly out?: string;
  readonly weights?: WeightsChoice;
  readonly batch?: number;
  readonly overwrite?: boolean;
  readonly quiet?: boolean;
}

/** `unnoise export` */
export async function exportModel(path: string, options: ExportCommandOptions, io: Io): Promise<void> {
  const { to, out, batch, overwrite = false } = options;
  if (to === undefined) throw new UnnoiseError("usage", `--to is missing: expected one of ${exportTargets.join(", ")}`);
  if (out === undefined) throw new UnnoiseError("usage", `--out is missing: expected ${placeOf(to)}`);
  if (batch !== undefined && to !== "onnx") {
    throw new UnnoiseError("usage", "--batch: only ONNX files have a size of batch; leave it out");
  }
  await (to === "diffusers" ? checkFolder : checkFile)(out, overwrite);
  const model = await openExported(path, options.weights);
  if (to === "diffusers") await exportDiffusers(model, out, { overwrite });
  else if (to === "safetensors") await exportSafetensors(model, out, { overwrite });
  else await exportOnnx(model, out, { overwrite, ...(batch !== undefined && { batch }) });
  const size = counted(parameterCount(denoiserParameters(model.denoiser)), "parameter");
  new Terminal(io, options).say(`${out}: ${model.denoiser.kind} of ${size}, for ${to}`);
}

const placeOf = (to: ExportTarget): string => (to === "diffusers" ? "a folder" : `a file ending in .${to}`);

/** The model of a run on images, or of a folder of diffusers. */
async function openExported(path: string, weights: WeightsChoice = "ema"): Promise<ExportedModel> {
  if (await looksLikeDiffusers(path)) {
    if (weights === "ema") return importDiffusers(path);
    throw new UnnoiseError("usage", "--weights: a folder of diffusers has one set of weights; leave it out");
  }
  const { folder, model } = await openAnyRun(path);
  if (model.kind === "images") return modelOfCheckpoint(folder, model, weights);
  throw new UnnoiseError("usage", `${path} is a run on points: export works with runs on images only`);
}
