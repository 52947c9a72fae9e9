import { readPicture } from "../data/image-decode.node.ts";
import { imageLevels, type Picture } from "../data/image-raster.ts";
import { UnnoiseError, at } from "../math/error.ts";
import { floatTensor, type FloatTensor, type Shape } from "../tensor/tensor.ts";

/** A picture of which a part is kept. */
export interface Inpainting {
  /** [C, H, W] in [−1, 1]. */
  readonly known: FloatTensor;
  /** [C, H, W]: 1 where it is kept. */
  readonly mask: FloatTensor;
}

type ImageShape = readonly [channels: 1 | 3, height: number, width: number];

/**
 * Reads a picture and what of it is to be drawn anew: where the mask is white (half or more), or where the picture is transparent.
 * @param shape [C, H, W] of the model, which both must have
 * @throws UnnoiseError `io` or `format` when a file cannot be read, `data` for one of another size, `usage` when nothing is to be drawn
 */
export async function readInpainting(path: string, maskPath: string | undefined, shape: Shape): Promise<Inpainting> {
  const [channels, height, width] = shape as ImageShape;
  const picture = await readSized(path, "--inpaint", [height, width]);
  const anew = await anewOf(picture, maskPath, [height, width]);
  if (!anew.includes(1)) {
    const advice = maskPath === undefined ? "it is not transparent anywhere; add --mask" : "the mask is white nowhere";
    throw new UnnoiseError("usage", `--inpaint ${path}: nothing of it is to be drawn anew: ${advice}`);
  }
  const levels = imageLevels(picture, { shape: [channels, height, width], crop: "none", filter: "box" }, path);
  const plane = height * width;
  const mask = Float32Array.from({ length: levels.length }, (_, i) => 1 - at(anew, i % plane));
  return {
    known: floatTensor(
      Float32Array.from(levels, (level) => level / 127.5 - 1),
      shape,
    ),
    mask: floatTensor(mask, shape),
  };
}

async function readSized(path: string, flag: string, [height, width]: readonly [number, number]): Promise<Picture> {
  const picture = await readPicture(path);
  if (picture.width === width && picture.height === height) return picture;
  const got = `${picture.width} × ${picture.height}`;
  throw new UnnoiseError("data", `${flag} ${path}: expected ${width} × ${height} pixels as the model has, got ${got}`);
}

/** 1 for each pixel [H·W] that is to be drawn. */
async function anewOf(
  picture: Picture,
  maskPath: string | undefined,
  size: readonly [number, number],
): Promise<Uint8Array> {
  if (maskPath === undefined) return opaquenessBelowHalf(picture);
  const mask = await readSized(maskPath, "--mask", size);
  const levels = imageLevels(mask, { shape: [1, ...size], crop: "none", filter: "box" }, maskPath);
  return levels.map((level) => (level >= 128 ? 1 : 0));
}

function opaquenessBelowHalf({ data, channels, largest, width, height }: Picture): Uint8Array {
  const hasOpacity = channels === 2 || channels === 4;
  return Uint8Array.from({ length: width * height }, (_, i) =>
    hasOpacity && (data[(i + 1) * channels - 1] ?? largest) < largest / 2 ? 1 : 0,
  );
}
