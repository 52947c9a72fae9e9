import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { UnnoiseError } from "../math/error.ts";
import type { Backend, Device, Ort } from "./backend.ts";
import { importOrt } from "./import-ort.ts";
import { loadNativeEngine, nativeEngineProblem } from "./native-engine.node.ts";
import { prepareWasm } from "./wasm.ts";

/** Work below which moving data to a GPU costs more than it saves. */
const GPU_WORTHWHILE_FLOPS = 1e10;

/** Whether ONNX Runtime's CUDA provider lies beside its library: it is fetched separately from the package. */
function hasCudaLibraries(): boolean {
  try {
    const entry = createRequire(import.meta.url).resolve("onnxruntime-node");
    const folder = join(dirname(entry), "..", "bin", "napi-v6", process.platform, process.arch);
    return existsSync(join(folder, "libonnxruntime_providers_cuda.so"));
  } catch {
    return false;
  }
}

async function load(device: Device, threads = 1): Promise<Ort> {
  if (device === "cuda" && !hasCudaLibraries()) {
    const advice = "install CUDA 12 and let onnxruntime-node's install script fetch them, or use device auto or cpu";
    throw new UnnoiseError(
      "device",
      `device cuda is not available here: ONNX Runtime's CUDA libraries are missing; ${advice}`,
    );
  }
  if (device !== "wasm") return loadNativeEngine(device);
  const ort = await importOrt(() => import("onnxruntime-web"), "onnxruntime-web", device);
  prepareWasm(ort.env.wasm, device, threads);
  return ort;
}

/**
 * onnxruntime-node for cpu, webgpu and cuda; onnxruntime-web for wasm, which `auto` takes where the native engine is missing. In Node its main entry is its build for
 * Node; `onnxruntime-web/wasm` is for browsers and cannot start its threads here.
 */
export const backend: Backend = {
  platform: "node",
  devices: ["cpu", "webgpu", "cuda", "wasm"],
  host: "cpu",
  processors: availableParallelism(),
  channelBlocks: process.arch === "x64" ? [16, 8] : [],
  choose: async (flops) => {
    if (flops >= GPU_WORTHWHILE_FLOPS && hasCudaLibraries()) return "cuda";
    return (await nativeEngineProblem()) === undefined ? "cpu" : "wasm";
  },
  load,
  advice: "use device auto or cpu",
  sessionOptions: (device, threads) => ({
    executionProviders: [device],
    graphOptimizationLevel: "all",
    logSeverityLevel: 4,
    ...(device === "wasm" ? {} : { intraOpNumThreads: threads, interOpNumThreads: 1 }),
  }),
};
