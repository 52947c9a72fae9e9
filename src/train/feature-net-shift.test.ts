import { expect, test } from "vitest";
import { shiftImages } from "./feature-net-shift.ts";

test("moves every channel of an image alike, and repeats the edge", () => {
  const first = [1, 2, 3, 4, 5, 6];
  const images = Float32Array.from([...first, ...first.map((v) => 10 * v), ...first, ...first, ...first, ...first]);
  shiftImages(images, [2, 2, 3], Int32Array.of(0, 1, 1, 0, 0, 0));
  expect([...images]).toEqual([
    ...[1, 1, 2, 4, 4, 5],
    ...[10, 10, 20, 40, 40, 50],
    ...[1, 2, 3, 1, 2, 3],
    ...[1, 2, 3, 1, 2, 3],
    ...first,
    ...first,
  ]);
});

test("moves back and beyond the image", () => {
  const images = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
  shiftImages(images, [1, 3, 3], Int32Array.of(-1, -1));
  expect([...images]).toEqual([5, 6, 6, 8, 9, 9, 8, 9, 9]);
  shiftImages(images, [1, 3, 3], Int32Array.of(7, 0));
  expect([...images]).toEqual([5, 6, 6, 5, 6, 6, 5, 6, 6]);
});
