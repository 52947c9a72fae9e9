/// <reference types="vite/client" />
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import mjs from "onnxruntime-web/ort-wasm-simd-threaded.mjs?url";
import { configureRuntime, sample, toyDataset, train } from "unnoise";

const absolute = (path: string): string => new URL(path, self.location.href).href;

async function run(): Promise<string> {
  configureRuntime({ threads: 2, wasmPaths: { wasm: { wasm: absolute(wasm), mjs: absolute(mjs) } } });
  const model = await train(toyDataset("moons"), { device: "wasm", iterations: 100, width: 32, depth: 2 });
  const { shape, data } = await sample(model, { count: 100, steps: 10 });
  if (!data.every(Number.isFinite)) throw new Error("a sample is not finite");
  return `sampled ${shape.join(" × ")} of ${self.crossOriginIsolated ? 2 : 1} threads`;
}

run().then(
  (state) => self.postMessage(state),
  (error: unknown) => self.postMessage(`failed: ${String(error)}`),
);
