import { image, type Markish } from "@observablehq/plot";
import { encodePng } from "../formats/png.ts";
import type { Domain } from "./cloud.ts";
import { byteOf, type Rgb } from "./oklab.ts";

/** Cells of equal size with a colour each, to be drawn as one picture inside axes. */
export interface Picture {
  readonly columns: number;
  readonly rows: number;
  /** Extent of the columns on the horizontal axis */
  readonly x: Domain;
  /** Extent of the rows on the vertical axis, row 0 lowest */
  readonly y: Domain;
  readonly colourAt: (column: number, row: number) => Rgb;
}

/** Size in px of a whole plotting area and the axes that it shows. */
export interface Frame {
  readonly x: Domain;
  readonly y: Domain;
  readonly width: number;
  readonly height: number;
}

/** Pixels of the picture for each px of the figure: enough that every viewer draws the cells alike. */
const SHARPNESS = 2;

/** A picture as a mark; its cells become blocks of pixels, embedded as PNG. */
export function pictureMark(picture: Picture, frame: Frame): Markish {
  const width = (frame.width * (picture.x[1] - picture.x[0])) / (frame.x[1] - frame.x[0]);
  const height = (frame.height * (picture.y[1] - picture.y[0])) / (frame.y[1] - frame.y[0]);
  const blocks = [width / picture.columns, height / picture.rows].map((size) => Math.ceil(SHARPNESS * size));
  const src = `data:image/png;base64,${base64(pngOf(picture, blocks[0] ?? 1, blocks[1] ?? 1))}`;
  const middle = ([low, high]: Domain): number => (low + high) / 2;
  const place = { x: [middle(picture.x)], y: [middle(picture.y)], width, height };
  return image({ length: 1 }, { ...place, src, preserveAspectRatio: "none", imageRendering: "pixelated" });
}

function pngOf({ columns, rows, colourAt }: Picture, blockWidth: number, blockHeight: number): Uint8Array {
  const [width, height] = [columns * blockWidth, rows * blockHeight];
  const data = new Uint8Array(4 * width * height);
  for (let row = 0; row < rows; row++) {
    const start = 4 * width * blockHeight * (rows - 1 - row);
    for (let column = 0; column < columns; column++) {
      const [red, green, blue] = colourAt(column, row);
      const pixel = [byteOf(red), byteOf(green), byteOf(blue), 255];
      for (let repeat = 0; repeat < blockWidth; repeat++) data.set(pixel, start + 4 * (column * blockWidth + repeat));
    }
    for (let repeat = 1; repeat < blockHeight; repeat++) {
      data.copyWithin(start + 4 * width * repeat, start, start + 4 * width);
    }
  }
  return encodePng({ width, height, data });
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Bytes as base64 (RFC 4648, section 4), in Node and browsers alike. */
export function base64(bytes: Uint8Array): string {
  const groups: string[] = [];
  for (let start = 0; start < bytes.length; start += 3) {
    const [first, second = 0, third = 0] = bytes.subarray(start, start + 3);
    const bits = ((first ?? 0) << 16) | (second << 8) | third;
    groups.push([18, 12, 6, 0].map((shift) => LETTERS.charAt((bits >>> shift) & 63)).join(""));
  }
  const padding = (3 - (bytes.length % 3)) % 3;
  const text = groups.join("");
  return text.slice(0, text.length - padding) + "=".repeat(padding);
}
