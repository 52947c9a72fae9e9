import { realpathSync, type Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { codeOf, ioError } from "../formats/io-error.ts";
import { shown } from "../math/shown.ts";
import { UnnoiseError, at } from "../math/error.ts";
import { counted } from "../math/text.ts";
import { pictureEndings, readPicture } from "./image-decode.node.ts";
import { listFiles } from "./image-files.node.ts";
import type { ImageSource, ImageSources, LoadedPictures } from "./image-source.ts";

/** Folders and files that systems and programs leave beside data, in small letters; hidden ones, with a dot in front, apart. */
const LEFT_BY_SYSTEMS = [
  "__macosx",
  "@eadir",
  "#recycle",
  "lost+found",
  "$recycle.bin",
  "recycler",
  "system volume information",
  "thumbs.db",
  "desktop.ini",
  "icon\r",
  "__pycache__",
];
const isLeftBySystem = (name: string): boolean => name.startsWith(".") || LEFT_BY_SYSTEMS.includes(name.toLowerCase());

/** Names by which people call the parts of a split, without what is put around them. */
const PARTS: Readonly<Record<string, "train" | "test">> = {
  ...{ train: "train", training: "train", trn: "train", trainset: "train" },
  ...{
    test: "test",
    testing: "test",
    tst: "test",
    testset: "test",
    val: "test",
    valid: "test",
    validation: "test",
    dev: "test",
  },
  ...{ eval: "test", evaluation: "test", holdout: "test", heldout: "test" },
};

/** Which part of a split a folder's name means: `Train`, `train_set`, `test-images`, `val2017`, `Training Data`; none for others. */
export function partOf(name: string): "train" | "test" | undefined {
  const words = name
    .toLowerCase()
    .replaceAll(/[\s_.-]+/g, " ")
    .trim();
  const core = words
    .replace(/ ?\d{1,4}$/, "")
    .replace(/ ?(?:set|split|data|dataset|images|imgs|pictures|part|folder)$/, "")
    .replace(/^(?:the|my|images|data) /, "");
  return Object.hasOwn(PARTS, core.replaceAll(" ", "")) ? PARTS[core.replaceAll(" ", "")] : undefined;
}

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
    warnings: [...emptyClasses(found), ...leftOut(others)],
  };
  return { name, files: await listFiles(paths), load: () => Promise.resolve(loaded) };
}

/**
 * The folder to learn from and the one held out, where a folder is made of nothing but parts of a split.
 * @throws UnnoiseError `data` where its folders can be read as parts and as classes
 */
function splitFolders(folder: string, { folders, pictures }: Listing): { train: string; test: string } | undefined {
  const parts = folders.map((path) => ({ path, part: partOf(basename(path)) }));
  const named = parts.filter(({ part }) => part !== undefined);
  if (named.length === 0) return undefined;
  const [train, ...moreTrain] = named.filter(({ part }) => part === "train");
  // Of several that are held out, the one for tests comes first.
  const tests = named.filter(({ part }) => part === "test");
  const test = tests.find(({ path }) => /^te?st/i.test(basename(path))) ?? tests[0];
  const isSplit = named.length === folders.length && moreTrain.length === 0 && pictures.length === 0;
  if (isSplit && train && test) return { train: train.path, test: test.path };
  const names = folders.map((path) => shown(basename(path))).join(", ");
  const advice =
    "if they are parts of the data, name the one to learn from itself, or keep just one called train and one called test; " +
    "if they are classes, give them other names";
  throw new UnnoiseError(
    "data",
    `${folder}: its folders ${names} can be read as parts of the data or as classes; ${advice}`,
  );
}

/**
 * Pictures of a folder. Sub-folders are classes, in the order of their names; folders that are called as parts of a split are, such as `train`
 * and `test` (`partOf` tells which names), alone in it are the parts of the set. What is hidden or left by systems is left out.
 * @throws UnnoiseError `io` when it cannot be read, `data` for a folder without pictures, with pictures beside classes, or whose folders
 * may be parts or classes
 */
export async function folderSources(folder: string, name: string): Promise<ImageSources> {
  const parts = splitFolders(folder, await listFolder(folder));
  if (!parts) return { train: await sourceOf(name, folder, await findPictures(folder)) };
  const found = await findPictures(parts.train);
  return {
    train: await sourceOf(name, parts.train, found),
    test: await sourceOf(name, parts.test, await findPictures(parts.test, found.classes)),
  };
}
