import { describe, expect, it } from "vitest";
import { distance } from "../../test/golden-torch.ts";
import { probe } from "../../test/network-checks.ts";
import { unetGolden, unetTensor, unetWeights, type UNetCase } from "../../test/golden-unet.ts";
import { constant, input } from "../graph/builders.ts";
import type { Node } from "../graph/node.ts";
import { at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { compile } from "../runtime/executable.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { initialise, parameterCount, type Weights } from "./parameters.ts";
import { unet2d, type UNet2DConfig } from "./unet-2d.ts";
import { presentAttention } from "./unet/attention-names.ts";

const listed = (config: UNet2DConfig): [string, readonly number[]][] =>
  unet2d.parameters(config).map(({ name, shape }) => [name, shape]);

describe.each(Object.entries(unetGolden.listings))("the weights of %s", (_, { config, weights }) => {
  it("have diffusers' names, shapes and order", () => {
    expect(listed(unet2d.schema.parse(config))).toEqual(weights);
  });
});

describe("the CIFAR-10 network of Ho et al. 2020", () => {
  it("has 35,746,307 parameters", () => {
    const config = unet2d.schema.parse(unetGolden.listings["cifar10"]?.config);
    expect(parameterCount(unet2d.parameters(config))).toBe(35_746_307);
  });
});

function constants(weights: ReadonlyMap<string, FloatTensor>): Weights {
  const entries = [...weights].map(([old, tensor]) => {
    const { name, shape } = presentAttention({ name: old, shape: tensor.shape });
    return [name, constant(tensor.data, shape)];
  });
  return Object.fromEntries(entries) as Weights;
}

function labelsOf({ name, labels }: UNetCase): Node | undefined {
  const embedded = unetTensor(name, "labels");
  if (embedded) return constant(embedded.data, embedded.shape);
  return labels && constant(labels, [labels.length], "int32");
}

async function outputOf(
  golden: UNetCase,
  steps = golden.steps,
  config: unknown = golden.config,
): Promise<Float32Array> {
  const sample = unetTensor(golden.name, "sample") as FloatTensor;
  const classLabels = labelsOf(golden);
  const y = unet2d.predict(
    {
      xt: input("xt", sample.shape),
      steps: input("steps", [steps.length], "int32"),
      ...(classLabels && { classLabels }),
    },
    constants(unetWeights(golden.name)),
    unet2d.schema.parse(config),
  );
  const executable = await compile({ y }, { device: "cpu", threads: 1 });
  const feeds = { xt: sample.data, steps: Int32Array.from(steps) };
  const { y: data } = await executable.run(feeds).finally(() => executable.dispose());
  return data as Float32Array;
}

describe.each(unetGolden.cases)("the network $name", (golden) => {
  const expected = (unetTensor(golden.name, "output") as FloatTensor).data;

  it("gives what diffusers gives", async () => {
    const got = await outputOf(golden);
    expect(distance(got, expected)).toBeLessThan(1e-5);
  });
});

describe.each(unetGolden.cases.filter(({ name }) => ["heads", "fourier"].includes(name)))(
  "the network $name",
  (golden) => {
    const config = unet2d.schema.parse(golden.config);

    it("takes one step for all rows", async () => {
      const step = at(golden.steps, 0);
      const both = await outputOf(golden, [step, step]);
      expect(distance(await outputOf(golden, [step]), both)).toBeLessThan(1e-6);
      expect(distance(both, (unetTensor(golden.name, "output") as FloatTensor).data)).toBeGreaterThan(1e-4);
    });

    it("has a gradient in every weight, but keys' biases, which softmax takes out, and fixed frequencies", async () => {
      const probed = probe(unet2d, config, 2);
      const start = initialise(unet2d.parameters(config), new Random(0, "init"));
      for (const [name, gradient] of await probed.gradients(start)) {
        const none = /to_k\.bias|time_proj/.test(name);
        const largest = Math.max(...gradient.map(Math.abs));
        if (none) expect(largest, name).toBeLessThan(1e-5);
        else expect(largest, name).toBeGreaterThan(1e-4);
      }
    });
  },
);

describe("configurations", () => {
  const base = at(unetGolden.cases, 0).config;
  const problem = (change: Record<string, unknown>): string => {
    const parsed = unet2d.schema.safeParse({ ...base, ...change });
    return parsed.success ? "" : parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join();
  };

  it("have diffusers' defaults, and come out of `file` as they went in", () => {
    const config = unet2d.schema.parse({});
    expect(config).toMatchObject({
      block_out_channels: [224, 448, 672, 896],
      attention_head_dim: 8,
      sample_size: null,
    });
    expect(unet2d.schema.parse(unet2d.file(config))).toEqual(config);
    expect(unet2d.file({ ...config, kind: "UNet2DModel" } as UNet2DConfig)).not.toHaveProperty("kind");
  });

  it("may have keys that start with _, and names of old files", () => {
    const old = { _class_name: "UNet2DModel", _diffusers_version: "0.1", act_fn: "SiLU" };
    const types = ["UNetResDownBlock2D", "UNetResAttnDownBlock2D"];
    expect(problem({ ...old, down_block_types: types })).toBe("");
    const config = unet2d.schema.parse({ ...base, ...old, down_block_types: types });
    expect(config).toEqual(unet2d.schema.parse(base));
  });

  it.each<[Record<string, unknown>, string]>([
    [{ in_chanels: 3 }, "in_chanels: unknown key; did you mean in_channels?"],
    [{ attention: 3 }, "attention: unknown key; known keys: sample_size, in_channels"],
    [
      { down_block_types: ["DownBlock2D", "SkipDownBlock2D"] },
      'down_block_types.1: "SkipDownBlock2D" is not supported; supported: DownBlock2D, AttnDownBlock2D, ResnetDownsampleBlock2D',
    ],
    [{ up_block_types: ["UpBlock2D"] }, "expected lists of one length, got 2, 1 and 2"],
    [{ norm_num_groups: 3 }, "down_blocks.0.resnets.0.norm1: 3 groups do not divide 8 channels"],
    [{ attention_head_dim: 17 }, "attention_head_dim 17 is more than its 16 channels"],
    [{ sample_size: 9 }, "height and width multiples of 2, got 3×9×9"],
    [{ time_embedding_type: "learned" }, "num_train_timesteps is null"],
    [{ block_out_channels: [2, 4], norm_num_groups: 1 }, "freq_shift: expected less than 1"],
    [{ act_fn: "tanh" }, 'act_fn: "tanh" is not supported; supported: silu, swish, mish, gelu, relu'],
    [{ dropout: 1 }, "dropout: "],
  ])("are refused with %j", (change, message) => {
    expect(problem({})).toBe("");
    expect(problem(change)).toContain(message);
  });

  it("say what they are for", () => {
    const config = unet2d.schema.parse({ ...base, sample_size: [8, 12], out_channels: 6, num_class_embeds: 5 });
    expect(unet2d.sampleShape(config)).toEqual([3, 8, 12]);
    expect(unet2d.outputChannels(config)).toBe(6);
    expect(unet2d.classes(config)).toBe(5);
    expect(() => unet2d.sampleShape({ ...config, sample_size: null })).toThrow("sample_size is null");
  });
});

describe("predict", () => {
  const config = unet2d.schema.parse({ ...at(unetGolden.cases, 0).config, dropout: 0.25 });
  const weights = Object.fromEntries(unet2d.parameters(config).map(({ name, shape }) => [name, input(name, shape)]));
  const steps = input("steps", [2], "int32");
  const xt = input("xt", [2, 3, 8, 8]);

  it("drops once in each residual block, at the configured rate, where it is told how", () => {
    const rates: number[] = [];
    const dropout = (x: Node, rate: number): Node => (rates.push(rate), x);
    unet2d.predict({ xt, steps, dropout }, weights, config);
    const blocks = unet2d.parameters(config).filter(({ name }) => name.endsWith("conv2.weight"));
    expect(rates).toEqual(blocks.map(() => 0.25));
    unet2d.predict({ xt, steps, dropout }, weights, { ...config, dropout: 0 });
    expect(rates).toHaveLength(blocks.length);
  });

  it("says which images it takes, and that labels are missing or not wanted", () => {
    const predict = (x: Node, classLabels?: Node): Node =>
      unet2d.predict({ xt: x, steps, ...(classLabels && { classLabels }) }, weights, config);
    expect(() => predict(input("xt", [2, 3, 9, 8]))).toThrow("multiples of 2, got 3×9×8");
    expect(() => predict(input("xt", [2, 1, 8, 8]))).toThrow("expected images of 3 channels");
    expect(() => predict(xt, steps)).toThrow("it has no class embeddings");
    expect(() => unet2d.predict({ xt, steps }, weights, { ...config, num_class_embeds: 3 })).toThrow("got none");
  });
});
