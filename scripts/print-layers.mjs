// Prints layers.json as the table of docs/architecture.md; `--check` fails when the document shows another.
import { readFileSync, writeFileSync } from "node:fs";

const path = "docs/architecture.md";
const layers = JSON.parse(readFileSync("layers.json", "utf8"));
const rows = layers.map(({ name, holds, imports }, i) => {
  const below = layers.slice(0, i).map((layer) => layer.name);
  const may =
    imports.length === 0
      ? "–"
      : below.every((layer) => imports.includes(layer)) && i > 3
        ? "all above"
        : imports.join(", ");
  return `| ${i + 1} | \`${name}/\` | ${holds} | ${may} |`;
});
const table = ["| # | `src/` | holds | may import |", "|---|---|---|---|", ...rows].join("\n");
const document = readFileSync(path, "utf8");
const printed = document.replace(/(<!-- layers -->\n)[^]*?(<!-- end of layers -->)/, `$1${table}\n$2`);
if (process.argv.includes("--check")) {
  if (printed !== document) throw new Error(`${path} does not show layers.json; run: node scripts/print-layers.mjs`);
} else writeFileSync(path, printed);
