import { backend } from "#backend";
import type { InferenceSession, OnnxValue, Tensor as OrtTensor } from "onnxruntime-common";
import { input, sin } from "../graph/builders.ts";
import type { GraphDType, Node, OpName, ValueType } from "../graph/node.ts";
import { isOp } from "../graph/node.ts";
import { optimise } from "../graph/passes/optimise.ts";
import { topologicalOrder } from "../graph/traverse.ts";
import { countFlops } from "../graph/work.ts";
import { UnnoiseError, at } from "../math/error.ts";
import { requireDistinctNames, toOnnx, toPreparedOnnx } from "../onnx/emit-model.ts";
import { sameShape, shapeText, sizeOf, type Shape } from "../tensor/tensor.ts";
import { devices, type Device, type Ort } from "./backend.ts";
import { channelBlock } from "./channel-block.ts";
import { OverlapCheck } from "./overlap.ts";
import { reasonOf } from "./reason.ts";
import { wasmThreads } from "./wasm.ts";

/** Host memory of each graph dtype; bools are bytes. */
export interface HostArrays {
  float32: Float32Array;
  int32: Int32Array;
  bool: Uint8Array;
}
export type HostArray = HostArrays[GraphDType];
const ARRAY_TYPES = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;
export type Feeds = Readonly<Record<string, HostArray>>;

export interface CompileOptions {
  /** Default `auto`: the backend's choice by the work of one run. */
  readonly device?: Device | "auto";
  /**
   * Threads inside one operator; default by measured work: one for small graphs, all processors for large ones; on wasm one, or
   * what `configureRuntime` says.
   */
  readonly threads?: number;
}

/**
 * One run below this many floating-point operations is faster on one thread: waking a second costs more than it carries
 * (docs/decisions/0001).
 */
const MULTITHREAD_FLOPS = 5e7;

/**
 * Whether a device computes on the host's processor: then the state of training stays in host memory, the optimiser runs on the
 * host, and graphs may use ONNX Runtime's own operators. `cpu` reads and writes the host's arrays in place; `wasm` copies what is
 * fed and fetched through the memory of onnxruntime-web.
 */
export function runsOnHost(device: Device): boolean {
  return device === "cpu" || device === "wasm";
}

/**
 * The device that a graph will run on. `auto` is the backend's choice by the work of one run, or the host's processor where that
 * choice cannot run a graph of one operator.
 * @throws UnnoiseError `device` for a device that this platform does not have
 */
export async function resolveDevice(choice: Device | "auto", flops: number): Promise<Device> {
  if (choice === "auto") {
    const preferred = await backend.choose(flops);
    return preferred === backend.host || (await isUsable(preferred)) ? preferred : backend.host;
  }
  if (!backend.devices.includes(choice)) {
    const known = devices.includes(choice)
      ? `does not exist in ${backend.platform === "node" ? "Node" : "a browser"}`
      : "is unknown";
    throw new UnnoiseError("device", `device ${choice} ${known}; expected one of auto, ${backend.devices.join(", ")}`);
  }
  return choice;
}

/** Devices that `auto` has tried: whether they ran a graph. */
const tried = new Map<Device, Promise<boolean>>();

function isUsable(device: Device): Promise<boolean> {
  const known = tried.get(device) ?? tryDevice(device);
  tried.set(device, known);
  return known;
}

async function tryDevice(device: Device): Promise<boolean> {
  try {
    const executable = await compile({ y: sin(input("x", [1])) }, { device });
    await executable.run({ x: Float32Array.of(0) }).finally(() => executable.dispose());
    return true;
  } catch (error) {
    if (error instanceof UnnoiseError) return false;
    throw error;
  }
}

/**
 * Threads for a graph of so many floating-point operations a run; wasm has one pool for all graphs.
 * @throws UnnoiseError `usage` for threads that are no integer ≥ 1, `device` when wasm cannot have the threads that were asked
 */
export function resolveThreads(threads: number | undefined, flops: number, device: Device = "cpu"): number {
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    throw new UnnoiseError("usage", `threads: expected an integer ≥ 1, got ${threads}`);
  }
  if (device === "wasm" || backend.platform === "browser") return wasmThreads(device, threads);
  return threads ?? (flops < MULTITHREAD_FLOPS ? 1 : backend.processors);
}

/**
 * Compiles a graph: passes, ONNX, session.
 * @param outputs named results; inputs are the `input` nodes they depend on
 * @throws UnnoiseError `device` when the device is not available here, `graph` when two inputs, or an input and an output,
 * have one name, `runtime` when ONNX Runtime refuses the model
 */
