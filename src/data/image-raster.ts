import { UnnoiseError } from "../math/error.ts";
import { resample, type Box, type Filter, type Raster } from "./resample.ts";

/** A decoded picture: grey (1 channel), grey with opacity (2), colour (3) or colour with opacity (4), 0…`largest`. */
export interface Picture extends Raster {
  readonly largest: number;
  /** Frames or pages of its file, of which it is the first; 1 if absent. */
  readonly frames?: number;
  /** The range that its fractions were taken to lie in, such as `0…1`; absent where its file leaves no choice. */
  readonly meant?: string;
}

/**
 * A picture turned and mirrored as its file asks.
 * @param orientation 1…8 as Exif counts: odd ones of 1…4 keep the sides, 5…8 exchange them
 */
export function turned(picture: Picture, orientation: number): Picture {
  if (orientation === 1) return picture;
  const { width, height, channels, data } = picture;
  const swaps = orientation >= 5;
  const [wide, high] = swaps ? [height, width] : [width, height];
  // Where the first row and the first column of the file are seen: Exif 2.3, table of orientations.
  const [flipX, flipY] = [[2, 3, 7, 8].includes(orientation), [3, 4, 6, 7].includes(orientation)];
  const out = new (data.constructor as new (length: number) => typeof data)(data.length);
  for (let y = 0; y < high; y++) {
    for (let x = 0; x < wide; x++) {
      const [column, row] = swaps ? [y, x] : [x, y];
      const source = ((flipY ? height - 1 - row : row) * width + (flipX ? width - 1 - column : column)) * channels;
      for (let c = 0; c < channels; c++) out[(y * wide + x) * channels + c] = data[source + c] as number;
    }
  }
  return { ...picture, width: wide, height: high, data: out };
}

/** How a picture whose sides have another ratio than the wanted ones is brought there. */
export type Crop = "centre" | "none" | "stretch";
export const crops: readonly Crop[] = ["centre", "none", "stretch"];

/** What every image of a set becomes. */
export interface ImageForm {
  readonly shape: readonly [channels: 1 | 3, height: number, width: number];
  readonly crop: Crop;
  readonly filter: Filter;
}

const opacityOf = ({ channels }: Picture): boolean => channels === 2 || channels === 4;

/** Lays a picture with opacity on white: colour·a + white·(1 − a). */
function onWhite(picture: Picture): Picture {
  if (!opacityOf(picture)) return picture;
  const { data, channels, largest } = picture;
  const colours = channels - 1;
  const out = new Float32Array((data.length / channels) * colours);
  for (let source = 0, target = 0; source < data.length; source += channels) {
    const opacity = (data[source + colours] as number) / largest;
    for (let c = 0; c < colours; c++) out[target++] = (data[source + c] as number) * opacity + largest * (1 - opacity);
  }
  return { ...picture, channels: colours, data: out };
}

/** Whether red, green and blue are the same in every pixel that is seen. */
export function isGrey(picture: Picture): boolean {
  const { channels, data } = picture;
  if (channels <= 2) return true;
  for (let i = 0; i < data.length; i += channels) {
    const hidden = channels === 4 && data[i + 3] === 0;
    if (!hidden && (data[i] !== data[i + 1] || data[i] !== data[i + 2])) return false;
  }
  return true;
}

/** The largest rectangle of the wanted ratio in the middle, in whole pixels. */
function centreBox({ width, height }: Raster, wanted: Pick<Box, "width" | "height">): Box {
  const factor = Math.min(width / wanted.width, height / wanted.height);
  const [cutWidth, cutHeight] = [wanted.width, wanted.height].map((side) => Math.max(1, Math.round(side * factor)));
  const box = { width: Math.min(width, cutWidth ?? 1), height: Math.min(height, cutHeight ?? 1) };
  return { ...box, left: Math.floor((width - box.width) / 2), top: Math.floor((height - box.height) / 2) };
}

/** By how much the ratio of the sides may change where no distortion is allowed: sides are whole pixels. */
const MOST_DISTORTION = 0.02;

function boxOf(picture: Raster, { shape: [, height, width], crop }: ImageForm, where: string): Box {
  if (crop === "centre") return centreBox(picture, { width, height });
  const isSimilar = Math.abs(Math.log((picture.width * height) / (picture.height * width))) < MOST_DISTORTION;
  if (crop === "none" && !isSimilar) {
    throw new UnnoiseError(
      "data",
      `${where}: ${picture.width} × ${picture.height} pixels do not fit ${width} × ${height} without distortion; crop the centre, or allow to stretch`,
    );
  }
  return { left: 0, top: 0, width: picture.width, height: picture.height };
}

/** ITU-R BT.601 luma, as Pillow's conversion to grey. */
const LUMA = [0.299, 0.587, 0.114] as const;

/** Value of channel `channel` of `wanted` at a pixel that starts at `source`. */
function channelValue({ data, channels }: Raster, source: number, channel: number, wanted: 1 | 3): number {
  if (channels === wanted) return data[source + channel] as number;
  if (channels === 1) return data[source] as number;
  const [r, g, b] = [data[source] as number, data[source + 1] as number, data[source + 2] as number];
  return LUMA[0] * r + LUMA[1] * g + LUMA[2] * b;
}

/**
 * Brings a picture to its form: laid on white, cropped, resampled, as grey or colour, rounded to levels.
 * @param where names the picture in errors
 * @returns `[channels, height, width]`, 0…255
 * @throws UnnoiseError `data` for a picture that does not fit without distortion
 */
export function imageLevels(picture: Picture, form: ImageForm, where: string): Uint8Array {
  const [channels, height, width] = form.shape;
  const box = boxOf(picture, form, where);
  const plain = onWhite(picture);
  const isSize = box.width === width && box.height === height && plain.width === width && plain.height === height;
  const sized = isSize ? plain : resample(plain, box, { width, height }, form.filter);
  const factor = 255 / picture.largest;
  const out = new Uint8Array(channels * height * width);
  for (let channel = 0; channel < channels; channel++) {
    const plane = channel * height * width;
    for (let i = 0; i < height * width; i++) {
      const level = factor * channelValue(sized, i * sized.channels, channel, channels);
      out[plane + i] = Math.min(255, Math.max(0, Math.round(level)));
    }
  }
  return out;
}
