import { createHash } from "node:crypto";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Draws } from "./draws.ts";
import { mutators } from "./formats.ts";
import type { Files, Kind } from "./kinds.ts";
import { mutatedBytes } from "./mutate-bytes.ts";

/** What must hold of every input: limits of issue and docs. */
export const limits = { seconds: 5, bytes: 1e9, message: 2000 } as const;

/** What became of one mutant; `fault` is what must not be. */
export interface Outcome {
  readonly index: number;
  /** Whether the reader got past the header. */
  readonly isDeep: boolean;
  readonly accepted: boolean;
  readonly message: string;
  readonly seconds: number;
  readonly fault?: string;
}

const sumOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const SEAL = '"sha256":"';

/** A checkpoint whose own sum is right again. */
function sealedAgain(bytes: Uint8Array): Uint8Array {
  const buffer = Buffer.from(bytes);
  const at = buffer.indexOf(SEAL, 0, "latin1");
  if (at < 0 || at + SEAL.length + 64 > buffer.length) return bytes;
  buffer.fill("0", at + SEAL.length, at + SEAL.length + 64, "latin1");
  buffer.write(sumOf(buffer), at + SEAL.length, "latin1");
  return Uint8Array.from(buffer);
}

/** Sums in the folder's list made right for a changed file. */
function listedAgain(files: Files, path: string): Files {
  const found = Object.entries(files).map(([list, bytes]): [string, Uint8Array] => {
    const folder = list.slice(0, list.length - "checksums.json".length);
    if (!list.endsWith("checksums.json") || !path.startsWith(folder)) return [list, bytes];
    const parsed = JSON.parse(new TextDecoder().decode(bytes)) as { files: Record<string, object> };
    const name = path.slice(folder.length);
    const content = files[path] ?? new Uint8Array();
    if (Object.hasOwn(parsed.files, name)) parsed.files[name] = { bytes: content.length, sha256: sumOf(content) };
    return [list, new TextEncoder().encode(JSON.stringify(parsed))];
  });
  return Object.fromEntries(found);
}

/** Mutant number `index` of a kind: every second one has lengths and sums that are right, and so has two of three of the rest. */
export function mutantOf(kind: Kind, name: string, whole: Files, index: number, seed: number): Files {
  const draws = new Draws(seed, index, sumOfText(name));
  const { path: end, format } = draws.one(kind.targets);
  const path = Object.keys(whole).find((each) => each === end || each.endsWith(`/${end}`)) ?? end;
  const bytes = whole[path] ?? new Uint8Array();
  const isRepaired = index % 2 === 0 || draws.unit() < 0.3;
  const mutate = isRepaired ? mutators[format] : mutatedBytes;
  if (mutate === undefined) throw new Error(`no mutator of ${format}`);
  const mutant = { ...whole, [path]: mutate(bytes, draws) };
  if (!isRepaired) return mutant;
  const sealed = format === "safetensors" ? { ...mutant, [path]: sealedAgain(mutant[path] ?? bytes) } : mutant;
  return listedAgain(sealed, path);
}

function sumOfText(text: string): number {
  return Buffer.from(sumOf(new TextEncoder().encode(text)), "hex").readInt32LE();
}

async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
}

/** Names below a folder, without those of a cache, which may stay. */
async function namesIn(folder: string): Promise<string> {
  const names = await readdir(folder, { recursive: true });
  return names
    .filter((name) => !/^cache(\/|$)/.test(name) || name.endsWith(".tmp"))
    .sort()
    .join("\n");
}

/** Whatever a terminal would act on. */
const CONTROL = /\p{Cc}/u;

function faultOf(error: unknown, seconds: number): string | undefined {
  if (seconds > limits.seconds) return `took ${seconds.toFixed(1)} s`;
  if (error === undefined) return undefined;
  if (!(error instanceof Error) || error.name !== "UnnoiseError") {
    return `no UnnoiseError: ${error instanceof Error ? (error.stack ?? error.message) : typeof error}`.slice(0, 600);
  }
  const size = Buffer.byteLength(error.message);
  if (size >= limits.message) return `a message of ${size} bytes`;
  return CONTROL.test(error.message) ? "a control character in the message" : undefined;
}

/** Reads files of a kind in a folder of their own and judges what comes of it. */
export async function tryFiles(kind: Kind, files: Files, folder: string, index: number): Promise<Outcome> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFiles(folder, files);
  const before = await namesIn(folder);
  const begin = performance.now();
  let error: unknown;
  try {
    await kind.read(folder);
  } catch (cause) {
    error = cause ?? new Error("threw nothing");
  }
  const seconds = (performance.now() - begin) / 1000;
  let fault = faultOf(error, seconds);
  if (fault === undefined && (await namesIn(folder)) !== before) {
    // What ends on its own may still be about to.
    await delay(100);
    const left = await namesIn(folder);
    if (left !== before) fault = `left files: ${left.slice(0, 300)}`;
  }
  await rm(folder, { recursive: true, force: true });
  const message = error instanceof Error ? error.message : "";
  const isDeep = error === undefined || !kind.header.test(message);
  return { index, isDeep, accepted: error === undefined, message, seconds, ...(fault !== undefined && { fault }) };
}
