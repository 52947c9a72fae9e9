import { realpathSync, type Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { ioError } from "../formats/io-error.ts";
import { UnnoiseError, at } from "../math/error.ts";
import { counted } from "../math/text.ts";
import { pictureEndings, readPicture } from "./image-decode.node.ts";
import { listFiles } from "./image-files.node.ts";
import type { ImageSource, ImageSources, LoadedPictures } from "./image-source.ts";

/** Names that folders of a held-out part have. */
const HELD_OUT = ["test", "val", "valid", "validation"];

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** What stands in a folder, hidden things apart, sorted by name. */
interface Listing {
  readonly folders: readonly string[];
  readonly pictures: readonly string[];
  readonly others: readonly string[];
}

/** Whether an entry is a folder; a symbolic link counts as what it leads to. */
async function isFolder(entry: Dirent, path: string): Promise<boolean> {
  return entry.isSymbolicLink() ? (await stat(path)).isDirectory() : entry.isDirectory();
}

async function listFolder(folder: string): Promise<Listing> {
  const listing = { folders: [] as string[], pictures: [] as string[], others: [] as string[] };
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => byText(a.name, b.name))) {
      if (entry.name.startsWith(".")) continue;
      const path = join(folder, entry.name);
      const isPicture = pictureEndings.includes(extname(entry.name).toLowerCase());
      if (await isFolder(entry, path)) listing.folders.push(path);
      else (isPicture ? listing.pictures : listing.others).push(path);
    }
  } catch (cause) {
    throw ioError("read", folder, cause);
  }
  return listing;
}

/** All pictures of a folder and the folders in it; a link back to a folder above is not followed. */
async function picturesBelow(folder: string, above: readonly string[], others: string[]): Promise<string[]> {
  const real = realpathSync(folder);
  if (above.includes(real)) return [];
  const listing = await listFolder(folder);
  others.push(...listing.others);
  const found = [...listing.pictures];
  for (const inner of listing.folders) found.push(...(await picturesBelow(inner, [...above, real], others)));
  return found;
}

/** Pictures with the class of each. */
interface Found {
  readonly paths: readonly string[];
  readonly classes: readonly string[] | undefined;
  readonly labels: readonly number[];
  readonly others: readonly string[];
}

/** Pictures of a folder; its sub-folders, if it has any, are the classes. */
async function findPictures(folder: string, known?: readonly string[]): Promise<Found> {
  const { folders, pictures, others } = await listFolder(folder);
  if (folders.length === 0) return { paths: pictures, classes: undefined, labels: [], others };
  if (pictures.length > 0) {
    const example = `${basename(at(pictures, 0))} beside the folder ${basename(at(folders, 0))}`;
    throw new UnnoiseError(
      "data",
      `${folder}: expected pictures, or folders of them as classes, not both; got ${example}`,
    );
  }
  const classes = known ?? folders.map((path) => basename(path));
  const found = { paths: [] as string[], classes, labels: [] as number[], others: [...others] };
  for (const path of folders) {
    const label = classes.indexOf(basename(path));
    if (label < 0)
      throw new UnnoiseError("data", `${path}: no class of that name to learn from; expected ${classes.join(", ")}`);
    for (const picture of await picturesBelow(path, [realpathSync(folder)], found.others)) {
      found.paths.push(picture);
      found.labels.push(label);
    }
  }
  return found;
}

function leftOut(others: readonly string[]): readonly string[] {
  if (others.length === 0) return [];
  return [
    `${counted(others.length, "file")} in the folder left out, as no picture by its ending, such as ${at(others, 0)}`,
  ];
}

async function sourceOf(name: string, folder: string, found: Found): Promise<ImageSource> {
  const { paths, classes, labels, others } = found;
  if (paths.length === 0) {
    const seen = others[0] === undefined ? "it is empty" : `it holds ${basename(others[0])}`;
    throw new UnnoiseError(
      "data",
      `${folder}: no pictures (${seen}); expected files ending in ${pictureEndings.join(", ")}`,
    );
  }
  const loaded: LoadedPictures = {
    count: paths.length,
    ...(classes && { classes, labels: Int32Array.from(labels) }),
    where: (index) => at(paths, index),
    picture: (index) => readPicture(at(paths, index)),
    warnings: leftOut(others),
  };
  return { name, files: await listFiles(paths), load: () => Promise.resolve(loaded) };
}

/** The folder to learn from and the one held out, where a folder is made of nothing but these. */
function splitFolders({ folders, pictures }: Listing): { train: string; test: string } | undefined {
  const named = (names: readonly string[]): string[] =>
    folders.filter((path) => names.includes(basename(path).toLowerCase()));
  const [train, ...moreTrain] = named(["train"]);
  const tests = named(HELD_OUT);
  const isSplit = pictures.length === 0 && moreTrain.length === 0 && folders.length === 1 + tests.length;
  const test = HELD_OUT.flatMap((name) => tests.filter((path) => basename(path).toLowerCase() === name))[0];
  return isSplit && train !== undefined && test !== undefined ? { train, test } : undefined;
}

/**
 * Pictures of a folder. Sub-folders are classes, in the order of their names; folders `train` and `test` (or `val`, `valid`,
 * `validation`) alone in it are the parts of the set. Hidden files and folders are left out.
 * @throws UnnoiseError `io` when it cannot be read, `data` for a folder without pictures, or with pictures beside classes
 */
export async function folderSources(folder: string, name: string): Promise<ImageSources> {
  const parts = splitFolders(await listFolder(folder));
  if (!parts) return { train: await sourceOf(name, folder, await findPictures(folder)) };
  const found = await findPictures(parts.train);
  return {
    train: await sourceOf(name, parts.train, found),
    test: await sourceOf(name, parts.test, await findPictures(parts.test, found.classes)),
  };
}
