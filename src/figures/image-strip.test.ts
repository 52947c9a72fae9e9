import { describe, expect, it } from "vitest";
import { decodePng } from "../formats/png.ts";
import { at } from "../math/error.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import { imageStripFigure } from "./image-strip.ts";

/** Two grey images of 2 × 2: one of value `first`, one of value `second`. */
const images = (first: number, second: number): FloatTensor =>
  floatTensor([first, first, first, first, second, second, second, second], [2, 1, 2, 2]);

/** The pictures that a figure holds. */
function picturesOf(svg: string): ReturnType<typeof decodePng>[] {
  return [...svg.matchAll(/href="data:image\/png;base64,([^"]+)"/g)].map(([, text = ""]) =>
    decodePng(Buffer.from(text, "base64"), "picture"),
  );
}

describe("strip of images", () => {
  const moments = [
    { label: "t = 0", images: images(-1, 1) },
    { label: "t = 10", images: images(0.2, 7) },
  ];
  const svg = imageStripFigure({ title: "data: forward process", moments, notes: ["A note."] });

  it("has a heading for each time, the title and notes", () => {
    for (const text of ["data: forward process", "t = 0", "t = 10", "A note.", "outside [−1, 1]"]) {
      expect(svg).toContain(text);
    }
  });

  it("shows the first image above the second, at each time", () => {
    const pictures = picturesOf(svg);
    expect(pictures).toHaveLength(2);
    const ends = pictures.map(({ data, width, height }) => [data[0], data[4 * width * (height - 1)]]);
    expect(ends).toEqual([
      [0, 255],
      [153, 255],
    ]);
    const { width, data, height } = at(pictures, 0);
    expect(height / width).toBeCloseTo(5 / 2, 1);
    expect(data[4 * width * Math.floor(height / 2)]).toBe(255);
  });

  it("refuses no times, too many, and images of unlike shapes", () => {
    const of = (...given: readonly (typeof moments)[number][]): (() => string) => {
      return () => imageStripFigure({ title: "x", moments: given });
    };
    expect(of()).toThrow("expected 1…12 times, got 0");
    expect(of(...Array.from({ length: 13 }, () => at(moments, 0)))).toThrow("got 13");
    const one = { label: "t = 5", images: floatTensor([0, 0, 0, 0], [1, 1, 2, 2]) };
    expect(of(at(moments, 0), one)).toThrow("expected images of one shape, got 2 × 1 × 2 × 2 and 1 × 1 × 2 × 2");
  });
});
