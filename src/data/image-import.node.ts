import { createHash } from "node:crypto";
import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { ioError } from "../formats/io-error.ts";
import { makeFolder } from "../formats/make-folder.node.ts";
import { removeAbandoned, temporaryIn } from "../formats/temporary.node.ts";
import { UnnoiseError, at } from "../math/error.ts";
import { counted } from "../math/text.ts";
import { CacheWriter, openCache } from "./image-cache.node.ts";
import type { ResolvedOptions } from "./image-options.ts";
import { imageLevels, isGrey, type ImageForm, type Picture } from "./image-raster.ts";
import type { ImageSource, LoadedPictures } from "./image-source.ts";
import type { ImageDataset } from "./images.ts";

/** Changes whenever the same files and options give other pixels. */
const VERSION = 2;
/** Pictures that are decoded at a time. */
const AT_ONCE = 16;
/** Pictures that are looked at to tell grey from colour. */
const LOOKED_AT = 64;

/** How images are decoded and where they are kept. */
export interface ImportSettings {
  readonly options: ResolvedOptions;
  readonly cacheFolder: string;
  /** Most bytes of pixels that are held in memory. */
  readonly memory: number;
  readonly onWarning?: ((text: string) => void) | undefined;
  /** Is told the share of the pictures that are decoded, in (0, 1]. */
  readonly onProgress?: ((share: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Whether an error is a fault of the picture. */
function isBroken(cause: unknown): cause is UnnoiseError {
  return cause instanceof UnnoiseError && ["format", "data", "io"].includes(cause.code);
}

/** Decodes pictures, and leaves broken ones out where that is asked for. */
class PictureReader {
  readonly #pictures: LoadedPictures;
  readonly #skips: boolean;
  readonly broken = new Map<number, string>();
  /** Numbers of frames or pages of pictures that have several. */
  readonly #frames = new Map<number, number>();
  /** The first picture of each range that fractions were taken to lie in. */
  readonly #meant = new Map<string, number>();

  constructor(pictures: LoadedPictures, { onBroken }: ResolvedOptions) {
    this.#pictures = pictures;
    this.#skips = onBroken === "skip";
  }

  async read(index: number): Promise<Picture | undefined> {
    if (this.broken.has(index)) return undefined;
    try {
      const picture = await this.#pictures.picture(index);
      if (picture.frames !== undefined && picture.frames > 1) this.#frames.set(index, picture.frames);
      if (picture.meant !== undefined && !this.#meant.has(picture.meant)) this.#meant.set(picture.meant, index);
      return picture;
    } catch (cause) {
      if (!isBroken(cause)) throw cause;
      if (!this.#skips) {
        const advice = 'mend the picture, or leave broken ones out with onBroken "skip" (train --broken skip)';
        throw new UnnoiseError(cause.code, `${cause.message}; ${advice}`, { cause });
      }
      this.broken.set(index, cause.message);
      return undefined;
    }
  }

  /** @throws UnnoiseError `data` where fractions were taken to lie in one range in some pictures, in another in others */
  checkRanges(): void {
    const [one, other] = [...this.#meant].map(([range, index]) => `${range} as in ${this.#pictures.where(index)}`);
    if (one === undefined || other === undefined) return;
    throw new UnnoiseError(
      "data",
      `images: expected fractions in one range, got ${one}, and ${other}; save all pictures in one, or as whole numbers`,
    );
  }

  /** What to say of the pictures that were left out. */
  warnings(): readonly string[] {
    const [first] = this.broken.values();
    const broken = `${counted(this.broken.size, "broken picture")} left out, such as ${first ?? ""}`;
    const [several] = this.#frames;
    if (several === undefined) return first === undefined ? [] : [broken];
    const such = `${this.#pictures.where(several[0])}, which has ${several[1]}`;
    const frames = `${counted(this.#frames.size, "picture")} of several frames or pages: only the first is taken, as of ${such}`;
    return first === undefined ? [frames] : [broken, frames];
  }
}

/** What the images become, where that is not asked for: as some pictures from all over the set are. */
async function findForm(reader: PictureReader, count: number, options: ResolvedOptions): Promise<ImageForm> {
  const looked = Math.min(count, LOOKED_AT);
  let first: Picture | undefined;
  let isColour = false;
  for (let i = 0; i < looked; i++) {
    const picture = await reader.read(Math.floor((i * count) / looked));
    first ??= picture;
    isColour ||= picture !== undefined && !isGrey(picture);
  }
  for (let i = 0; i < count && first === undefined; i++) first = await reader.read(i);
  if (first === undefined) {
    throw new UnnoiseError("data", `images: no picture can be read; ${reader.warnings()[0] ?? "there are none"}`);
  }
  const [height, width] = options.size ?? [first.height, first.width];
  const channels = options.channels ?? (isColour ? 3 : 1);
  return { shape: [channels, height, width], crop: options.crop, filter: options.filter };
}

function checkPicture(picture: Picture, { shape }: ImageForm, options: ResolvedOptions, where: string): void {
  const [channels, height, width] = shape;
  if (!options.size && (picture.width !== width || picture.height !== height)) {
    throw new UnnoiseError(
      "data",
      `${where}: ${picture.width} × ${picture.height} pixels, another has ${width} × ${height}; give a size for all, as train --image-size ${width}`,
    );
  }
  if (!options.channels && channels === 1 && !isGrey(picture)) {
    throw new UnnoiseError(
      "data",
      `${where}: in colour, but ${LOOKED_AT} pictures from all over the set are grey; give the number of channels, 1 or 3, as train --channels 3`,
    );
  }
}

function checkSignal(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new UnnoiseError("interrupted", "images: stopped as asked while decoding", { cause: signal.reason });
}

/** Images that were decoded together; broken ones are left out. */
interface Decoded {
  readonly rows: readonly number[];
  readonly levels: readonly Uint8Array[];
}

/** What was made, or the first failure in the order of the pictures, whichever came first in time. */
function inOrder<T>(results: readonly PromiseSettledResult<T>[]): T[] {
  return results.map((result) => {
    if (result.status === "fulfilled") return result.value;
    throw result.reason;
  });
}

/** Decodes all pictures, some at a time, in their order. */
async function* decodeAll(
  { count, where }: LoadedPictures,
  reader: PictureReader,
  form: ImageForm,
  { options, signal, onProgress }: ImportSettings,
): AsyncGenerator<Decoded> {
  const decode = async (index: number): Promise<readonly [number, Uint8Array][]> => {
    const picture = await reader.read(index);
    if (!picture) return [];
    checkPicture(picture, form, options, where(index));
    return [[index, imageLevels(picture, form, where(index))]];
  };
  for (let start = 0; start < count; start += AT_ONCE) {
    checkSignal(signal);
    const wanted = Array.from({ length: Math.min(AT_ONCE, count - start) }, (_, i) => decode(start + i));
    const found = inOrder(await Promise.allSettled(wanted)).flat();
    yield { rows: found.map(([row]) => row), levels: found.map(([, levels]) => levels) };
    onProgress?.((start + wanted.length) / count);
  }
}

/** Decodes all pictures into a file. */
async function writePictures(
  handle: FileHandle,
  name: string,
  pictures: LoadedPictures,
  settings: ImportSettings,
): Promise<void> {
  const { count, labels, classes, warnings = [] } = pictures;
  const reader = new PictureReader(pictures, settings.options);
  const form = await findForm(reader, count, settings.options);
  const writer = new CacheWriter(handle);
  const [hash, kept] = [createHash("sha256"), [] as number[]];
  for await (const { rows, levels } of decodeAll(pictures, reader, form, settings)) {
    levels.forEach((image) => hash.update(image));
    kept.push(...rows);
    await writer.add(levels);
  }
  reader.checkRanges();
  const keptLabels = labels && Int32Array.from(kept, (row) => at(labels, row));
  if (keptLabels) hash.update(keptLabels);
  const fingerprint = hash.update([kept.length, ...form.shape].join()).digest("hex");
  const facts = { name, shape: [...form.shape] as [number, number, number], fingerprint };
  const said = { warnings: [...warnings, ...reader.warnings()], ...(classes && { classes: [...classes] }) };
  await writer.finish({ ...facts, ...said }, keptLabels);
}

async function writeImages(handle: FileHandle, source: ImageSource, settings: ImportSettings): Promise<void> {
  const pictures = await source.load();
  try {
    await writePictures(handle, source.name, pictures, settings);
  } finally {
    pictures.close?.();
  }
}

/** Writes the cache under a temporary name, then gives it its own. */
async function makeCache(path: string, source: ImageSource, settings: ImportSettings): Promise<void> {
  const folder = settings.cacheFolder;
  const temporary = temporaryIn(folder);
  try {
    await makeFolder(folder);
    await removeAbandoned(folder);
    const handle = await open(temporary, "wx");
    await writeImages(handle, source, settings).finally(() => handle.close());
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw ioError("write decoded images to", folder, cause);
  }
}

function keyOf({ files, key, name }: ImageSource, options: ResolvedOptions): string {
  const content = JSON.stringify([VERSION, name, key ?? "", files, options]);
  return createHash("sha256").update(content).digest("hex").slice(0, 32);
}

/**
 * The images of a source, decoded now or, with the same files and options, before.
 * @throws UnnoiseError `data`, `format` or `io` for what cannot be decoded or kept, `interrupted` once the signal is aborted
 */
export async function importImages(source: ImageSource, settings: ImportSettings): Promise<ImageDataset> {
  const { options, cacheFolder, memory, onWarning } = settings;
  const path = join(cacheFolder, `${keyOf(source, options)}.images`);
  let opened = await openCache(path, memory);
  if (!opened) {
    await makeCache(path, source, settings);
    opened = await openCache(path, memory);
  }
  if (!opened) throw new UnnoiseError("io", `${path}: the images just written read back damaged; check the disk`);
  const { dataset, warnings } = opened;
  warnings.forEach((text) => onWarning?.(text));
  return dataset;
}