export async function compile(
  outputs: Readonly<Record<string, Node>>,
  { device: choice = "auto", threads: asked }: CompileOptions = {},
): Promise<Executable> {
  // Before the passes: they merge inputs of one name that are otherwise the same.
  requireDistinctNames(outputs);
  const names = Object.keys(outputs);
  const nodes = optimise(Object.values(outputs));
  const graph = Object.fromEntries(names.map((name, i) => [name, at(nodes, i)]));
  const flops = countFlops(nodes);
  const device = await resolveDevice(choice, flops);
  const threads = resolveThreads(asked, flops, device);
  const ort = await backend.load(device, threads);
  const images = device === "cpu" && convolves(nodes);
  if (images) return compileImages({ ort, graph, device, threads });
  const model = toOnnx(graph, runsOnHost(device) ? "cpu" : "generic");
  const session = await createSession(ort, model, device, threads);
  return new Executable({ ort, session, graph, device, threads });
}

/** Convolutions on the processor: constant kernels are prepared once, and fed to every run from the memory that they are in. */
async function compileImages(compiled: Omit<Compiled, "session" | "kernels">): Promise<Executable> {
  const { ort, graph, device, threads } = compiled;
  const { model, preparation } = toPreparedOnnx(graph, await channelBlock(ort));
  const create = (bytes: Uint8Array): Promise<InferenceSession> =>
    createSession(ort, bytes, device, threads, IMAGE_MEMORY);
  const kernels = preparation ? await prepareKernels(ort, await create(preparation.model), preparation.feeds) : {};
  return new Executable({ ...compiled, session: await create(model), kernels });
}

