import type { Env, InferenceSession, InferenceSessionFactory, TensorConstructor } from "onnxruntime-common";

/** Where a graph runs: an execution provider of ONNX Runtime. */
export type Device = "cpu" | "webgpu" | "cuda" | "wasm";
export const devices: readonly Device[] = ["cpu", "webgpu", "cuda", "wasm"];

/** The part of onnxruntime-node and onnxruntime-web that unnoise uses. */
export interface Ort {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
  readonly env: Env;
}

/** One platform's ONNX Runtime: one object for Node, one for browsers. */
export interface Backend {
  readonly platform: "node" | "browser";
  /** Devices that may exist here; making a session tells whether they do. */
  readonly devices: readonly Device[];
  /** The device on the host's processor: it is always there. */
  readonly host: Device;
  /** The device that `auto` prefers for a graph of so many floating-point operations a run. */
  choose(flops: number): Promise<Device>;
  /** Processors that threads may use. */
  readonly processors: number;
  /** Channels that a block of the processor's blocked images may have, for `channelBlock` to try. */
  readonly channelBlocks: readonly number[];
  /** Loads the package that runs `device`; a wasm build of it starts with so many threads, 1 by default. */
  load(device: Device, threads?: number): Promise<Ort>;
  /** What to do when a device is not available. */
  readonly advice: string;
  readonly sessionOptions: (device: Device, threads: number) => InferenceSession.SessionOptions;
}
