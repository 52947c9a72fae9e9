import { defaultClientConditions, defineConfig, type UserConfig } from "vite";

/** WebAssembly threads need a cross-origin isolated page. */
const headers = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

const config: UserConfig = defineConfig({
  // The build of ONNX Runtime that loads its files from `wasmPaths`: bundled into a worker, its threads would start our code again.
  resolve: { conditions: ["onnxruntime-web-use-extern-wasm", ...defaultClientConditions] },
  optimizeDeps: { exclude: ["onnxruntime-web", "unnoise"] },
  worker: { format: "es" },
  server: { headers },
  preview: { headers },
});
export default config;
