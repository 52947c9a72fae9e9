/** The browser entry of unnoise, on onnxruntime-web. */
export * from "./core.ts";
export { configureRuntime, type RuntimeSettings, type WasmFiles } from "./runtime/wasm.ts";
