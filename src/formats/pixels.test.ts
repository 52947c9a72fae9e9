import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { floatTensor } from "../tensor/tensor.ts";
import { imageGrid, levelsOf, plainImage } from "./pixels.ts";
import { decodePng, encodePlainPng } from "./png.ts";

const golden = JSON.parse(readFileSync(new URL("../../test/golden/levels.json", import.meta.url), "utf8")) as {
  values: readonly number[];
  levels: readonly number[];
};

describe("levels", () => {
  test("are those of diffusers, halves included", () => {
    expect([...levelsOf(Float32Array.from(golden.values))]).toEqual(golden.levels);
  });

  test("come back from values", () => {
    const levels = Uint8Array.from({ length: 256 }, (_, level) => level);
    expect(levelsOf(Float32Array.from(levels, (level) => level / 127.5 - 1))).toEqual(levels);
  });

  test("are clamped, but not for NaN", () => {
    expect([...levelsOf(Float32Array.of(-Infinity, -9, 9, Infinity))]).toEqual([0, 0, 255, 255]);
    expect(() => levelsOf(Float32Array.of(0, NaN))).toThrow(/value 1 is no number/);
  });
});

/** Images whose pixels have the given levels. */
function batch(shape: readonly number[], levels: readonly number[]): ReturnType<typeof floatTensor> {
  return floatTensor(
    levels.map((level) => level / 127.5 - 1),
    shape,
  );
}

test("a colour image gets its channels pixel by pixel", () => {
  const two = batch([2, 3, 1, 2], [1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60]);
  expect(plainImage(two, 1)).toEqual({ width: 2, height: 1, channels: 3, data: Uint8Array.of(10, 30, 50, 20, 40, 60) });
  expect(() => plainImage(two, 2)).toThrow(/expected an image in 0…1, got 2/);
});

test.each([
  { width: 2, height: 2, channels: 1, data: Uint8Array.of(1, 2, 3, 250) },
  { width: 1, height: 2, channels: 3, data: Uint8Array.of(1, 2, 3, 4, 5, 250) },
] as const)("PNG of $channels channels reads back", (image) => {
  const file = encodePlainPng(image);
  const { data, width, height } = decodePng(file, "x.png");
  const pixels = Array.from({ length: width * height }, (_, i) => [...data.subarray(4 * i, 4 * i + 4)]);
  const expected = pixels.map((_, i) => {
    const own = [...image.data.subarray(i * image.channels, (i + 1) * image.channels)];
    return [...(image.channels === 1 ? [...own, ...own, ...own] : own), 255];
  });
  expect([pixels, width, height]).toEqual([expected, image.width, image.height]);
  expect(file[25]).toBe(image.channels === 1 ? 0 : 2);
});

test("a PNG of too few bytes is refused", () => {
  expect(() => encodePlainPng({ width: 2, height: 2, channels: 3, data: new Uint8Array(11) })).toThrow(
    /needs 12 bytes/,
  );
});

describe("grid", () => {
  const three = batch([3, 1, 1, 2], [10, 20, 30, 40, 50, 60]);
  const greys = ({ width, data }: { width: number; data: Uint8ClampedArray | Uint8Array }): number[][] => {
    const levels = Array.from({ length: data.length / 4 }, (_, i) => data[4 * i] ?? NaN);
    return Array.from({ length: levels.length / width }, (_, y) => levels.slice(y * width, (y + 1) * width));
  };

  test("lays images out in rows with gaps between", () => {
    expect(greys(imageGrid(three, { columns: 2, gap: 1, background: 7 }))).toEqual([
      [10, 20, 7, 30, 40],
      [7, 7, 7, 7, 7],
      [50, 60, 7, 7, 7],
    ]);
  });

  test("enlarges, and needs no more columns than images", () => {
    expect(greys(imageGrid(batch([1, 1, 1, 2], [1, 2]), { columns: 8, gap: 3, scale: 2 }))).toEqual([
      [1, 1, 2, 2],
      [1, 1, 2, 2],
    ]);
  });

  test("is opaque, about square, and keeps colours", () => {
    const grid = imageGrid(
      batch(
        [5, 3, 1, 1],
        Array.from({ length: 15 }, (_, i) => i),
      ),
      { gap: 0 },
    );
    expect([grid.width, grid.height]).toEqual([3, 2]);
    expect([...grid.data.subarray(4, 8)]).toEqual([3, 4, 5, 255]);
    expect([...grid.data.subarray(20)]).toEqual([255, 255, 255, 255]);
  });

  test.each([
    [{ columns: 0 }, /columns to be an integer ≥ 1/],
    [{ gap: -1 }, /gap/],
    [{ scale: 1.5 }, /scale/],
  ])("refuses %j", (options, message) => {
    expect(() => imageGrid(three, options)).toThrow(message);
  });

  test("refuses two channels", () => {
    expect(() => imageGrid(batch([1, 2, 1, 1], [0, 0]))).toThrow(/expected images .* got \[1, 2, 1, 1\]/);
  });
});
