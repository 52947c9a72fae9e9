import { UnnoiseError } from "../../math/error.ts";
import { counted, shellWord } from "../../math/text.ts";
import { parameterCount } from "../../nn/parameters.ts";
import { denoiserParameters, sampleShapeOf } from "../../train/denoiser-spec.ts";
import { exportDiffusers } from "../../train/diffusers/export.node.ts";
import { importDiffusers, samplingOfDiffusers, type DiffusersModel } from "../../train/diffusers/import.node.ts";
import { RunFolder } from "../../train/run-folder.node.ts";
import type { Io } from "../io.ts";
import { checkFolder } from "../output.ts";
import { Terminal } from "../terminal.ts";

/** Flags of `unnoise import`. */
export interface ImportCommandOptions {
  readonly out?: string;
  readonly variant?: string;
  readonly overwrite?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** `unnoise import`: reads and checks a folder of diffusers, and writes it in one layout, float32 and under today's names. */
export async function importModel(path: string, options: ImportCommandOptions, io: Io): Promise<void> {
  const { out, variant, overwrite = false, json = false } = options;
  if (out === undefined && !json) {
    throw new UnnoiseError("usage", "--out is missing: expected a folder for the model; --json only tells what it is");
  }
  if ((await new RunFolder(path).contents()) === "run") {
    const advice = `write it for diffusers with: unnoise export ${shellWord(path)} --to diffusers --out FOLDER`;
    throw new UnnoiseError("usage", `${path} is a run of unnoise, which needs no import; ${advice}`);
  }
  if (out !== undefined) await checkFolder(out, overwrite);
  const model = await importDiffusers(path, variant === undefined ? {} : { variant });
  const facts = factsOf(path, model);
  const terminal = new Terminal(io, options);
  if (out !== undefined) {
    await exportDiffusers(model, out, { overwrite });
    terminal.say(`${out}: ${facts.summary}\nnext:\n  unnoise sample ${out} --out samples.png`);
  }
  if (json) await terminal.print(`${JSON.stringify({ ...facts, out: out ?? null }, null, 2)}\n`);
}

function factsOf(path: string, model: DiffusersModel): { readonly summary: string } & Record<string, unknown> {
  const { denoiser, pipeline, scheduler, prediction, variance } = model;
  const parameters = parameterCount(denoiserParameters(denoiser));
  const shape = sampleShapeOf(denoiser);
  const name = scheduler._class_name;
  const { usualSteps: steps, name: sampler } = samplingOfDiffusers(model);
  const summary = `${denoiser.kind} of ${counted(parameters, "parameter")} for images ${shape.join("×")}, ${name}`;
  return {
    folder: path,
    network: denoiser.kind,
    parameters,
    shape,
    pipeline,
    scheduler: name,
    prediction,
    variance,
    sampler,
    steps,
    summary,
  };
}
