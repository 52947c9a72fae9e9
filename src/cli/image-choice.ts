import { chooseSampler, samplerFlagNames, type SamplerChoice, type SamplerFlags } from "../diffusion/sampler-choice.ts";
import type { SamplerName } from "../diffusion/sampler-table.ts";
import type { SamplerOptions } from "../diffusion/sampler.ts";
import { repaint, repaintRoute } from "../diffusion/samplers/repaint.ts";
import { UnnoiseError } from "../math/error.ts";
import { counted } from "../math/text.ts";
import type { SchedulerSampling } from "../train/diffusers/sampling.ts";
import { reverseVarianceOf, scheduleOf, type ImageModel } from "../train/model.ts";
import type { ImageSampleFlags } from "./image-flags.ts";
import type { Inpainting } from "./image-inpaint.ts";

/** A model of images as it was opened, and how its files ask to be sampled, where they do. */
export interface OpenImageModel {
  /** For titles. */
  readonly name: string;
  readonly model: ImageModel;
  /** Of a model of diffusers. */
  readonly advice?: SchedulerSampling;
}

/** A sampler for images; its limits are those of `sampleImages`. */
export interface ImageSamplerChoice extends Omit<SamplerChoice, "options"> {
  readonly options: Pick<SamplerOptions, "threshold" | "epsAfterLimit"> & {
    readonly steps: Int32Array;
    readonly clip?: readonly [number, number] | null;
  };
}

/** Samplers that make each latent one image. */
const DETERMINISTIC: readonly SamplerName[] = ["ddim", "euler", "heun", "dpmpp-2m", "unipc"];

/** Steps of RePaint in its paper. */
const REPAINT_STEPS = 250;

/** What is asked of a sampler beside its flags. */
export interface ImageChoiceOptions {
  readonly inpainting?: Inpainting | undefined;
  /** The sampler where neither flags nor a scheduler name one; `ddpm` if absent. */
  readonly usual?: SamplerName;
}

/**
 * The sampler that flags ask for, or that of a diffusers model's scheduler.
 * @throws UnnoiseError `usage` for flags that do not go together, or a sampler that the task cannot have
 */
export function chooseImageSampler(
  { model, advice }: OpenImageModel,
  flags: SamplerFlags & ImageSampleFlags,
  { inpainting, usual }: ImageChoiceOptions = {},
): ImageSamplerChoice {
  const process = { schedule: scheduleOf(model), variance: reverseVarianceOf(model), limited: true };
  if (inpainting !== undefined) return repaintChoice(flags, process, inpainting);
  if (flags.interpolate !== undefined) {
    checkDeterministic(flags);
    return chooseSampler(flags, process, "ddim");
  }
  if (advice === undefined) return chooseSampler(flags, process, usual);
  const { steps, eta } = flags;
  const others = samplerFlagNames.filter((name) => name !== "steps" && name !== "eta" && flags[name] !== undefined);
  const isOwn = others.length === 0 && typeof steps !== "object" && eta !== "hat";
  if (!isOwn) return chooseSampler(flags, process, advice.name);
  const choice = advice.choose(steps, { ...(eta !== undefined && { eta }) });
  return { ...choice, options: { clip: null, ...choice.options } };
}

function checkDeterministic({ sampler = "ddim", eta = 0, churn = 0 }: SamplerFlags): void {
  const chance = !DETERMINISTIC.includes(sampler) ? `--sampler ${sampler}` : eta !== 0 ? "--eta" : "--churn";
  if (DETERMINISTIC.includes(sampler) && eta === 0 && churn === 0) return;
  const advice = `choose ${DETERMINISTIC.join(", ")}, without noise`;
  throw new UnnoiseError("usage", `--interpolate: ${chance} adds noise, so latents alone decide nothing; ${advice}`);
}

/** RePaint with the steps, limits and variance that flags ask for. */
function repaintChoice(
  flags: SamplerFlags & ImageSampleFlags,
  process: Parameters<typeof chooseSampler>[1],
  inpainting: Inpainting,
): ImageSamplerChoice {
  const { sampler = "ddpm", variance = process.variance, resamples, jump } = flags;
  if (sampler !== "ddpm") {
    throw new UnnoiseError("usage", `--inpaint: RePaint goes by ddpm, got --sampler ${sampler}; leave it out`);
  }
  const steps = flags.steps ?? Math.min(REPAINT_STEPS, process.schedule.timesteps);
  const choice = chooseSampler({ ...flags, steps }, process, "ddpm");
  const resampling = { ...(resamples !== undefined && { resamples }), ...(jump !== undefined && { jump }) };
  const moves = repaintRoute([...choice.options.steps, -1], resampling).length - 1;
  if (moves === choice.steps && resamples !== 1) {
    const advice = "choose a smaller --jump, more --steps, or --resamples 1";
    throw new UnnoiseError("usage", `--jump: ${choice.steps} steps are too few to walk any again; ${advice}`);
  }
  return {
    ...choice,
    sampler: repaint({ ...inpainting, ...resampling, ...(variance && { variance }) }),
    steps: moves,
    label: `RePaint, ${choice.label.replace(/^DDPM, /, "")}, ${counted(moves, "transition")} in all`,
  };
}
