import type { Backend, Device, Ort } from "./backend.ts";
import { importOrt } from "./import-ort.ts";
import { prepareWasm } from "./wasm.ts";

const GPU_WORTHWHILE_FLOPS = 1e9;

interface Browser {
  readonly hardwareConcurrency: number;
  readonly gpu?: { requestAdapter(): Promise<unknown> };
}

/** Read when it is needed: a bundle may be imported where there is no navigator, to render on a server. */
const browser = (): Browser | undefined => globalThis.navigator;

async function hasGpu(): Promise<boolean> {
  return Boolean(await browser()?.gpu?.requestAdapter());
}

const importBuild = (device: Device): Promise<unknown> =>
  device === "webgpu" ? import("onnxruntime-web/webgpu") : import("onnxruntime-web/wasm");

async function load(device: Device, threads = 1): Promise<Ort> {
  const ort = await importOrt(() => importBuild(device), "onnxruntime-web", device);
  prepareWasm(ort.env.wasm, device, threads);
  return ort;
}

/** onnxruntime-web: wasm everywhere, WebGPU where the browser has an adapter. */
export const backend: Backend = {
  platform: "browser",
  devices: ["wasm", "webgpu"],
  host: "wasm",
  get processors() {
    return browser()?.hardwareConcurrency ?? 1;
  },
  channelBlocks: [],
  choose: async (flops) => (flops >= GPU_WORTHWHILE_FLOPS && (await hasGpu()) ? "webgpu" : "wasm"),
  load,
  advice: "use device auto or wasm; if ONNX Runtime's files were not found, say where they are with configureRuntime",
  sessionOptions: (device) => ({ executionProviders: [device], graphOptimizationLevel: "all", logSeverityLevel: 4 }),
};
