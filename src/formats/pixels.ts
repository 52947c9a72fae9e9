import { UnnoiseError } from "../math/error.ts";
import { roundHalfEven } from "../math/round-half-even.ts";
import { shapeText, type FloatTensor } from "../tensor/tensor.ts";
import type { PlainImage, RgbaImage } from "./image.ts";

/**
 * Values in [−1, 1] as levels 0…255: round(255·clamp(x/2 + ½, 0, 1)), each step in float32, halves to even, as diffusers' image
 * processor and NumPy do. Levels that were made values by level/127.5 − 1 come back the same.
 * @throws UnnoiseError `not-finite` for NaN
 */
export function levelsOf(values: Float32Array): Uint8Array {
  const out = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const unit = Math.min(Math.max(Math.fround((values[i] as number) / 2 + 0.5), 0), 1);
    if (Number.isNaN(unit)) throw new UnnoiseError("not-finite", `pixels: value ${i} is no number, so it has no level`);
    out[i] = roundHalfEven(Math.fround(unit * 255));
  }
  return out;
}

/** Checks for images `[B, 1 or 3, H, W]` and gives the extents. */
function extentsOf({ shape }: FloatTensor): readonly [count: number, channels: 1 | 3, height: number, width: number] {
  const [count = 0, channels = 0, height = 0, width = 0] = shape;
  if (shape.length !== 4 || (channels !== 1 && channels !== 3) || count < 1 || height < 1 || width < 1) {
    throw new UnnoiseError("data", `pixels: expected images [count, 1 or 3, height, width], got ${shapeText(shape)}`);
  }
  return [count, channels, height, width];
}

/**
 * One image of a batch as levels, pixel by pixel.
 * @param batch `[B, 1 or 3, H, W]` in [−1, 1]
 * @throws UnnoiseError `data` for another shape, `not-finite` for NaN
 */
export function plainImage(batch: FloatTensor, index: number): PlainImage {
  const [count, channels, height, width] = extentsOf(batch);
  if (!(index >= 0 && index < count)) {
    throw new UnnoiseError("usage", `pixels: expected an image in 0…${count - 1}, got ${index}`);
  }
  const plane = height * width;
  const planes = levelsOf(batch.data.subarray(index * channels * plane, (index + 1) * channels * plane));
  const data = new Uint8Array(planes.length);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < plane; i++) data[i * channels + channel] = planes[channel * plane + i] as number;
  }
  return { width, height, channels, data };
}

/** How images are laid out. */
export interface GridOptions {
  /** Images in a row, ≥ 1; by default as many as make the grid about square. */
  readonly columns?: number;
  /** Empty pixels between images, ≥ 0; 2 by default. */
  readonly gap?: number;
  /** Each pixel becomes scale × scale of them, a whole number ≥ 1; 1 by default. */
  readonly scale?: number;
  /** Level of the gaps and of empty places, 0…255; white by default. */
  readonly background?: number;
}

function checkWhole(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new UnnoiseError("usage", `image grid: expected ${name} to be an integer ≥ ${least}, got ${value}`);
}

/** Paints an image, enlarged, with its upper left corner at (left, top). */
function paint(out: RgbaImage, image: PlainImage, left: number, top: number, scale: number): void {
  const { width, height, channels, data } = image;
  for (let y = 0; y < height * scale; y++) {
    const row = Math.floor(y / scale) * width;
    for (let x = 0; x < width * scale; x++) {
      const source = channels * (row + Math.floor(x / scale));
      const target = 4 * ((top + y) * out.width + left + x);
      for (let c = 0; c < 3; c++) out.data[target + c] = data[source + (channels === 3 ? c : 0)] as number;
    }
  }
}

/**
 * Lays the images of a batch out in rows, from left to right.
 * @param batch `[B, 1 or 3, H, W]` in [−1, 1]
 * @returns one opaque picture
 * @throws UnnoiseError `data` for another shape, `usage` for options out of range, `not-finite` for NaN
 */
export function imageGrid(batch: FloatTensor, options: GridOptions = {}): RgbaImage {
  const [count, , height, width] = extentsOf(batch);
  const { columns = Math.ceil(Math.sqrt(count)), gap = 2, scale = 1, background = 255 } = options;
  checkWhole("columns", columns, 1);
  checkWhole("gap", gap, 0);
  checkWhole("scale", scale, 1);
  const across = Math.min(columns, count);
  const [cellWidth, cellHeight] = [width * scale + gap, height * scale + gap];
  const size = { width: across * cellWidth - gap, height: Math.ceil(count / across) * cellHeight - gap };
  const data = new Uint8ClampedArray(4 * size.width * size.height).fill(background);
  for (let alpha = 3; alpha < data.length; alpha += 4) data[alpha] = 255;
  const out = { ...size, data };
  for (let i = 0; i < count; i++) {
    paint(out, plainImage(batch, i), (i % across) * cellWidth, Math.floor(i / across) * cellHeight, scale);
  }
  return out;
}
