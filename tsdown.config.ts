import { defineConfig, type UserConfig } from "tsdown";

const shared = { format: "esm", outDir: "dist", target: "es2023", fixedExtension: false } as const;

const config: UserConfig[] = defineConfig([
  { ...shared, entry: { node: "src/node.ts", cli: "src/cli/main.ts" }, platform: "node", dts: true, clean: true },
  { ...shared, entry: { web: "src/web.ts" }, platform: "browser", dts: true, clean: false },
]);
export default config;
