import { describe, expect, test } from "vitest";
import { networks } from "./networks.ts";

/** A configuration of each network, with all keys that hold numbers. */
const configs = {
  MlpDenoiser: { dimensions: 2, timesteps: 10, width: 8, depth: 2, time_features: 8 },
  UNet2DModel: {
    ...{
      sample_size: 8,
      in_channels: 3,
      out_channels: 3,
      layers_per_block: 1,
      norm_num_groups: 4,
      attention_head_dim: 8,
    },
    ...{ time_embedding_dim: 16, attn_norm_num_groups: 4, num_class_embeds: 3, num_train_timesteps: 10 },
    ...{
      downsample_padding: 1,
      block_out_channels: [8],
      down_block_types: ["DownBlock2D"],
      up_block_types: ["UpBlock2D"],
    },
  },
  DiT: {
    ...{ sample_size: 8, patch_size: 2, in_channels: 3, out_channels: 3, hidden_size: 8, depth: 1, num_heads: 2 },
    ...{ mlp_ratio: 2, num_class_embeds: 3 },
  },
  ConvNextUNet: {
    ...{ sample_size: 8, in_channels: 3, out_channels: 3, layers_per_block: 1, kernel_size: 3, expansion: 2 },
    ...{ block_out_channels: [8], num_class_embeds: 3 },
  },
} as const;

describe.each(Object.keys(networks) as (keyof typeof networks)[])("%s", (name) => {
  const config = configs[name];
  const { schema } = networks[name];

  test("takes its configuration", () => {
    expect(schema.safeParse(config).success).toBe(true);
  });

  test.each(Object.keys(config).filter((key) => typeof Reflect.get(config, key) === "number"))(
    "refuses %s of a thousand million before it builds anything",
    (key) => {
      const begin = performance.now();
      expect(schema.safeParse({ ...config, [key]: 1e9 }).success).toBe(false);
      expect(schema.safeParse({ ...config, [key]: Infinity }).success).toBe(false);
      expect(performance.now() - begin).toBeLessThan(2000);
    },
  );
});
