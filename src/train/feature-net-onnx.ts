import type { Filter } from "../data/resample.ts";
import { UnnoiseError } from "../math/error.ts";
import type { CompileOptions } from "../runtime/executable.ts";
import { loadOnnx, type OnnxFile, type OnnxValueInfo } from "../runtime/onnx-file.ts";
import type { FeatureNet, ImageShape } from "./feature-net.ts";
import { prepareImages, type InputRange, type NetInput } from "./feature-net-input.ts";

export interface OnnxNetOptions extends CompileOptions {
  /** Name for reports and messages. */
  readonly name: string;
  /** SHA-256 of the file, in hexadecimal digits. */
  readonly hash: string;
  /** Values that the net expects; a file does not say. */
  readonly range: InputRange;
  /** Output with the features; the net's only one, or its first, if absent. */
  readonly output?: string;
  /** Height and width, where the net takes any: that of the images if absent. */
  readonly size?: readonly [height: number, width: number];
  /** How images of another size are resized; `bicubic` if absent. */
  readonly filter?: Filter;
  /** Images of one call, where the net takes any number; 32 if absent. */
  readonly batchSize?: number;
}

const BATCH = 32;

/**
 * A user's ONNX model as a feature net. It needs one float32 input [N, C, H, W] with 1 or 3 channels; its output is flattened to
 * [N, F].
 * @param model bytes, or in Node a path
 * @param images extents of the images that it will see
 * @throws UnnoiseError `usage` for a model with other inputs, an output that it lacks, or one without features; `runtime` when
 * ONNX Runtime refuses it; `device` when the device is not available
 */
export async function onnxNet(
  model: Uint8Array | string,
  images: ImageShape,
  options: OnnxNetOptions,
): Promise<FeatureNet> {
  const { device, threads, name } = options;
  const placement = { ...(device && { device }), ...(threads !== undefined && { threads }) };
  const file = await loadOnnx(model, placement).catch((cause: unknown) => {
    if (!(cause instanceof UnnoiseError)) throw cause;
    throw new UnnoiseError(cause.code, `feature net ${name}: expected an ONNX file; ${cause.message}`, { cause });
  });
  try {
    const layout = layoutOf(file, images, options);
    const probe = await run(file, layout, new Float32Array(layout.batch * sizeOfImage(layout.input.shape)), name);
    return netOf(file, layout, probe.length / layout.batch, options);
  } catch (error) {
    await file.dispose();
    throw error;
  }
}

/** How a model is fed and read. */
interface Layout {
  readonly inputName: string;
  readonly output: string;
  readonly input: NetInput;
  readonly batch: number;
}

const sizeOfImage = ([channels, height, width]: ImageShape): number => channels * height * width;

function netOf(file: OnnxFile, layout: Layout, width: number, { name, hash }: OnnxNetOptions): FeatureNet {
  const { batch, input } = layout;
  const buffer = new Float32Array(batch * sizeOfImage(input.shape));
  return {
    name,
    hash,
    width,
    batchSize: batch,
    features: async (images, shape) => {
      prepareImages(images, shape, input, buffer);
      return (await run(file, layout, buffer, name)).subarray(0, (images.length / sizeOfImage(shape)) * width);
    },
    dispose: () => file.dispose(),
  };
}

/** Features of a whole batch. */
async function run(file: OnnxFile, layout: Layout, pixels: Float32Array, name: string): Promise<Float32Array> {
  const { inputName, output, input, batch } = layout;
  const feeds = { [inputName]: { shape: [batch, ...input.shape], data: pixels } };
  const { [output]: result } = await file.run(feeds, [output]);
  const { shape, data } = result ?? { shape: [], data: new Float32Array() };
  if (!(data instanceof Float32Array) || shape[0] !== batch || data.length === 0) {
    const got = `${data.constructor.name} [${shape.join(", ")}]`;
    throw wrong(name, `output ${output}: expected float32 [${batch}, …], a row for each image, got ${got}`);
  }
  return data;
}

function layoutOf(file: OnnxFile, images: ImageShape, options: OnnxNetOptions): Layout {
  const { name, range, size, filter = "bicubic", batchSize = BATCH } = options;
  const input = imageInput(file.inputs, name);
  const [batch, channels, height, width] = input.shape as Four;
  const shape: ImageShape = [channels ?? images[0], height ?? size?.[0] ?? images[1], width ?? size?.[1] ?? images[2]];
  if (shape[0] !== 1 && shape[0] !== 3) {
    throw wrong(name, `input ${input.name}: expected 1 or 3 channels along axis 1, got ${textOf(input)}`);
  }
  if (size && (size[0] !== shape[1] || size[1] !== shape[2])) {
    throw wrong(name, `its input has ${shape[1]} × ${shape[2]} pixels, but size says ${size[0]} × ${size[1]}`);
  }
  return {
    inputName: input.name,
    output: outputOf(file.outputs, options),
    input: { shape, range, filter },
    batch: batch ?? batchSize,
  };
}

type Four = readonly [number | null, number | null, number | null, number | null];

function imageInput(inputs: readonly OnnxValueInfo[], name: string): OnnxValueInfo {
  const [input, ...others] = inputs;
  if (!input || others.length > 0) {
    throw wrong(name, `expected one input, images, got ${inputs.map(textOf).join(", ") || "none"}`);
  }
  if (input.dtype !== "float32" || input.shape.length !== 4) {
    throw wrong(name, `expected a float32 input [N, C, H, W], got ${textOf(input)}`);
  }
  return input;
}

function outputOf(outputs: readonly OnnxValueInfo[], { name, output }: OnnxNetOptions): string {
  const chosen = output === undefined ? outputs[0] : outputs.find((each) => each.name === output);
  if (chosen) return chosen.name;
  throw wrong(name, `it has no output ${output ?? ""}; outputs: ${outputs.map(textOf).join(", ")}`);
}

const textOf = ({ name, dtype, shape }: OnnxValueInfo): string =>
  `${name} ${dtype} [${shape.map((extent) => extent ?? "?").join(", ")}]`;

const wrong = (name: string, what: string): UnnoiseError => new UnnoiseError("usage", `feature net ${name}: ${what}`);
