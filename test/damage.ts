import { cp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { basename, join, sep } from "node:path";
import { decodeSafetensors, encodeSafetensors } from "../src/formats/safetensors.ts";
import { UnnoiseError, at } from "../src/math/error.ts";
import { Random } from "../src/math/random.ts";
import { RunFolder } from "../src/train/run-folder.node.ts";
import { trainRun } from "../src/train/train-run.node.ts";

/** Ways in which a disk, a cable or a hand damages a file; `u` gives numbers in [0, 1). */
const damages: Readonly<Record<string, (bytes: Uint8Array, u: () => number) => Uint8Array>> = {
  "a flipped bit": (bytes, u) => {
    const place = Math.floor(u() * bytes.length);
    return bytes.map((byte, i) => (i === place ? byte ^ (1 << Math.floor(u() * 8)) : byte));
  },
  // The first bytes hold names, shapes and sums.
  "a flipped bit in the header": (bytes, u) => {
    const place = Math.floor(u() * Math.min(600, bytes.length));
    return bytes.map((byte, i) => (i === place ? byte ^ (1 << Math.floor(u() * 8)) : byte));
  },
  truncation: (bytes, u) => bytes.slice(0, Math.floor(u() * bytes.length)),
  "bytes at the end": (bytes, u) => Uint8Array.from([...bytes, Math.floor(u() * 256)]),
  "a block of zeros": (bytes, u) => {
    const first = Math.floor(u() * bytes.length);
    return bytes.map((byte, i) => (i >= first && i < first + 512 ? 0 : byte));
  },
};

/** What became of a run with one damaged file. */
export interface Outcome {
  readonly file: string;
  readonly damage: string;
  /**
   * `refused` in words, `survived` with the right result and a warning, `harmless` where the damage changed no byte or none that is
   * used; `accepted` is what must not be.
   */
  readonly outcome: "refused" | "survived" | "harmless" | "accepted";
  readonly message?: string;
}

const WEIGHTS = "model/unet/diffusion_pytorch_model.safetensors";

/** Makes a run as it was before there were checksums: the control, in which damage must go unnoticed. */
export async function takeSumsAway(run: string): Promise<void> {
  for (const folder of [run, join(run, "model")]) await rm(join(folder, "checksums.json"), { force: true });
  const checkpoints = join(run, "checkpoints");
  for (const name of await readdir(checkpoints)) {
    const path = join(checkpoints, name);
    const { tensors, metadata } = decodeSafetensors(await readFile(path), path);
    const { sha256: _, ...before } = metadata;
    await writeFile(path, encodeSafetensors(tensors, before));
  }
}

/** Files that a result depends on: of a finished run its model, of another all but its logs. */
async function candidates(run: string): Promise<{ readonly files: readonly string[]; readonly finished: boolean }> {
  const entries = await readdir(run, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const files = paths.map((path) => path.slice(run.length + 1).replaceAll(sep, "/")).sort();
  const finished = files.includes(WEIGHTS);
  return { files: files.filter((name) => (finished ? name.startsWith("model/") : !name.startsWith("log."))), finished };
}

/**
 * Damages one file of a copy of a run, then goes on with the run or, where it is finished, reads its model.
 * @param whole the weights of the run that nothing happened to
 * @param index which of the damages of the seed
 */
export async function tryDamage(run: string, whole: Uint8Array, index: number, seed = 1): Promise<Outcome> {
  const draws = new Float64Array(8);
  new Random(seed, "metric").uniforms(draws, 8, index);
  let used = 0;
  const u = (): number => at(draws, used++);
  const copy = `${run}-damaged`;
  await rm(copy, { recursive: true, force: true });
  await cp(run, copy, { recursive: true });
  const { files, finished } = await candidates(copy);
  const file = at(files, Math.floor(u() * files.length));
  const [damage, change] = at(Object.entries(damages), Math.floor(u() * Object.keys(damages).length));
  const intact = new Uint8Array(await readFile(join(copy, file)));
  const changed = change(intact, u);
  await writeFile(join(copy, file), changed);
  const untouched = Buffer.from(intact).equals(changed);
  const warnings: string[] = [];
  try {
    if (finished) {
      await new RunFolder(copy).model();
      return { file, damage, outcome: untouched ? "harmless" : "accepted" };
    }
    const config = await new RunFolder(copy).config();
    await trainRun({ config, out: copy, resume: true, onWarning: (text) => warnings.push(text) });
    const same = Buffer.from(whole).equals(await readFile(join(copy, WEIGHTS)));
    const [message] = warnings.filter((text) => text.includes(basename(file)));
    if (!same) return { file, damage, outcome: "accepted" };
    return message === undefined
      ? { file, damage, outcome: "harmless" }
      : { file, damage, outcome: "survived", message };
  } catch (error) {
    if (!(error instanceof UnnoiseError)) return { file, damage, outcome: "accepted", message: String(error) };
    const named = error.message.includes(basename(file)) || error.message.includes("checksums.json");
    return { file, damage, outcome: named ? "refused" : "accepted", message: error.message };
  }
}
