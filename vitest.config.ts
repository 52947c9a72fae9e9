import { existsSync } from "node:fs";
import { defineConfig, type ViteUserConfig } from "vitest/config";

/** Debian's chromium carries a software Vulkan: with it, WebGPU is tested without a GPU. Workers read this when they start. */
const chromium = "/usr/lib/chromium";
if (process.platform === "linux" && existsSync(`${chromium}/vk_swiftshader_icd.json`)) {
  process.env["VK_ICD_FILENAMES"] ??= `${chromium}/vk_swiftshader_icd.json`;
  process.env["LD_LIBRARY_PATH"] = [process.env["LD_LIBRARY_PATH"], chromium].filter(Boolean).join(":");
}

/** Tests that use ONNX Runtime directly leave nothing on the machine either. */
process.env["ORT_DISABLE_TELEMETRY"] ??= "1";

const config: ViteUserConfig = defineConfig({
  resolve: {
    alias: {
      unnoise: new URL("./src/node.ts", import.meta.url).pathname,
      "#backend": new URL("./src/runtime/backend.node.ts", import.meta.url).pathname,
    },
  },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    globalSetup: ["test/build.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    coverage: { include: ["src/**/*.ts"], exclude: ["src/**/*.test.ts"] },
  },
});
export default config;
