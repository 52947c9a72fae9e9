import { defineConfig, type UserConfig } from "tsdown";

/** Node 20 does not run TypeScript, so the benchmarks are built first, into a folder that git ignores. */
const config: UserConfig = defineConfig({
  entry: [
    "bench.ts",
    "profile.ts",
    "samplers.ts",
    "learned-variance.ts",
    "benchmark-2d.ts",
    "unnoise-peer.ts",
    "unet.ts",
    "unet-peer.ts",
    "serve.ts",
  ],
  outDir: "dist",
  tsconfig: "../tsconfig.json",
  format: "esm",
  platform: "node",
  target: "es2023",
  fixedExtension: false,
  deps: { neverBundle: [/^onnxruntime/] },
  dts: false,
  clean: true,
  logLevel: "warn",
});
// tsdown reads the default export.
export default config; // eslint-disable-line no-restricted-syntax
