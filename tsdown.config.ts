import { defineConfig, type UserConfig } from "tsdown";

const shared = { format: "esm", outDir: "dist", target: "es2023", fixedExtension: false, dts: true } as const;

/** Each platform's tsconfig says which file `#backend` is. */
const config: UserConfig[] = defineConfig([
  {
    ...shared,
    entry: {
      node: "src/node.ts",
      figures: "src/figures.ts",
      cli: "src/cli/front.ts",
      "program-thread": "src/cli/program-thread.ts",
      "experiment-worker": "src/experiments/worker.node.ts",
    },
    platform: "node",
    tsconfig: "tsconfig.json",
    clean: true,
  },
  {
    ...shared,
    entry: { web: "src/web.ts", "web-figures": "src/figures.ts" },
    platform: "browser",
    tsconfig: "tsconfig.web.json",
    clean: false,
  },
]);
export default config;