async function prepareKernels(
  ort: Ort,
  session: InferenceSession,
  constants: Readonly<Record<string, { readonly data: Float32Array; readonly shape: Shape }>>,
): Promise<Record<string, OnnxValue>> {
  const feeds: Record<string, OnnxValue> = {};
  for (const [name, { data, shape }] of Object.entries(constants)) feeds[name] = new ort.Tensor("float32", data, shape);
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

/** One planned block for all values is twice the memory that images need in turns (docs/decisions/0007). */
const IMAGE_MEMORY: InferenceSession.SessionOptions = { enableMemPattern: false };

function convolves(outputs: readonly Node[]): boolean {
  const convolutions: readonly OpName[] = ["conv", "convInputGrad", "convWeightGrad"];
  return topologicalOrder(outputs).some(({ op }) => convolutions.includes(op));
}

/**
 * What ONNX Runtime says of a provider that cannot start: of its own packages' registry, of a GPU that is not there (Dawn, CUDA),
 * and of provider libraries that are missing or do not load. Anything else is an error in what it was asked to run.
 */
const CANNOT_START = new RegExp(
  [
    "no available backend found",
    "failed to get (?:a webgpu|gpu) (?:adapter|device)",
    "failed to create (?:wgpu::Instance|VkInstance|device:)",
    "WebGPU is not supported in current environment",
    "failed to load (?:shared library|library \\S*onnxruntime_providers_)",
    "execution provider is (?:either )?not enabled",
    "no CUDA-capable device|CUDA driver version is insufficient",
  ].join("|"),
  "i",
);

/**
 * A session of an ONNX model: its bytes, or where its file is.
 * @throws UnnoiseError `device` when the device is not available here, `runtime` when ONNX Runtime refuses the model
 */
export async function createSession(
  ort: Ort,
  model: Uint8Array | string,
  device: Device,
  threads: number,
  more: InferenceSession.SessionOptions = {},
): Promise<InferenceSession> {
  try {
    const options = { ...backend.sessionOptions(device, threads), ...more };
    if (typeof model === "string") return await ort.InferenceSession.create(model, options);
    return await ort.InferenceSession.create(model, options);
  } catch (cause) {
    const reason = reasonOf(cause);
    const unavailable = CANNOT_START.test(reason);
    const advice = unavailable
      ? `device ${device} is not available here; ${backend.advice}`
      : "ONNX Runtime refused the model";
    throw new UnnoiseError(unavailable ? "device" : "runtime", `${advice}: ${reason}`, { cause });
  }
}

interface Compiled {
  /** Inputs of the session beside those of the graph, the same in every run. */
  readonly kernels?: Readonly<Record<string, OnnxValue>>;
  readonly ort: Ort;
  readonly session: InferenceSession;
  readonly graph: Readonly<Record<string, Node>>;
  readonly device: Device;
  readonly threads: number;
}

/** A compiled graph. Holds native memory until `dispose`. */
export class Executable {
  readonly device: Device;
  readonly threads: number;
  readonly inputs: ReadonlyMap<string, ValueType>;
  readonly outputs: ReadonlyMap<string, ValueType>;
  readonly #ort: Ort;
  readonly #session: InferenceSession;
  /** Tensors around arrays that were fed before: making one costs more than a small operator. */
  readonly #wrapped = new WeakMap<HostArray, OrtTensor>();
  readonly #overlap: OverlapCheck;
  readonly #kernels: Readonly<Record<string, OnnxValue>>;
  #disposed = false;

  constructor({ ort, session, graph, device, threads, kernels = {} }: Compiled) {
    this.#kernels = kernels;
    this.#ort = ort;
    this.#session = session;
    this.device = device;
    this.threads = threads;
    // Their types alone: the nodes hold every constant of the graph.
    this.outputs = new Map(Object.entries(graph).map(([name, { dtype, shape }]) => [name, { dtype, shape }]));
    const leaves = topologicalOrder(Object.values(graph)).filter((node) => isOp(node, "input"));
    this.inputs = new Map(leaves.map((leaf) => [leaf.attributes.name, leaf]));
    this.#overlap = new OverlapCheck(this.inputs.keys(), this.outputs.keys());
  }

  /**
   * Runs once.
   * @param feeds an array for each input: borrowed, not copied, where the provider can
   * @param results arrays to write outputs into, none of which overlaps a feed or another; outputs not named are returned in new
   * arrays
   * @returns every output by name
   * @throws UnnoiseError `runtime` when an input is missing or has the wrong size or type, a result overlaps a feed or
   * another result, or the provider fails
   */
  async run(feeds: Feeds, results: Feeds = {}): Promise<Record<string, HostArray>> {
    this.#checkNames(feeds, results);
    this.#overlap.check(feeds, results);
    const inputs: Record<string, OnnxValue> = { ...this.#kernels };
    for (const [name, type] of this.inputs) inputs[name] = this.#tensor(name, type, feeds[name]);
    // onnxruntime-web does not write into host tensors that it is given, so there the results are copied below.
    const native = backend.platform === "node" && this.device !== "wasm";
    const fetches: Record<string, OnnxValue | null> = {};
    for (const [name, type] of this.outputs) {
      const target = results[name];
      fetches[name] = native && target ? this.#tensor(name, type, target) : null;
    }
    return this.#collect(await this.#runSession(inputs, fetches), results);
  }

  /** Frees the session; the executable cannot run again. A second call does nothing. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#session.release();
  }

  #checkNames(feeds: Feeds, results: Feeds): void {
    for (const [given, known, what] of [
      [feeds, this.inputs, "input"],
      [results, this.outputs, "output"],
    ] as const) {
      const unknown = Object.keys(given).find((name) => !known.has(name));
      if (unknown === undefined) continue;
      throw new UnnoiseError("runtime", `no ${what} is called ${unknown}; ${what}s: ${[...known.keys()].join(", ")}`);
    }
  }

  async #runSession(
    feeds: Record<string, OnnxValue>,
    fetches: Record<string, OnnxValue | null>,
  ): Promise<InferenceSession.ReturnType> {
    try {
      return await this.#session.run(feeds, fetches);
    } catch (cause) {
      throw new UnnoiseError("runtime", `running on ${this.device} failed: ${reasonOf(cause)}`, { cause });
    }
  }

  #collect(returned: InferenceSession.ReturnType, results: Feeds): Record<string, HostArray> {
    const collected: Record<string, HostArray> = {};
    for (const name of this.outputs.keys()) {
      const data = (returned[name] as OrtTensor).data as HostArray;
      const target = results[name];
      if (target && target !== data) target.set(data);
      collected[name] = target ?? data;
    }
    return collected;
  }

  #tensor(name: string, { dtype, shape }: ValueType, array: HostArray | undefined): OrtTensor {
    if (array?.length !== sizeOf(shape)) {
      const got = array ? `${array.length} values` : "nothing";
      throw new UnnoiseError("runtime", `value ${name}: expected ${dtype} ${shapeText(shape)}, got ${got}`);
    }
    const known = this.#wrapped.get(array);
    if (known && sameShape(known.dims, shape)) return known;
    if (!(array instanceof ARRAY_TYPES[dtype])) {
      throw new UnnoiseError(
        "runtime",
        `value ${name}: expected ${ARRAY_TYPES[dtype].name}, got ${array.constructor.name}`,
      );
    }
    const tensor = new this.#ort.Tensor(dtype, array, shape);
    this.#wrapped.set(array, tensor);
    return tensor;
  }
}
