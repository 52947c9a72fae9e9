import { describe, expect, test } from "vitest";
import { UnnoiseError } from "../math/error.ts";
import { holdOut } from "./images-hold-out.node.ts";
import { memoryImages, pickImages } from "./images.ts";

const shape = [2, 2, 3] as const;
const size = 12;
const count = 10;
const levels = Uint8Array.from({ length: count * size }, (_, i) => (37 * i) % 256);
const labels = Int32Array.from({ length: count }, (_, i) => i % 3);
const set = memoryImages({ name: "x", shape, count, labels, classes: ["a", "b", "c"], fingerprint: "f" }, levels);

const valuesOf = (row: number): number[] =>
  [...levels.subarray(row * size, (row + 1) * size)].map((level) => Math.fround((2 * level) / 255 - 1));

describe("gather", () => {
  test("gives any rows in [−1, 1], black −1 and white 1", () => {
    const out = new Float32Array(3 * size);
    set.gather(Int32Array.of(7, 0, 7), out);
    expect([...out]).toEqual([...valuesOf(7), ...valuesOf(0), ...valuesOf(7)]);
    const ends = memoryImages({ name: "e", shape: [1, 1, 2], count: 1, fingerprint: "" }, Uint8Array.of(0, 255));
    const pair = new Float32Array(2);
    ends.gather(Int32Array.of(0), pair);
    expect([...pair]).toEqual([-1, 1]);
  });

  test("mirrors the images whose flip is 1, each row of each channel", () => {
    const out = new Float32Array(2 * size);
    set.gather(Int32Array.of(4, 4), out, Uint8Array.of(0, 1));
    const plain = [...out.subarray(0, size)];
    const mirrored = [2, 1, 0, 5, 4, 3, 8, 7, 6, 11, 10, 9].map((i) => plain[i]);
    expect([...out.subarray(size)]).toEqual(mirrored);
  });

  test.each<[string, Int32Array, number, Uint8Array | undefined]>([
    ["a row too far", Int32Array.of(count), size, undefined],
    ["a row below 0", Int32Array.of(-1), size, undefined],
    ["too little room", Int32Array.of(0), size - 1, undefined],
    ["flips that are too many", Int32Array.of(0), size, new Uint8Array(2)],
  ])("refuses %s", (_, rows, length, flips) => {
    expect(() => set.gather(rows, new Float32Array(length), flips)).toThrow(UnnoiseError);
  });
});

test("levels and labels must fit", () => {
  expect(() => memoryImages({ name: "x", shape, count, fingerprint: "" }, levels.subarray(1))).toThrow(
    /need 120 bytes/,
  );
  const short = { name: "x", shape, count, fingerprint: "", labels: labels.subarray(1) };
  expect(() => memoryImages(short, levels)).toThrow(/got 120 bytes and 9 labels/);
});

test("picked images are those of the whole", () => {
  const part = pickImages(set, Int32Array.of(9, 2), { name: "p", fingerprint: "g" });
  const out = new Float32Array(size);
  part.gather(Int32Array.of(1), out);
  expect([...out]).toEqual(valuesOf(2));
  expect([...(part.labels ?? [])]).toEqual([0, 2]);
  expect(() => part.gather(Int32Array.of(2), out)).toThrow(/expected rows in 0…1, got 2/);
});

describe("hold out", () => {
  /** Row numbers, as the labels of a set whose labels are its row numbers. */
  const numbered = memoryImages(
    {
      name: "n",
      shape: [1, 1, 1],
      count: 200,
      labels: Int32Array.from({ length: 200 }, (_, i) => i),
      fingerprint: "n",
    },
    new Uint8Array(200),
  );
  const split = (fraction: number, seed: number): number[][] => {
    const { labels: kept, test: held } = holdOut(numbered, fraction, seed);
    return [[...(kept ?? [])], [...(held?.labels ?? [])]];
  };

  test("gives each image to one part, in order, the same for the same seed", () => {
    const [kept = [], held = []] = split(0.25, 3);
    expect(held).toHaveLength(50);
    expect([...kept, ...held].sort((a, b) => a - b)).toEqual([...(numbered.labels ?? [])]);
    expect(held).toEqual([...held].sort((a, b) => a - b));
    expect(split(0.25, 3)).toEqual([kept, held]);
    expect(split(0.25, 4)).not.toEqual([kept, held]);
  });

  test("parts have fingerprints of their own that depend on the split", () => {
    const prints = [holdOut(numbered, 0.25, 3), holdOut(numbered, 0.25, 4), holdOut(numbered, 0.5, 3)].flatMap(
      ({ fingerprint, test: held }) => [fingerprint, held?.fingerprint],
    );
    expect(new Set(prints).size).toBe(6);
    prints.forEach((print) => expect(print).toMatch(/^[0-9a-f]{64}$/));
  });

  test("keeps an image on either side", () => {
    expect(split(1e-9, 0)[1]).toHaveLength(1);
    expect(split(1 - 1e-9, 0)[0]).toHaveLength(1);
  });

  test("refuses what cannot be split", () => {
    expect(() => holdOut(numbered, 0, 0)).toThrow(/fraction between 0 and 1, got 0/);
    expect(() => holdOut(numbered, NaN, 0)).toThrow(/got NaN/);
    expect(() => holdOut(holdOut(numbered, 0.5, 0), 0.5, 0)).toThrow(/held-out part of 100 images already/);
    const single = memoryImages({ name: "s", shape: [1, 1, 1], count: 1, fingerprint: "" }, new Uint8Array(1));
    expect(() => holdOut(single, 0.5, 0)).toThrow(/at least 2 images/);
  });
});
