import { backend } from "#backend";
import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-common";
import { UnnoiseError } from "../math/error.ts";
import { shapeText, sizeOf, type Shape } from "../tensor/tensor.ts";
import type { Device, Ort } from "./backend.ts";
import { createSession, resolveDevice, resolveThreads, type CompileOptions, type HostArray } from "./executable.ts";
import { reasonOf } from "./reason.ts";

/** What a model says of an input or output. */
export interface OnnxValueInfo {
  readonly name: string;
  /** ONNX Runtime's name of the element type, such as `float32`; `none` for what is no tensor. */
  readonly dtype: string;
  /** Extents; null where the model leaves one open. Empty for a scalar, and where the model does not say. */
  readonly shape: readonly (number | null)[];
}

/** An array with its extents. */
export interface OnnxArray {
  readonly shape: Shape;
  readonly data: HostArray;
}

/** Work of one run of a model that nobody has counted: enough for the processor's threads and for a device of its own. */
const UNKNOWN_FLOPS = 1e12;

/**
 * Loads any ONNX model.
 * @param model its bytes, or in Node the path of its file, beside which its external data may lie
 * @throws UnnoiseError `device` when the device is not available here, `runtime` when ONNX Runtime refuses the model
 */
export async function loadOnnx(
  model: Uint8Array | string,
  { device: choice = "auto", threads: asked }: CompileOptions = {},
): Promise<OnnxFile> {
  const device = await resolveDevice(choice, UNKNOWN_FLOPS);
  const threads = resolveThreads(asked, UNKNOWN_FLOPS, device);
  const ort = await backend.load(device, threads);
  return new OnnxFile(ort, await createSession(ort, model, device, threads), device);
}

/** A model from a file. Holds native memory until `dispose`. */
export class OnnxFile {
  readonly device: Device;
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  readonly #ort: Ort;
  readonly #session: InferenceSession;
  #disposed = false;

  constructor(ort: Ort, session: InferenceSession, device: Device) {
    this.#ort = ort;
    this.#session = session;
    this.device = device;
    this.inputs = session.inputMetadata.map(infoOf);
    this.outputs = session.outputMetadata.map(infoOf);
  }

  /**
   * Runs once.
   * @param feeds an array for each input
   * @param wanted outputs to compute; all if absent
   * @throws UnnoiseError `runtime` when a shape does not hold its values, or the provider fails
   */
  async run(
    feeds: Readonly<Record<string, OnnxArray>>,
    wanted: readonly string[] = this.outputs.map(({ name }) => name),
  ): Promise<Record<string, OnnxArray>> {
    const inputs = Object.fromEntries(Object.entries(feeds).map(([name, array]) => [name, this.#tensor(name, array)]));
    try {
      const results = await this.#session.run(inputs, wanted);
      return Object.fromEntries(
        wanted.map((name) => {
          const { dims, data } = results[name] as OrtTensor;
          return [name, { shape: dims, data: data as HostArray }];
        }),
      );
    } catch (cause) {
      throw new UnnoiseError("runtime", `running the model on ${this.device} failed: ${reasonOf(cause)}`, { cause });
    }
  }

  /** Frees the session; a second call does nothing. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#session.release();
  }

  #tensor(name: string, { shape, data }: OnnxArray): OrtTensor {
    if (sizeOf(shape) !== data.length) {
      throw new UnnoiseError("runtime", `input ${name}: ${shapeText(shape)} does not hold ${data.length} values`);
    }
    if (data instanceof Float32Array) return new this.#ort.Tensor("float32", data, shape);
    if (data instanceof Int32Array) return new this.#ort.Tensor("int32", data, shape);
    return new this.#ort.Tensor("bool", data, shape);
  }
}

function infoOf(metadata: InferenceSession.ValueMetadata): OnnxValueInfo {
  const { name } = metadata;
  if (!metadata.isTensor) return { name, dtype: "none", shape: [] };
  const shape = metadata.shape.map((extent) => (typeof extent === "number" && extent >= 0 ? extent : null));
  return { name, dtype: metadata.type, shape };
}
