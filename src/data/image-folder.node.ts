import { realpathSync, type Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { codeOf, ioError } from "../formats/io-error.ts";
import { shown } from "../math/shown.ts";
import { UnnoiseError, at } from "../math/error.ts";
import { counted } from "../math/text.ts";
import { pictureEndings, readPicture } from "./image-decode.node.ts";
import { isLeftBySystem, partOf, type FolderReading } from "./folder-names.ts";
import { listFiles } from "./image-files.node.ts";
import type { ImageSource, ImageSources, LoadedPictures } from "./image-source.ts";

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** What stands in a folder, hidden things apart, sorted by name. */
interface Listing {
  readonly folders: readonly string[];
  readonly pictures: readonly string[];
  readonly others: readonly string[];
}

/** Whether an entry is a folder; a symbolic link counts as what it leads to, and one that leads nowhere as a file that cannot be read. */
async function isFolder(entry: Dirent, path: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  const info = await stat(path).catch((cause: unknown) => {
    if (["ENOENT", "ELOOP"].includes(codeOf(cause))) return undefined;
    throw cause;
  });
  return info?.isDirectory() === true;
}

async function listFolder(folder: string): Promise<Listing> {
  const listing = { folders: [] as string[], pictures: [] as string[], others: [] as string[] };
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => byText(a.name, b.name))) {
      if (isLeftBySystem(entry.name)) continue;
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

function realPathOf(folder: string): string {
  try {
    return realpathSync(folder);
  } catch (cause) {
    throw ioError("read", folder, cause);
  }
}

/** All pictures of a folder and the folders in it; a link back to a folder above is not followed. */
async function picturesBelow(folder: string, above: readonly string[], others: string[]): Promise<string[]> {
  const real = realPathOf(folder);
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
async function findPictures(
  folder: string,
  { known, except = [] }: { readonly known?: readonly string[] | undefined; readonly except?: readonly string[] } = {},
): Promise<Found> {
  const { folders: all, pictures, others } = await listFolder(folder);
  const folders = all.filter((path) => !except.includes(path));
  if (folders.length === 0) return { paths: pictures, classes: undefined, labels: [], others };
  if (pictures.length > 0) {
    const example = `${basename(at(pictures, 0))} beside the folder ${basename(at(folders, 0))}`;
    throw new UnnoiseError(
      "data",
      `${folder}: expected pictures, or folders of them as classes, not both; got ${example}; move those pictures into a folder of their own, or give the path of one folder`,
    );
  }
  const classes = known ?? folders.map((path) => basename(path));
  const found = { paths: [] as string[], classes, labels: [] as number[], others: [...others] };
  for (const path of folders) {
    const label = classes.indexOf(basename(path));
    if (label < 0)
      throw new UnnoiseError("data", `${path}: no class of that name to learn from; expected ${classes.join(", ")}`);
    for (const picture of await picturesBelow(path, [realPathOf(folder)], found.others)) {
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

/** Classes of which there is no picture: nothing can be learned for them. */
function emptyClasses({ classes = [], labels }: Found): readonly string[] {
  const members = new Set(labels);
  const empty = classes.filter((_, label) => !members.has(label));
  if (empty.length === 0) return [];
  const names = empty.slice(0, 5).map((name) => shown(name));
  const more = empty.length > names.length ? `, and ${empty.length - names.length} more` : "";
  return [
    `no picture of ${empty.length === 1 ? "the class" : "the classes"} ${names.join(", ")}${more}: nothing can be learned for it`,
  ];
}

async function sourceOf(
  name: string,
  folder: string,
  found: Found,
  warnings: readonly string[] = [],
): Promise<ImageSource> {
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
    warnings: [...warnings, ...leftOut(others)],
  };
  return { name, files: await listFiles(paths), load: () => Promise.resolve(loaded) };
}

/** What is learned from and what is held out. */
interface Split {
  readonly train: string;
  readonly test: string;
  /** Folders in `train` that are not learned from. */
  readonly except: readonly string[];
  /** Folders that are left out. */
  readonly unused: readonly string[];
}

const quoted = (paths: readonly string[]): string => {
  const names = paths.slice(0, 8).map((path) => shown(basename(path)));
  return paths.length > names.length ? `${names.join(", ")} and ${paths.length - names.length} more` : names.join(", ");
};

/**
 * The folder to learn from and the one held out; none where all folders are classes.
 * @throws UnnoiseError `data` where the folders can be read as parts and as classes
 */
function splitFolders(folder: string, { folders, pictures }: Listing, reading: FolderReading): Split | undefined {
  const named = (part: "train" | "test"): string[] => folders.filter((path) => partOf(basename(path)) === part);
  const [trains, tests] = [named("train"), named("test")];
  if (reading === "classes" || (reading === "auto" && trains.length + tests.length === 0)) return undefined;
  const [train, ...others] = trains;
  // Of several that are held out, the one for tests comes first.
  const test = tests.find((path) => /te?st/i.test(basename(path))) ?? tests[0];
  const rest = folders.filter((path) => !trains.includes(path) && !tests.includes(path));
  if (reading === "auto") {
    if (train !== undefined && test !== undefined && others.length + rest.length + pictures.length === 0) {
      return { train, test, except: [], unused: tests.filter((path) => path !== test) };
    }
    throw ambiguous(folder, { folders, trains, tests });
  }
  if (test === undefined || others.length > 0) {
    const got = others.length > 0 ? `several to learn from, ${quoted(trains)}` : quoted(folders) || "no folders";
    const expected = "one folder called as a part to learn from (train) and one held out (test, val, …)";
    throw new UnnoiseError(
      "data",
      `${folder}: as parts: expected ${expected}, got ${got}; name one folder itself instead`,
    );
  }
  const notTest = tests.filter((path) => path !== test);
  if (train !== undefined) return { train, test, except: [], unused: [...notTest, ...rest] };
  return { train: folder, test, except: tests, unused: notTest };
}

/** Names that are parts in one reading and classes in the other: nobody but the user knows. */
function ambiguous(
  folder: string,
  { folders, trains, tests }: Record<"folders" | "trains" | "tests", readonly string[]>,
): UnnoiseError {
  const parts = quoted([...trains, ...tests]);
  const isSplit = tests.length > 0 && trains.length < 2;
  const asParts = isSplit
    ? `folders "parts" (--folders parts) holds ${quoted(tests.slice(0, 1))} out and learns from ${trains.length > 0 ? quoted(trains) : "the rest"}`
    : `to learn from one of them as a part, give its own path, such as ${folders[0] ?? folder}`;
  const asClasses = 'folders "classes" (--folders classes) takes every folder for a class';
  return new UnnoiseError(
    "data",
    `${folder}: ${parts} among the folders ${quoted(folders)} can be parts of the data or classes: ${asClasses}; ${asParts}`,
  );
}

/**
 * Pictures of a folder. Sub-folders are classes, in the order of their names; folders that are called as parts of a split are, such as `train`
 * and `test` (`partOf` tells which names), alone in it are the parts of the set. What is hidden or left by systems is left out.
 * @param reading takes sub-folders for classes or for parts whatever else they may be
 * @throws UnnoiseError `io` when it cannot be read, `data` for a folder without pictures, with pictures beside classes, or whose folders
 * may be parts or classes
 */
export async function folderSources(folder: string, name: string, reading: FolderReading): Promise<ImageSources> {
  const split = splitFolders(folder, await listFolder(folder), reading);
  // Sets that were kept before there was a choice keep their key.
  const key = reading === "auto" ? {} : { key: reading };
  if (!split) {
    const found = await findPictures(folder);
    return { train: { ...(await sourceOf(name, folder, found, emptyClasses(found))), ...key } };
  }
  const found = await findPictures(split.train, { except: split.except });
  const unused =
    split.unused.length === 0
      ? []
      : [`${folder}: ${quoted(split.unused)} left out; ${quoted([split.test])} is held out`];
  return {
    train: { ...(await sourceOf(name, split.train, found, [...unused, ...emptyClasses(found)])), ...key },
    test: { ...(await sourceOf(name, split.test, await findPictures(split.test, { known: found.classes }))), ...key },
  };
}
