import fc from "fast-check";
import { beforeAll, describe, expect, it, test } from "vitest";
import { backend } from "#backend";
import { fitStandardiser } from "../data/standardise.ts";
import type { Sampler } from "../diffusion/sampler.ts";
import { ddim } from "../diffusion/samplers/ddim.ts";
import { ddpm } from "../diffusion/samplers/ddpm.ts";
import { dpmpp2m } from "../diffusion/samplers/dpmpp-2m.ts";
import { scheduleConfig } from "../diffusion/schedules/schedule-config.ts";
import { input } from "../graph/builders.ts";
import { dit } from "../nn/dit.ts";
import { Random } from "../math/random.ts";
import type { DenoiserConfig } from "../nn/networks.ts";
import { initialise, parameterCount, unflatten } from "../nn/parameters.ts";
import { unet2d } from "../nn/unet-2d.ts";
import { channelBlock } from "../runtime/channel-block.ts";
import { compile } from "../runtime/executable.ts";
import { floatTensor, sizeOf, type FloatTensor } from "../tensor/tensor.ts";
import { denoiserParameters, denoiserPredict, sampleShapeOf } from "./denoiser-spec.ts";
import { drawSamples, type DrawOptions } from "./draw-samples.ts";
import { namedWeights, type AnyModel } from "./model.ts";

const CLASSES = 3;
const MOST = 18;

/** Wide enough that the way of its convolutions would change between a few images and many, were it chosen by their number. */
const unet: DenoiserConfig = {
  kind: "UNet2DModel",
  ...unet2d.schema.parse({
    sample_size: 16,
    in_channels: 1,
    out_channels: 1,
    block_out_channels: [32, 32],
    layers_per_block: 1,
    norm_num_groups: 8,
    attention_head_dim: 16,
    down_block_types: ["DownBlock2D", "AttnDownBlock2D"],
    up_block_types: ["AttnUpBlock2D", "UpBlock2D"],
    num_class_embeds: CLASSES + 1,
  }),
};
const transformer: DenoiserConfig = {
  kind: "DiT",
  ...dit.schema.parse({
    sample_size: 8,
    patch_size: 2,
    in_channels: 1,
    out_channels: 1,
    hidden_size: 48,
    depth: 2,
    num_heads: 3,
    num_class_embeds: CLASSES + 1,
  }),
};
const points: DenoiserConfig = {
  kind: "MlpDenoiser",
  dimensions: 2,
  timesteps: 20,
  width: 128,
  depth: 3,
  timeFeatures: 32,
};

const weightsOf = (denoiser: DenoiserConfig): Float32Array => {
  const flat = initialise(denoiserParameters(denoiser), new Random(3, "init"));
  // Layers that begin at zero would hide what is under them.
  const extra = new Float32Array(flat.length);
  new Random(4, "init").normals(extra, extra.length);
  return flat.map((weight, i) => weight + 0.02 * (extra[i] ?? 0));
};

function modelOf(denoiser: DenoiserConfig): AnyModel {
  const common = {
    denoiser,
    schedule: scheduleConfig("linear", { timesteps: 20 }),
    ...({ prediction: "eps", variance: "large", firstLogVariance: "second" } as const),
    weights: namedWeights(weightsOf(denoiser), denoiser),
  };
  if (denoiser.kind !== "MlpDenoiser") return { ...common, kind: "images", classes: ["a", "b", "c"] };
  const rows = floatTensor([-1, -1, 1, 1], [2, 2]);
  return { ...common, kind: "points", standardiser: fitStandardiser(rows), columns: ["x", "y"] };
}

const samplers: Readonly<Record<string, Sampler>> = { ddpm: ddpm(), ddim: ddim(), "dpmpp-2m": dpmpp2m() };
const networks = { "U-Net": modelOf(unet), DiT: modelOf(transformer), MLP: modelOf(points) };

const cases = Object.entries(networks).flatMap(([network, model]) =>
  Object.entries(samplers).flatMap(([sampler, method]) =>
    (model.kind === "images" ? [1, 2] : [1]).map((guidance) => ({ network, model, sampler, method, guidance })),
  ),
);

describe.each(cases)("$network, $sampler, guidance $guidance", ({ model, method, guidance }) => {
  const width = sizeOf(sampleShapeOf(model.denoiser));
  const labels = Int32Array.from({ length: MOST }, (_, i) => i % CLASSES);
  const draw = (seed: number, count: number, options: DrawOptions, groupSize: number): Promise<FloatTensor> =>
    drawSamples(
      model,
      { device: "cpu", threads: 1, steps: 3, sampler: method, seed, clip: [-2, 2], ...options },
      { count, groupSize, ...(model.kind === "images" && { labels: labels.subarray(0, count), guidance }) },
    );

  it("gives sample i the same bits for any count, in any group, batch and number of threads", async () => {
    const how = fc.record({
      seed: fc.integer({ min: 0, max: 2 ** 40 }),
      count: fc.integer({ min: 1, max: MOST }),
      groupSize: fc.integer({ min: 1, max: MOST }),
      batch: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
      threads: fc.constantFrom(1, 2),
    });
    await fc.assert(
      fc.asyncProperty(how, async ({ seed, count, groupSize, batch, threads }) => {
        const all = await draw(seed, MOST, {}, MOST);
        const some = await draw(seed, count, { threads, ...(batch !== undefined && { batch }) }, groupSize);
        expect(some.data).toEqual(all.data.subarray(0, count * width));
      }),
      { numRuns: 4 },
    );
  });
});

/** Control: where the way of a convolution is chosen by the batch, as for weights that change, the same images get other bits. */
describe("weights that are inputs", () => {
  let blocks = 0;
  beforeAll(async () => {
    blocks = await channelBlock(await backend.load("cpu"));
  });
  const flat = weightsOf(unet);
  const parameters = denoiserParameters(unet);
  const images = new Float32Array(MOST * 256);
  new Random(5, "metric").normals(images, 256);

  async function predicted(rows: number): Promise<Float32Array> {
    const weights = input("weights", [parameterCount(parameters)]);
    const output = denoiserPredict(unet)(
      {
        xt: input("xt", [rows, 1, 16, 16]),
        steps: input("steps", [1], "int32"),
        classLabels: input("labels", [rows], "int32"),
      },
      unflatten(weights, parameters),
    );
    const executable = await compile({ output }, { device: "cpu", threads: 1 });
    const xt = images.subarray(0, rows * 256);
    const said = await executable.run({ xt, weights: flat, steps: Int32Array.of(3), labels: new Int32Array(rows) });
    await executable.dispose();
    return (said["output"] as Float32Array).slice(0, 256);
  }

  test("make the bits of an image depend on its company", async (context) => {
    if (blocks === 0) context.skip();
    expect(await predicted(MOST)).not.toEqual(await predicted(2));
  });
});
