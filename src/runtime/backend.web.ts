import { UnnoiseError } from "../math/error.ts";
import type { Backend, Device, Ort } from "./backend.ts";

const GPU_WORTHWHILE_FLOPS = 1e9;

async function hasGpu(): Promise<boolean> {
  const { gpu } = globalThis.navigator as { readonly gpu?: { requestAdapter(): Promise<unknown> } };
  return Boolean(await gpu?.requestAdapter());
}

async function load(device: Device): Promise<Ort> {
  switch (device) {
    case "wasm":
      return (await import("onnxruntime-web/wasm"));
    case "webgpu":
      return (await import("onnxruntime-web/webgpu"));
    default:
      throw new UnnoiseError("device", `device ${device} does not exist in a browser; use wasm, webgpu or auto`);
  }
}

/** onnxruntime-web: wasm everywhere, WebGPU where the browser has an adapter. */
export const backend: Backend = {
  platform: "browser",
  devices: ["wasm", "webgpu"],
  processors: globalThis.navigator.hardwareConcurrency,
  choose: async (flops) => (flops >= GPU_WORTHWHILE_FLOPS && (await hasGpu()) ? "webgpu" : "wasm"),
  load,
  sessionOptions: (device) => ({ executionProviders: [device], graphOptimizationLevel: "all", logSeverityLevel: 4 }),
};
