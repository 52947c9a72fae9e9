import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  resolve: {
    alias: {
      unnoise: new URL("./src/node.ts", import.meta.url).pathname,
      "#backend": new URL("./src/runtime/backend.node.ts", import.meta.url).pathname,
    },
  },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    testTimeout: 60_000,
    maxWorkers: 2,
    coverage: { include: ["src/**/*.ts"], exclude: ["src/**/*.test.ts"] },
  },
});
export default config;
