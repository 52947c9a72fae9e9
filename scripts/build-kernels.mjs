// Compiles assembly/*.ts to WebAssembly and embeds the bytes as base64 in src/nn/<name>-wasm.ts. `--check` only compares.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { main } from "assemblyscript/asc";

const name = "adamw";
const out = join(mkdtempSync(join(tmpdir(), "unnoise-kernels-")), `${name}.wasm`);
const flags = ["-O3", "--enable", "simd", "--importMemory", "--runtime", "stub", "--noAssert"];
const { error, stderr } = await main([`assembly/${name}.ts`, "-o", out, ...flags]);
if (error) throw new Error(`asc failed: ${stderr.toString()}`);

const target = `src/nn/${name}-wasm.ts`;
const base64 = readFileSync(out).toString("base64");
const text = `/** assembly/${name}.ts compiled to WebAssembly, as base64. Made by \`npm run kernels\`; do not edit. */
export const ${name}Wasm: string =
  "${base64}";
`;
if (!process.argv.includes("--check")) writeFileSync(target, text);
else if (readFileSync(target, "utf8") !== text)
  throw new Error(`${target} is not what assembly/${name}.ts compiles to; run: npm run kernels`);
