import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { codeOf, ioError } from "../formats/io-error.ts";
import { UnnoiseError } from "../math/error.ts";
import { shown } from "../math/shown.ts";
import { jsonText, readJson } from "./json-file.node.ts";

/** The file in a folder that lists the sizes and SHA-256 sums of the folder's other files. */
export const CHECKSUMS = "checksums.json";

/** A file's name below its folder, with "/", and what it holds. */
export type NamedContent = readonly [name: string, content: Uint8Array | string];

/** A path below the folder: no step upwards, no drive, no root. */
const NAME = /^(?!\.\.?(?:\/|$))[\w.-]+(?:\/(?!\.\.?(?:\/|$))[\w.-]+)*$/;
const MOST_BYTES = 1e6;

const schema = z.strictObject({
  algorithm: z.literal("sha256"),
  files: z.record(
    z.string().regex(NAME),
    z.strictObject({ bytes: z.int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  ),
});

/** The text of `checksums.json` for files with these contents. */
export function checksumsText(contents: readonly NamedContent[]): string {
  const files = contents.map(([name, content]) => {
    const sha256 = createHash("sha256").update(content).digest("hex");
    return [name, { bytes: Buffer.byteLength(content), sha256 }] as const;
  });
  return jsonText({ algorithm: "sha256", files: Object.fromEntries(files) });
}

/**
 * Checks files of a folder against its `checksums.json`: that all it lists are there, and that those which are asked for hold the bytes
 * that were written.
 * @param names of the files to read; all that are listed if absent
 * @param advice what to do about damage, where not the usual
 * @returns whether there are checksums: folders made before, or by other programs, have none
 * @throws UnnoiseError `run-folder` for a file that differs or is missing, or a damaged list; `io`
 */
export async function verifyChecksums(folder: string, names?: readonly string[], advice?: string): Promise<boolean> {
  const path = join(folder, CHECKSUMS);
  const [ofFile, ofList] = [
    advice ?? cure(path),
    advice ?? `if the other files of ${folder} are known to be right, delete ${path}`,
  ];
  const size = await sizeOf(path);
  if (size === undefined) return false;
  if (size > MOST_BYTES) throw damage(`${path}: expected at most ${MOST_BYTES} bytes, got ${size}; ${ofList}`);
  const { files } = await readJson(path, schema, ofList);
  for (const [name, { bytes, sha256 }] of Object.entries(files)) {
    const file = join(folder, name);
    const found = await sizeOf(file);
    const isRead = names === undefined || names.includes(name);
    if (found === undefined) throw damage(`${file}: no such file, which ${CHECKSUMS} lists; ${ofFile}`);
    if (isRead && (found !== bytes || (await sumOf(file)) !== sha256)) {
      throw damage(
        `${file}: not the ${bytes} bytes whose SHA-256 ${CHECKSUMS} records: damaged or changed since; ${ofFile}`,
      );
    }
  }
  const unlisted = names?.find((name) => !Object.hasOwn(files, name));
  if (unlisted !== undefined) throw damage(`${path}: expected ${shown(unlisted)} in the list; ${ofList}`);
  return true;
}

function damage(message: string): UnnoiseError {
  return new UnnoiseError("run-folder", message);
}

function cure(path: string): string {
  return `restore the file or make the folder again; if it was changed on purpose, delete ${path}`;
}

/** Bytes of a file; undefined where there is none. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const info = await stat(path);
    return info.isFile() ? info.size : undefined;
  } catch (cause) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(cause))) return undefined;
    throw ioError("read", path, cause);
  }
}

async function sumOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), hash);
  } catch (cause) {
    throw ioError("read", path, cause);
  }
  return hash.digest("hex");
}
