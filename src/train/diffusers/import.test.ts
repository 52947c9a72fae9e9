import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import type { NoiseSource } from "../../diffusion/noise.ts";
import { finalSample } from "../../diffusion/sampler.ts";
import { scheduleFromConfig } from "../../diffusion/schedules/schedule-config.ts";
import { readSafetensors } from "../../formats/safetensors-file.node.ts";
import { at } from "../../math/error.ts";
import { DenoiserSession } from "../model.ts";
import { processOf, schedulerSchema } from "../scheduler-config.ts";
import { importDiffusers, samplingOfDiffusers, type DiffusersModel } from "./import.node.ts";
import { parsePythonJson } from "./python-json.ts";

const golden = new URL("../../../test/golden/pipelines/", import.meta.url);
const pathOf = (name: string): string => fileURLToPath(new URL(name, golden));

interface PipelineRun {
  readonly pipeline: "DDPMPipeline" | "DDIMPipeline";
  readonly file: string;
  readonly arguments: { readonly eta?: number; readonly use_clipped_model_output?: boolean };
  readonly steps: readonly number[];
  readonly end: readonly number[];
}
const { runs } = JSON.parse(readFileSync(pathOf("runs.json"), "utf8")) as { runs: PipelineRun[] };
const nameOf = ({ file, arguments: asked }: PipelineRun): string => {
  const {
    _class_name: name,
    clip_sample: clips,
    variance_type: variance,
    algorithm_type: type,
  } = JSON.parse(file.replace("-Infinity", "0")) as Record<string, string>;
  return [name, clips === undefined ? "" : `clip ${clips}`, variance, type, JSON.stringify(asked)].join(" ");
};

const shape = [2, 3, 8, 8];
let model: DiffusersModel;
let session: DenoiserSession;
let start: Float32Array;
let steps: Float32Array;
beforeAll(async () => {
  model = await importDiffusers(pathOf("ddpm"));
  session = new DenoiserSession(model, { threads: 1 });
  const { tensors } = await readSafetensors(pathOf("noise.safetensors"));
  start = tensors.get("start")?.data as Float32Array;
  steps = tensors.get("steps")?.data as Float32Array;
  return () => session.dispose();
});

/** The recorded noise, step by step, in the order in which it is asked. */
function recorded(data: Float32Array): NoiseSource {
  let next = 0;
  return {
    normals: (out) => {
      out.set(data.subarray(next * out.length, (next + 1) * out.length));
      next++;
    },
  };
}

/** Our end of a run. */
async function endOf(run: PipelineRun, change: object = {}): Promise<Float32Array> {
  const scheduler = schedulerSchema.parse({ ...(parsePythonJson(run.file, "file") as object), ...change });
  const { eta, use_clipped_model_output: rederivedEps } = run.arguments;
  const asked = { ...(eta !== undefined && { eta }), ...(rederivedEps !== undefined && { rederivedEps }) };
  const choice = samplingOfDiffusers({ pipeline: run.pipeline, scheduler }).choose(10, asked);
  const noise = { start: recorded(start), steps: recorded(steps) };
  const common = {
    denoiser: session.predict,
    schedule: scheduleFromConfig(processOf(scheduler).schedule),
    shape,
    noise,
  };
  return (await finalSample(choice.sampler({ ...common, ...choice.options }))).data;
}

const gap = (ours: Float32Array, theirs: readonly number[]): number =>
  Math.max(...theirs.map((value, i) => Math.abs(value - at(ours, i))));

describe("whole pipelines of diffusers", () => {
  it.each(runs.map((run) => [nameOf(run), run] as const))(
    "%s: the same images from the same noise",
    async (_name, run) => {
      expect(gap(await endOf(run), run.end)).toBeLessThan(1e-3);
    },
  );

  it("and far from them with another η, or other betas", async () => {
    const [, , , stochastic] = runs;
    const run = at(
      [stochastic].flatMap((found) => found ?? []),
      0,
    );
    expect(gap(await endOf({ ...run, arguments: { eta: 0.6 } }), run.end)).toBeGreaterThan(1e-2);
    expect(gap(await endOf(run, { beta_end: 0.019 }), run.end)).toBeGreaterThan(1e-2);
  });
});
