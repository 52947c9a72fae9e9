import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Random } from "../src/math/random.ts";
import { initialise } from "../src/nn/parameters.ts";
import { unet2d } from "../src/nn/unet-2d.ts";
import { sizeOf } from "../src/tensor/tensor.ts";
import type { ArrayPlace } from "./protocol.ts";

/** Keys of diffusers' `UNet2DModel`. */
export type UNetKeys = Readonly<Record<string, unknown>>;

/** One U-Net at work, with the same weights and images for both contenders. */
export interface UNetProblem {
  /** `sample` is one prediction with fixed weights, `train` the loss of a batch and the gradient of every weight. */
  readonly kind: "sample" | "train";
  readonly config: UNetKeys;
  readonly batchSize: number;
  readonly file: string;
  readonly arrays: Readonly<Record<"weights" | "images" | "noise" | "steps", ArrayPlace>>;
  /** The weights of the flat array `weights`, in their order. */
  readonly parameters: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

const DOWN = "DownBlock2D";
const UP = "UpBlock2D";
const fashion = {
  sample_size: 28,
  in_channels: 1,
  out_channels: 1,
  down_block_types: [DOWN, DOWN, "AttnDownBlock2D"],
  up_block_types: ["AttnUpBlock2D", UP, UP],
  layers_per_block: 2,
  norm_num_groups: 16,
};

/** The network of DDPM on CIFAR-10, that of examples/fashion-mnist.yaml but for its variance, and two larger ones of its kind. */
export const networks: Readonly<Record<string, UNetKeys>> = {
  "ddpm-cifar10-32": {
    sample_size: 32,
    in_channels: 3,
    out_channels: 3,
    freq_shift: 1,
    flip_sin_to_cos: false,
    down_block_types: [DOWN, "AttnDownBlock2D", DOWN, DOWN],
    up_block_types: [UP, UP, "AttnUpBlock2D", UP],
    block_out_channels: [128, 256, 256, 256],
    layers_per_block: 2,
    downsample_padding: 0,
    attention_head_dim: null,
    norm_num_groups: 32,
    norm_eps: 1e-6,
  },
  fashion: {
    ...fashion,
    block_out_channels: [16, 32, 64],
    layers_per_block: 1,
    norm_num_groups: 8,
    attention_head_dim: 32,
  },
  "fashion-32": { ...fashion, block_out_channels: [32, 64, 64] },
  "fashion-64": { ...fashion, block_out_channels: [64, 64, 128] },
};

/** Writes the numbers that both contenders share into `folder`. */
export function writeUNetProblem(
  folder: string,
  { network, kind, batchSize }: { readonly network: string } & Pick<UNetProblem, "kind" | "batchSize">,
): UNetProblem {
  const keys = networks[network] ?? {};
  const config = unet2d.schema.parse(keys);
  const parameters = unet2d.parameters(config);
  const shape = [batchSize, ...unet2d.sampleShape(config)];
  const random = new Random(1, "init");
  const normals = (row: number): Float32Array => {
    const values = new Float32Array(sizeOf(shape));
    new Random(1, "noise").normals(values, values.length, 0, row);
    return values;
  };
  const file = join(folder, `${network}-${kind}-${batchSize}.bin`);
  const arrays = writeArrays(file, {
    weights: initialise(parameters, random),
    images: normals(0),
    noise: normals(1),
    steps: Int32Array.from({ length: batchSize }, (_, i) => 500 - 20 * i),
  });
  return { kind, config: keys, batchSize, file, arrays, parameters };
}

function writeArrays<K extends string>(
  file: string,
  arrays: Readonly<Record<K, Float32Array | Int32Array>>,
): Record<K, ArrayPlace> {
  let offset = 0;
  const places = Object.entries<Float32Array | Int32Array>(arrays).map(([name, data]) => {
    const dtype = data instanceof Float32Array ? "float32" : "int32";
    const place: ArrayPlace = { offset, shape: [data.length], dtype };
    offset += data.byteLength;
    return [name, place] as const;
  });
  const bytes = Object.values<Float32Array | Int32Array>(arrays).map(
    ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
  );
  writeFileSync(file, Buffer.concat(bytes));
  return Object.fromEntries(places) as Record<K, ArrayPlace>;
}
