import { readFileSync } from "node:fs";

const layers = JSON.parse(readFileSync(new URL("./layers.json", import.meta.url), "utf8"));

/** A layer may import itself and the layers its row of layers.json lists. */
const layerRules = layers.map(({ name, imports }) => ({
  name: `layer-${name}`,
  severity: "error",
  comment: `src/${name}/ may import only: ${["itself", ...imports].join(", ")} (layers.json)`,
  from: { path: `^src/${name}/` },
  to: { path: "^src/", pathNot: `^src/(${[name, ...imports].join("|")})/` },
}));

export default {
  forbidden: [
    ...layerRules,
    {
      name: "no-circular",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    { name: "no-orphans-unresolved", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "onnxruntime-only-in-runtime",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/runtime/" },
      to: { path: "onnxruntime-(node|web|common)" },
    },
    {
      name: "onnxruntime-node-only-behind-its-telemetry-switch",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/runtime/native-engine\\.node\\.ts$" },
      to: { path: "onnxruntime-node" },
    },
    {
      name: "node-modules-only-in-marked-files",
      severity: "error",
      comment:
        "node:* belongs in *.node.ts adapters, the Node entry and the command line, so that the core bundles for browsers",
      from: { path: "^src/", pathNot: "(\\.node\\.ts$|^src/node\\.ts$|^src/cli/|\\.test\\.ts$)" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "core-never-imports-node-adapters",
      severity: "error",
      comment: "a file that browsers load must not import a Node adapter",
      from: { path: "^src/", pathNot: "(\\.node\\.ts$|^src/node\\.ts$|^src/cli/|\\.test\\.ts$)" },
      to: { path: "\\.node\\.ts$", pathNot: "^src/runtime/backend\\.node\\.ts$" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["types", "import", "default"] },
    exclude: { path: "\\.test\\.ts$" },
  },
};
