/** The browser entry of unnoise, on onnxruntime-web. */
export * from "./core.ts";
