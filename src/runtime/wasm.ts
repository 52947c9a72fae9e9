import type { Env } from "onnxruntime-common";
import { UnnoiseError } from "../math/error.ts";
import type { Device } from "./backend.ts";

/** Addresses of one build of ONNX Runtime: its script and its code. */
export interface WasmFiles {
  readonly mjs: string | URL;
  readonly wasm: string | URL;
}

/** How onnxruntime-web starts in a page. */
export interface RuntimeSettings {
  /**
   * Where onnxruntime-web's files are: a folder that serves its `dist`, absolute or relative to the page, or the addresses of the
   * two files of each device that the page uses (`ort-wasm-simd-threaded` for wasm, `ort-wasm-simd-threaded.asyncify` for webgpu).
   * Default: beside the script that holds onnxruntime-web.
   */
  readonly wasmPaths?: string | Partial<Readonly<Record<"wasm" | "webgpu", WasmFiles>>>;
  /** Threads of every session on the device wasm, 1 by default; more need a cross-origin isolated page and `wasmPaths`. */
  readonly threads?: number;
}

let settings: RuntimeSettings = {};
/** Threads that a build of ONNX Runtime started with: one pool serves all of its sessions. */
const pools = new Map<Device, number>();

/**
 * Says where onnxruntime-web's files are and how many threads it may use; call it before the first `compile`, `train` or `sample`.
 * @throws UnnoiseError `usage` when ONNX Runtime has already started, or for threads that are not an integer ≥ 1
 */
export function configureRuntime(changes: RuntimeSettings): void {
  const { threads } = changes;
  if (pools.size > 0)
    throw new UnnoiseError(
      "usage",
      "configureRuntime: ONNX Runtime has already started; call it before anything is compiled",
    );
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1))
    throw new UnnoiseError("usage", `configureRuntime: threads: expected an integer of at least 1, got ${threads}`);
  settings = { ...settings, ...changes };
}

/**
 * Threads of a session on a wasm build of ONNX Runtime: what was asked, else what runs, else what is configured.
 * @throws UnnoiseError `device` when threads are asked that the page cannot have
 */
export function wasmThreads(device: Device, asked: number | undefined): number {
  const running = pools.get(device);
  const threads = asked ?? running ?? (device === "wasm" ? settings.threads : undefined) ?? 1;
  if (running !== undefined && threads !== running) {
    const advice = "the first session decides for all; use configureRuntime before it";
    throw new UnnoiseError("device", `${threads} threads: device ${device} already runs with ${running}; ${advice}`);
  }
  // Node, where threads need no isolation, does not have this property.
  if (threads > 1 && (globalThis.crossOriginIsolated as boolean | undefined) === false) {
    const advice =
      "serve it with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp";
    throw new UnnoiseError("device", `${threads} threads: the page is not cross-origin isolated; ${advice}, or use 1`);
  }
  return threads;
}

/** Hands the settings to a build of ONNX Runtime, which reads them when its first session is made. */
export function prepareWasm(flags: Env.WebAssemblyFlags, device: Device, threads: number): void {
  if (pools.has(device)) return;
  pools.set(device, threads);
  flags.numThreads = threads;
  const { wasmPaths } = settings;
  if (typeof wasmPaths === "string") flags.wasmPaths = absoluteFolder(wasmPaths);
  else if ((device === "wasm" || device === "webgpu") && wasmPaths?.[device]) flags.wasmPaths = wasmPaths[device];
}

/** ONNX Runtime takes only absolute addresses that end in a slash. */
function absoluteFolder(path: string): string {
  const folder = path.endsWith("/") ? path : `${path}/`;
  return typeof location === "undefined" ? folder : new URL(folder, location.href).href;
}
