import { decode as decodePng } from "fast-png";
import { decode as decodeGif, decodeFrames } from "modern-gif";
import { describe, expect, test } from "vitest";
import { Random } from "../math/random.ts";
import { encodeGif } from "./gif.ts";
import type { RgbaImage } from "./image.ts";
import { encodePng } from "./png.ts";

type Colour = readonly [number, number, number];

function paint(width: number, height: number, colour: (x: number, y: number) => Colour): RgbaImage {
  const data = new Uint8ClampedArray(4 * width * height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    data.set([...colour(pixel % width, Math.floor(pixel / width)), 255], 4 * pixel);
  }
  return { width, height, data };
}

function meanDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((total, value, i) => total + Math.abs(value - (b[i] ?? NaN)), 0) / a.length;
}

const WHITE: Colour = [255, 255, 255];
const RED: Colour = [255, 0, 0];

describe("PNG", () => {
  test("keeps every byte, opacity included", () => {
    const draws = new Float64Array(4 * 31 * 17);
    new Random(1, "figure").uniforms(draws, draws.length);
    const data = Uint8Array.from(draws, (value) => 256 * value);
    const file = encodePng({ width: 31, height: 17, data });
    const decoded = decodePng(file, { checkCrc: true });
    expect([decoded.width, decoded.height, decoded.channels, decoded.depth]).toEqual([31, 17, 4, 8]);
    expect(decoded.data).toEqual(data);
    expect(encodePng({ width: 31, height: 17, data })).toEqual(file);
  });

  test("refuses an image whose data do not fit", () => {
    expect(() => encodePng({ width: 2, height: 2, data: new Uint8Array(15) })).toThrow(/needs 16 bytes, got 15/);
    expect(() => encodePng({ width: 0, height: 2, data: new Uint8Array() })).toThrow(/got 0 × 2/);
  });
});

describe("GIF", () => {
  const row = (colour: Colour): RgbaImage => paint(40, 30, (x, y) => (y === 11 && x > 5 && x < 33 ? colour : WHITE));
  const frames = [
    row(WHITE),
    row(RED),
    row([0, 0, 255]),
    row(WHITE),
    row(WHITE),
    paint(40, 30, (x, y) => [6 * x, 8 * y, 99]),
  ];

  test("shows every frame as given, also where neighbours differ in one row or not at all", async () => {
    const few = frames.slice(0, 5);
    const decoded = decodeFrames((await encodeGif(few, { delay: 50 })).buffer as ArrayBuffer);
    expect(decoded.map(({ delay }) => delay)).toEqual(few.map(() => 50));
    few.forEach((frame, i) => expect(decoded[i]?.data).toEqual(frame.data));
  });

  test("stays near the colours where there are more than the palette holds", async () => {
    const decoded = decodeFrames((await encodeGif(frames, { delay: 50 })).buffer as ArrayBuffer);
    frames.forEach((frame, i) => expect(meanDifference(decoded[i]?.data ?? [], frame.data)).toBeLessThan(4));
  });

  test("repeats for ever and takes a time for each frame, rounded to hundredths of a second", async () => {
    const gif = decodeGif((await encodeGif(frames.slice(0, 3), { delay: [20, 44, 2000] })).buffer as ArrayBuffer);
    expect(gif.frames.map(({ delay }) => delay)).toEqual([20, 40, 2000]);
    expect([gif.looped, gif.loopCount]).toEqual([true, 0]);
  });

  test("the same frames give the same bytes and stay untouched", async () => {
    const before = frames.map(({ data }) => data.slice());
    const [first, second] = await Promise.all([encodeGif(frames, { delay: 40 }), encodeGif(frames, { delay: 40 })]);
    expect(first).toEqual(second);
    expect(frames.map(({ data }) => data)).toEqual(before);
  });

  test("a view into a larger buffer is its own picture", async () => {
    const larger = new Uint8Array(8 + 4 * 40 * 30);
    larger.set(row(RED).data, 8);
    const view = { width: 40, height: 30, data: larger.subarray(8) };
    expect(await encodeGif([view], { delay: 40 })).toEqual(await encodeGif([row(RED)], { delay: 40 }));
  });

  test.each([
    [[], 50, /at least one frame/],
    [[paint(2, 2, () => RED), paint(2, 3, () => RED)], 50, /frame 2 is 2 × 3, expected 2 × 2/],
    [[{ width: 2, height: 2, data: new Uint8Array(3) }], 50, /needs 16 bytes/],
    [[paint(2, 2, () => RED)], 0, /delays of 20…655350 ms, got 0/],
    [[paint(2, 2, () => RED)], NaN, /got NaN/],
    [[paint(2, 2, () => RED)], [50, 50], /expected 1 delays .* got 2 delays/],
  ])("refuses %#", async (bad, delay, message) => {
    await expect(encodeGif(bad, { delay })).rejects.toThrow(message);
  });
});
