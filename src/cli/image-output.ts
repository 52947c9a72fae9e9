import { access, constants, mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, extname, join, resolve } from "node:path";
import { codeOf, ioError } from "../formats/io-error.ts";
import { checkNotDangling, checkNotLinked } from "../formats/link.node.ts";
import { plainImage } from "../formats/pixels.ts";
import { encodePlainPng } from "../formats/png.ts";
import { sweepAbandoned, temporaryIn } from "../formats/temporary.node.ts";
import { UnnoiseError, at } from "../math/error.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { openOutput, type OutputFlags, type OutputTarget } from "./output.ts";
import type { Terminal } from "./terminal.ts";

/** What samples of images are written as: one picture, numbers, an animation, or a folder of pictures. */
export type ImageFormat = "png" | "npy" | "gif" | "pngs";

const FILES = ["png", "npy", "gif"] as const;

/** Names of the pictures in a folder. */
const pictureName = (index: number): string => `${String(index).padStart(5, "0")}.png`;
const PICTURE = /^\d{5,}\.png$/;

/**
 * Finds out where images go, before any work is done for them: a path that ends in / or without an ending, or that of a folder, is a
 * folder for single pictures.
 * @throws UnnoiseError `usage` for an unknown ending or what exists, `io` for a folder that cannot be written to
 */
export async function openImageOutput(flags: OutputFlags, terminal: Terminal): Promise<OutputTarget<ImageFormat>> {
  const { out, format, overwrite = false } = flags;
  const asked = format?.toLowerCase();
  if (out === undefined || (asked === undefined ? !(await isFolderName(out)) : asked !== "pngs")) {
    return openOutput(flags, FILES, terminal, ", a folder");
  }
  if (out === "-") throw new UnnoiseError("usage", "--out -: single pictures need a folder; name one");
  await checkFolder(out, overwrite);
  await access(dirname(resolve(out)), constants.W_OK).catch((cause: unknown) => {
    throw ioError("write", out, cause, noParent(out));
  });
  return { path: out, format: "pngs", overwrite };
}

async function isFolderName(out: string): Promise<boolean> {
  if (out === "-") return false;
  if (/[/\\]$/.test(out) || extname(out) === "") return true;
  const present = await stat(out).catch(() => undefined);
  return present?.isDirectory() === true;
}

/** Files of a folder; undefined where there is none. */
async function filesOf(path: string): Promise<string[] | undefined> {
  try {
    return await readdir(path);
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return undefined;
    throw ioError("read", path, cause);
  }
}

async function checkFolder(path: string, overwrite: boolean): Promise<void> {
  await checkNotDangling(path);
  // The whole folder is replaced in the end: of a link that would be the link.
  await checkNotLinked(path);
  const names = await filesOf(path);
  if (names === undefined || names.length === 0) return;
  const other = names.find((name) => !PICTURE.test(name));
  if (other !== undefined) {
    throw new UnnoiseError("usage", `--out ${path}: the folder holds other files, such as ${other}; choose another`);
  }
  if (overwrite) return;
  const advice = "choose another folder or add --overwrite";
  throw new UnnoiseError("usage", `--out ${path}: it already holds pictures, such as ${at(names, 0)}; ${advice}`);
}

/**
 * Writes each image of a batch as a PNG 00000.png, 00001.png, … into a folder that is there whole or not at all: it is made under another
 * name and renamed.
 * @throws UnnoiseError `io` when it cannot be written; nothing of it is left
 */
export async function writePictures(
  { path, overwrite }: Pick<OutputTarget<string>, "path" | "overwrite">,
  images: FloatTensor,
): Promise<void> {
  const folder = resolve(path);
  const temporary = temporaryIn(dirname(folder));
  await checkFolder(path, overwrite);
  await sweepAbandoned(dirname(folder));
  try {
    await mkdir(temporary);
    for (let i = 0; i < at(images.shape, 0); i++) {
      await writeFile(join(temporary, pictureName(i)), encodePlainPng(plainImage(images, i)));
    }
    await rm(folder, { recursive: true, force: true });
    await rename(temporary, folder);
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    throw ioError("write", path, cause, noParent(path));
  }
}

const noParent = (path: string): string => `the folder ${dirname(resolve(path))} does not exist`;
