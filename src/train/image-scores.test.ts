import { describe, expect, test } from "vitest";
import { at } from "../math/error.ts";
import type { FeatureNet, PixelSource } from "./feature-net.ts";
import { sampledImages } from "./feature-net.ts";
import { checkScoreCounts, imageScores, type ImageScoreOptions } from "./image-scores.ts";
import { placedImages } from "./test-images.ts";

/** Features without a network: the means of the image's four rows of 16 pixels. */
const net: FeatureNet = {
  name: "means",
  hash: "00",
  width: 4,
  batchSize: 32,
  accuracy: { value: 0.9, count: 10, split: "test" },
  features: (images) => {
    const out = new Float32Array(images.length / 16);
    images.forEach((value, i) => (out[Math.floor(i / 16)] = at(out, Math.floor(i / 16)) + value / 16));
    return Promise.resolve(out);
  },
  dispose: () => Promise.resolve(),
};

const real = placedImages(400, 1, placedImages(300, 2));
const good = placedImages(200, 3);
const score = (options: Partial<ImageScoreOptions> = {}) => imageScores({ real, fake: good, net, seed: 0, ...options });

/** All values moved by `offset`. */
const moved = (source: PixelSource, offset: number): PixelSource => ({
  ...source,
  gather: (rows, out) => {
    source.gather(rows, out);
    out.forEach((value, i) => (out[i] = value + offset));
  },
});

test("says all that a score depends on", async () => {
  const scores = await score();
  expect(scores).toMatchObject({
    n: 200,
    referenceCount: 300,
    reference: "test",
    data: "places",
    net: { name: "means", hash: "00", features: 4, accuracy: { value: 0.9 } },
    marks: [],
  });
  expect(JSON.parse(JSON.stringify(scores))).toEqual(scores);
});

test("fresh images of the same kind score like the floor, others worse", async () => {
  const [same, worse] = [await score(), await score({ fake: moved(good, 0.2) })];
  if (!same.floor) throw new Error("no floor");
  expect(same.fid).toBeLessThan(5 * same.floor.fid);
  expect(Math.abs(same.kid)).toBeLessThan(5 * same.kidError);
  expect(same.precision).toBeGreaterThan(0.8);
  expect(same.recall).toBeGreaterThan(0.8);
  // A shift of every feature by 0.2 adds 4·0.2² to the FID.
  expect(worse.fid - same.fid).toBeCloseTo(0.16, 1);
  expect(worse.fid).toBeGreaterThan(20 * same.floor.fid);
  expect(worse.kid).toBeGreaterThan(5 * worse.kidError);
  expect(worse.precision).toBeLessThan(same.precision - 0.1);
  expect(worse.floor).toEqual(same.floor);
});

test("is the same for a seed, and the floor holds no image of the reference", async () => {
  expect(await score({ seed: 5 })).toEqual(await score({ seed: 5 }));
  const seen: Int32Array[] = [];
  const watched = {
    ...real,
    gather: (rows: Int32Array, out: Float32Array) => {
      seen.push(rows.slice());
      real.gather(rows, out);
    },
  };
  const scores = await score({ real: watched, reference: "train", n: 100 });
  const rows = seen.flatMap((part) => [...part]);
  expect(rows).toHaveLength(400);
  expect(new Set(rows).size).toBe(400);
  expect([scores.reference, scores.referenceCount]).toEqual(["train", 300]);
  expect(scores.marks.map(({ reason }) => reason)).toEqual([
    expect.stringMatching(/the training part, of which models may remember images/),
  ]);
});

describe("marks", () => {
  test("too few images are refused, a singular covariance is marked", async () => {
    await expect(score({ n: 49 })).rejects.toThrow(/50 generated images at least, got 49/);
    expect(() => checkScoreCounts({ real, n: 49 })).toThrow(/50 generated images at least, got 49/);
    const { test: _test, ...train } = real;
    const few = { ...train, count: 49 };
    expect(() => checkScoreCounts({ real: few, n: 200 })).toThrow(/50 reference images at least, got 49/);
    expect(() => checkScoreCounts({ real: { ...real, test: few }, n: 200 })).toThrow(
      /50 reference images at least, got 49/,
    );
    expect(() => checkScoreCounts({ real, n: 50 })).not.toThrow();
    expect(() => checkScoreCounts({ real: { ...real, test: few }, n: 50, reference: "train" })).not.toThrow();
    expect(() => checkScoreCounts({ real, n: 50, referenceCount: 20 })).toThrow(/50 reference images at least, got 20/);
    expect(() => checkScoreCounts({ real, n: 50, referenceCount: 1e6 })).toThrow(
      /referenceCount must be .*got 1000000/,
    );
    const { test: _, ...whole } = real;
    expect(() => checkScoreCounts({ real: whole, n: 50, reference: "test" })).toThrow(/has no test part/);
    const wide: FeatureNet = { ...net, width: 64, features: (images) => Promise.resolve(images.slice()) };
    const { marks } = await score({ net: wide, n: 60 });
    expect(marks).toEqual([
      { score: "fid", reason: expect.stringMatching(/60 generated images for 64 features/) as string },
    ]);
  });

  test("no floor where the training images do not suffice", async () => {
    const fake = placedImages(450, 9);
    const scores = await score({ fake });
    expect(scores.floor).toBeNull();
    expect(scores.marks.map(({ reason }) => reason)).toEqual([expect.stringMatching(/no floor/)]);
  });
});

test("progress of every part, and an end when it is told to stop", async () => {
  const parts = new Set<string>();
  await score({ n: 60, onProgress: ({ part, done, total }) => done === total && parts.add(part) });
  expect([...parts]).toEqual(["reference", "generated", "floor"]);
  await expect(score({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "interrupted" });
});

test("what cannot be compared is named", async () => {
  const fake = sampledImages({ dtype: "float32", shape: [60, 1, 4, 4], data: new Float32Array(960) });
  await expect(score({ fake })).rejects.toThrow(/one shape, got \[1, 8, 8\] and \[1, 4, 4\]/);
  await expect(score({ n: 201 })).rejects.toThrow(/n must be an integer in 1…200, got 201/);
  await expect(score({ referenceCount: 301 })).rejects.toThrow(/referenceCount must be an integer in 1…300/);
  await expect(score({ real: placedImages(100, 1), reference: "test" })).rejects.toThrow(
    /no test part; take reference train/,
  );
  const broken = sampledImages({ dtype: "float32", shape: [60, 1, 8, 8], data: new Float32Array(3840).fill(NaN) });
  await expect(score({ fake: broken })).rejects.toThrow(/feature 0 of image 0 is NaN/);
});
