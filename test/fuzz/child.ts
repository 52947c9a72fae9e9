/** Tries mutants of one kind and tells of each before and after: node --import tsx test/fuzz/child.ts KIND FIRST END SEED */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kinds } from "./kinds.ts";
import { mutantOf, tryFiles } from "./mutant.ts";

const [name = "", first = "0", end = "0", seed = "1"] = process.argv.slice(2);
const kind = kinds[name];
if (kind === undefined) throw new Error(`no kind ${name}`);
const tell = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);

const root = await mkdtemp(join(tmpdir(), "unnoise-fuzz-"));
try {
  const whole = await kind.files();
  for (let index = Number(first); index < Number(end); index++) {
    const files = mutantOf(kind, name, whole, index, Number(seed));
    tell({ starts: index });
    tell(await tryFiles(kind, files, join(root, "x"), index));
  }
} finally {
  await rm(root, { recursive: true, force: true });
}
process.exit(0);
