import { readdir, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { densityEndings } from "../data/points.node.ts";
import { codeOf } from "../formats/io-error.ts";
import { isAbandoned } from "../formats/temporary.node.ts";
import { isCheckpoint } from "./checkpoint.node.ts";
import { CHECKSUMS } from "./checksums.node.ts";
import { modelFiles } from "./model-folder.node.ts";
import { isEventFile } from "./run-log-tensorboard.node.ts";
import { isSampleGrid } from "./run-samples-name.ts";

/** A folder of a run, and which names in it are unnoise's own. */
interface OwnFolder {
  readonly path: string;
  readonly owns: (name: string) => boolean;
}

const isOneOf =
  (names: readonly string[]): OwnFolder["owns"] =>
  (name) =>
    names.includes(name);

const dataFiles = [".npy", ...densityEndings].map((ending) => `data${ending}`);
const modelFolders = [...new Set(modelFiles.map((file) => dirname(file)))].sort((a, b) => b.length - a.length);

/**
 * The folders that a run writes in, inner ones first. Pictures that the user asked for are not among them: where they go is the user's
 * choice. Neither is config.json, which says whose folder it is.
 */
const ownFolders: readonly OwnFolder[] = [
  { path: "checkpoints", owns: isCheckpoint },
  ...modelFolders.map((folder) => ({
    path: join("model", folder),
    owns: isOneOf(modelFiles.filter((file) => dirname(file) === folder).map((file) => basename(file))),
  })),
  { path: "figures", owns: isSampleGrid },
  {
    path: ".",
    owns: (name) =>
      isEventFile(name) ||
      [...dataFiles, CHECKSUMS, "columns.json", "images.json", "log.jsonl", "log.csv"].includes(name),
  },
];

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(cause))) return [];
    throw cause;
  }
}

async function removeIn(folder: string, isGoing: (name: string) => boolean): Promise<void> {
  const going = (await namesIn(folder)).filter(isGoing);
  await Promise.all(going.map((name) => rm(join(folder, name), { force: true })));
}

async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (cause) {
    if (!["ENOENT", "ENOTDIR", "ENOTEMPTY", "EEXIST"].includes(codeOf(cause))) throw cause;
  }
}

/** Removes what a killed process left half-written in a run. */
export async function sweepTemporaries(run: string): Promise<void> {
  for (const { path } of ownFolders) await removeIn(join(run, path), isAbandoned);
}

/** Removes the files that a run wrote, by their names, and folders that are empty then; all else stays, and config.json too. */
export async function removeOwnFiles(run: string): Promise<void> {
  for (const { path, owns } of ownFolders) {
    await removeIn(join(run, path), (name) => owns(name) || isAbandoned(name));
    if (path !== ".") await removeIfEmpty(join(run, path));
  }
}
