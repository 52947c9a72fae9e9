import { defineConfig, type UserConfig } from "tsdown";

const shared = { format: "esm", outDir: "dist", target: "es2023", fixedExtension: false } as const;
const backend = (platform: "node" | "web"): Record<string, string> => ({
  "#backend": new URL(`./src/runtime/backend.${platform}.ts`, import.meta.url).pathname,
});

const config: UserConfig[] = defineConfig([
  {
    ...shared,
    entry: { node: "src/node.ts", cli: "src/cli/main.ts" },
    platform: "node",
    alias: backend("node"),
    dts: true,
    clean: true,
  },
  { ...shared, entry: { web: "src/web.ts" }, platform: "browser", alias: backend("web"), dts: true, clean: false },
]);
export default config;
