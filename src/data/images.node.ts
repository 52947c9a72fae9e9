import { existsSync, readdirSync } from "node:fs";
import { stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, extname, join } from "node:path";
import { ioError } from "../formats/io-error.ts";
import { UnnoiseError } from "../math/error.ts";
import { cacheFolderFor } from "./cache-folder.node.ts";
import { arraySources } from "./image-array.node.ts";
import { pictureEndings } from "./image-decode.node.ts";
import { digitSources } from "./image-digits.node.ts";
import type { FolderReading } from "./folder-names.ts";
import { folderSources } from "./image-folder.node.ts";
import { holdsIdx, idxSources, isIdxFile } from "./image-idx.node.ts";
import { importImages, type ImportSettings } from "./image-import.node.ts";
import { readingOf, resolveImageOptions, type ImageOptions, type ResolvedOptions } from "./image-options.ts";
import type { ImageSource, ImageSources } from "./image-source.ts";
import type { ImageDataset } from "./images.ts";

export { holdOut } from "./images-hold-out.node.ts";

/** How images are opened. */
export interface OpenImagesOptions extends ImageOptions {
  /** Folder that keeps decoded images; `$XDG_CACHE_HOME/unnoise/images`, or `~/.cache/unnoise/images`, by default. */
  readonly cacheFolder?: string;
  /** Most bytes of pixels that are held in memory, 256 MB by default; larger sets are read from the disk image by image. */
  readonly memory?: number;
  /** Is told in one line each of broken pictures left out, and of what looks wrong. */
  readonly onWarning?: (text: string) => void;
  /** Is told the share of the pictures that are decoded, in (0, 1]; not called where they were decoded before. */
  readonly onProgress?: (share: number) => void;
  /** Stops decoding. */
  readonly signal?: AbortSignal;
}

const MEMORY = 256_000_000;

/** A data set with a name, the places where it usually lies, and how to get it. */
interface KnownSet {
  readonly places: () => readonly string[];
  readonly advice: string;
}

/** Folders `<root>/python3…/<kind>` in which Python packages lie. */
function pythonFolders(root: string): string[] {
  if (!existsSync(root)) return [];
  const versions = readdirSync(root).filter((name) => /^python3/.test(name));
  return versions.flatMap((name) => ["dist-packages", "site-packages"].map((kind) => join(root, name, kind)));
}

const DIGITS = "sklearn/datasets/data/digits.csv.gz";
const FASHION = "/usr/share/datasets/fashion-mnist";

const knownSets: Readonly<Record<string, KnownSet>> = {
  "fashion-mnist": {
    places: () => [FASHION, cacheFolderFor("fashion-mnist")],
    advice:
      "apt install dataset-fashion-mnist, or download the four files train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, " +
      "t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz (github.com/zalandoresearch/fashion-mnist) into a folder and give its path",
  },
  digits: {
    places: () =>
      ["/usr/lib", "/usr/local/lib", join(homedir(), ".local/lib")]
        .flatMap(pythonFolders)
        .map((folder) => join(folder, DIGITS)),
    advice: `apt install python3-sklearn, or give the path of ${basename(DIGITS)} of scikit-learn`,
  },
};

/** The path of a source: an existing path is taken as it is, a known name is looked for. */
function locate(source: string): string {
  const known = Object.hasOwn(knownSets, source) ? knownSets[source] : undefined;
  if (!known || existsSync(source)) return source;
  const place = known.places().find((path) => existsSync(path));
  if (place !== undefined) return place;
  throw new UnnoiseError("io", `${source}: not found on this machine; ${known.advice}`);
}

async function sourcesOf(source: string, options: ResolvedOptions, folders: FolderReading): Promise<ImageSources> {
  const path = locate(source);
  const facts = await stat(path).catch((cause: unknown) => {
    throw ioError("read", path, cause, `no such file or folder; known names are ${Object.keys(knownSets).join(", ")}`);
  });
  const name = basename(source);
  if (facts.isDirectory()) return (await holdsIdx(path)) ? idxSources(path, name) : folderSources(path, name, folders);
  const ending = extname(path).toLowerCase();
  if (isIdxFile(basename(path))) return idxSources(path, name);
  if (ending === ".npy" || ending === ".npz") return arraySources(path, name, options);
  if (/\.csv(\.gz)?$/i.test(path)) return digitSources(path, name);
  const isPicture = pictureEndings.includes(ending);
  const got = isPicture ? "one picture; give the folder of all" : `a file ending in ${ending || "nothing"}`;
  throw new UnnoiseError(
    "usage",
    `${path}: expected a folder of pictures or IDX files, or a file .npy, .npz or images-idx3-ubyte, got ${got}`,
  );
}

/** Bytes of the files of a part, by which the parts share the progress. */
function bytesOf({ files }: ImageSource): number {
  return files.reduce((sum, [, bytes]) => sum + bytes, 1);
}

/**
 * Opens images to learn from. They are decoded once, into a file of bytes that is kept; while neither the files nor the options
 * change, that file is used. A set that is small enough is held in memory, of a larger one only the images asked for.
 * @param source `fashion-mnist` or `digits`, or the path of
 * a folder of pictures (.png; others with the package sharp), sub-folders being classes, `train` and `test` parts;
 * a folder of IDX files as MNIST and Fashion-MNIST come, or one file of images;
 * an array `.npy` or `.npz` of `[N, H, W]`, `[N, H, W, C]` or `[N, C, H, W]`;
 * or the table of digits of scikit-learn. Pictures with opacity are laid on white.
 * @throws UnnoiseError `usage` for an option or kind of file that is not known, `io`, `format` or `data`, naming the picture, for
 * what cannot be read or does not fit, `runtime` where a package is missing, `interrupted` once the signal is aborted
 */
export async function openImages(source: string, options: OpenImagesOptions = {}): Promise<ImageDataset> {
  const { cacheFolder = cacheFolderFor("images"), memory = MEMORY } = options;
  const { onWarning, onProgress, signal } = options;
  const resolved = resolveImageOptions(options);
  const { train, test } = await sourcesOf(source, resolved, readingOf(options));
  const settings: ImportSettings = { options: resolved, cacheFolder, memory, onWarning, signal };
  const trainShare = test ? bytesOf(train) / (bytesOf(train) + bytesOf(test)) : 1;
  const dataset = await importImages(train, { ...settings, onProgress: (share) => onProgress?.(share * trainShare) });
  if (!test) return dataset;
  const [channels, height, width] = dataset.shape;
  const alike: ResolvedOptions = { ...resolved, size: [height, width], channels: channels === 1 ? 1 : 3 };
  const onTestProgress = (share: number): void => onProgress?.(trainShare + share * (1 - trainShare));
  const held = await importImages(test, { ...settings, options: alike, onProgress: onTestProgress });
  return { ...dataset, test: held };
}
