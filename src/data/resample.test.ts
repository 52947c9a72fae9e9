import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { filters, resample, type Filter, type Raster } from "./resample.ts";

const golden = JSON.parse(readFileSync(new URL("../../test/golden/resample.json", import.meta.url), "utf8")) as {
  width: number;
  height: number;
  source: readonly number[];
  cases: readonly { filter: Filter; width: number; height: number; values: readonly number[] }[];
};
const { width, height } = golden;
const picture: Raster = { width, height, channels: 1, data: Uint8Array.from(golden.source) };
const whole = { left: 0, top: 0, width, height };

function difference(a: Raster, b: readonly number[]): number {
  expect(a.data.length).toBe(b.length);
  return b.reduce((most, value, i) => Math.max(most, Math.abs(value - (a.data[i] ?? NaN))), 0);
}

test.each(golden.cases)("$filter to $width × $height as Pillow", ({ filter, values, ...size }) => {
  expect(difference(resample(picture, whole, size, filter), values)).toBeLessThan(2e-4);
});

test("filters differ, so that the comparison with Pillow means something", () => {
  const size = { width: 5, height: 9 };
  for (const filter of filters) {
    const others = golden.cases.filter((each) => each.width === 5 && each.filter !== filter);
    others.forEach(({ values }) =>
      expect(difference(resample(picture, whole, size, filter), values)).toBeGreaterThan(1),
    );
  }
});

describe.each(filters)("%s", (filter) => {
  test("keeps a plain surface and the same size", () => {
    const flat = { width: 7, height: 5, channels: 3, data: new Uint8Array(105).fill(90) };
    const box = { left: 0, top: 0, width: 7, height: 5 };
    for (const size of [
      { width: 3, height: 11 },
      { width: 1, height: 1 },
    ]) {
      expect(
        difference(resample(flat, box, size, filter), Array<number>(3 * size.width * size.height).fill(90)),
      ).toBeLessThan(1e-4);
    }
    expect(difference(resample(picture, whole, { width, height }, filter), golden.source)).toBeLessThan(1e-4);
  });

  test("a box is as if the picture had been cut to it", () => {
    const box = { left: 3, top: 2, width: 6, height: 4 };
    const cut = Array.from({ length: 24 }, (_, i) => golden.source[(2 + Math.floor(i / 6)) * width + 3 + (i % 6)] ?? 0);
    const expected = resample(
      { width: 6, height: 4, channels: 1, data: Uint8Array.from(cut) },
      { left: 0, top: 0, width: 6, height: 4 },
      { width: 4, height: 7 },
      filter,
    );
    expect(resample(picture, box, { width: 4, height: 7 }, filter)).toEqual(expected);
  });

  test("channels do not mix", () => {
    const data = Uint16Array.from({ length: 2 * width * height }, (_, i) =>
      i % 2 === 0 ? 65_535 : (golden.source[(i - 1) / 2] ?? 0),
    );
    const size = { width: 4, height: 3 };
    const both = resample({ width, height, channels: 2, data }, whole, size, filter);
    const own = resample(picture, whole, size, filter);
    expect(
      difference({ ...own, data: Float32Array.from(both.data).filter((_, i) => i % 2 === 1) }, [...own.data]),
    ).toBe(0);
  });
});

test("a box beyond the picture is refused", () => {
  expect(() => resample(picture, { ...whole, left: 1 }, whole, "box")).toThrow(
    /box inside 13 × 9 pixels, got 13 × 9 at 1, 0/,
  );
});
