import { UnnoiseError } from "../math/error.ts";

/** A picture as numbers: `data` `[height, width, channels]`, rows from the top. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array | Uint16Array | Float32Array;
}

/** A rectangle of pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A function of the distance in pixels, zero from `radius` on. */
interface Kernel {
  readonly radius: number;
  readonly weight: (distance: number) => number;
}

/** Keys 1981 (IEEE Trans. ASSP 29): cubic convolution with a = −½, the Catmull-Rom spline. */
function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** How pixels between pixels are found: mean of an area, linear, Catmull-Rom cubic, or Lanczos with three lobes. */
export type Filter = "box" | "bilinear" | "bicubic" | "lanczos";

const kernels: Readonly<Record<Filter, Kernel>> = {
  box: { radius: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { radius: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { radius: 2, weight: cubic },
  lanczos: { radius: 3, weight: (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0) },
};
export const filters: readonly Filter[] = Object.keys(kernels) as Filter[];

/** For each output position: the first input position and the weights from there on, `most` places each. */
interface Taps {
  readonly most: number;
  readonly first: Int32Array;
  readonly counts: Int32Array;
  readonly weights: Float64Array;
}

/** Weights that sum to 1; the kernel is widened when the picture shrinks, so that every pixel counts. */
function tapsOf(input: number, output: number, { radius, weight }: Kernel): Taps {
  const scale = input / output;
  const spread = Math.max(1, scale);
  const most = 2 * Math.ceil(radius * spread) + 1;
  const taps = {
    most,
    first: new Int32Array(output),
    counts: new Int32Array(output),
    weights: new Float64Array(output * most),
  };
  for (let i = 0; i < output; i++) {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - radius * spread + 0.5));
    const end = Math.min(input, Math.floor(centre + radius * spread + 0.5));
    let sum = 0;
    for (let x = first; x < end; x++) sum += weight((x + 0.5 - centre) / spread);
    for (let x = first; x < end; x++) taps.weights[i * most + x - first] = weight((x + 0.5 - centre) / spread) / sum;
    taps.first[i] = first;
    taps.counts[i] = end - first;
  }
  return taps;
}

/** Filters along rows: the rows of the box as `[box.height, output, channels]`. */
function alongRows({ width, channels, data }: Raster, box: Box, output: number, taps: Taps): Float32Array {
  const out = new Float32Array(box.height * output * channels);
  let target = 0;
  for (let y = 0; y < box.height; y++) {
    const row = (box.top + y) * width + box.left;
    for (let i = 0; i < output; i++) {
      const [start, count] = [(row + (taps.first[i] as number)) * channels, taps.counts[i] as number];
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let t = 0; t < count; t++) {
          sum += (taps.weights[i * taps.most + t] as number) * (data[start + t * channels + c] as number);
        }
        out[target++] = sum;
      }
    }
  }
  return out;
}

/** Filters along columns: rows of `rowLength` numbers to `output` rows. */
function alongColumns(data: Float32Array, rowLength: number, output: number, taps: Taps): Float32Array {
  const out = new Float32Array(output * rowLength);
  for (let i = 0; i < output; i++) {
    const [first, count] = [taps.first[i] as number, taps.counts[i] as number];
    for (let x = 0; x < rowLength; x++) {
      let sum = 0;
      for (let t = 0; t < count; t++) {
        sum += (taps.weights[i * taps.most + t] as number) * (data[(first + t) * rowLength + x] as number);
      }
      out[i * rowLength + x] = sum;
    }
  }
  return out;
}

function checkBox({ width, height }: Raster, box: Box): void {
  const fits = box.left >= 0 && box.top >= 0 && box.left + box.width <= width && box.top + box.height <= height;
  if (fits && box.width >= 1 && box.height >= 1) return;
  const got = `${box.width} × ${box.height} at ${box.left}, ${box.top}`;
  throw new UnnoiseError("usage", `resample: expected a box inside ${width} × ${height} pixels, got ${got}`);
}

/**
 * Brings a part of a picture to another size with a separable filter, which is widened when it shrinks (no aliasing); pixels
 * outside the part count for nothing. In float32, the same on every machine; sums in float64.
 * @param box the part, in whole pixels
 * @param size of the result in pixels, ≥ 1 each
 * @returns a raster of `size`; `bicubic` and `lanczos` may overshoot the range of the input
 * @throws UnnoiseError `usage` for a box outside the picture
 */
export function resample(
  raster: Raster,
  box: Box,
  { width, height }: Pick<Box, "width" | "height">,
  filter: Filter,
): Raster {
  checkBox(raster, box);
  const kernel = kernels[filter];
  const rows = alongRows(raster, box, width, tapsOf(box.width, width, kernel));
  const data = alongColumns(rows, width * raster.channels, height, tapsOf(box.height, height, kernel));
  return { width, height, channels: raster.channels, data };
}
