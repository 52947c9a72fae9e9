import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { at } from "../math/error.ts";
import { classifierNet, measureAccuracy } from "./feature-net-classifier.ts";
import { openClassifierNet } from "./feature-net-file.node.ts";
import { classifierFor, classifierSettings } from "./feature-net-settings.ts";
import { learningParts, trainClassifier, type TrainedClassifier } from "./feature-net-training.ts";
import { placedImages } from "./test-images.ts";

const test8 = placedImages(90, 2);
const images = placedImages(240, 1, test8);
const settings = classifierSettings.parse({
  channels: [8, 8],
  groups: 2,
  epochs: 10,
  batchSize: 40,
  learningRate: 0.02,
});
const place = { device: "cpu", threads: 1 } as const;

describe("training", () => {
  let classifier: TrainedClassifier;
  const losses: number[] = [];
  beforeAll(async () => {
    classifier = await trainClassifier(images, settings, { ...place, onProgress: ({ loss }) => losses.push(loss) });
  });

  test("learns the classes, and says so of images that it has not seen", async () => {
    expect(losses).toHaveLength(60);
    expect(at(losses, 0)).toBeGreaterThan(0.9);
    expect(at(losses, 59)).toBeLessThan(0.5);
    const accuracy = await measureAccuracy(classifier, images, place);
    expect(accuracy).toMatchObject({ count: 90, split: "test" });
    expect(accuracy.value).toBeGreaterThan(0.9);
  });

  test("finds a third of the labels when they are mixed up", async () => {
    const mixed = {
      ...images,
      test: { ...test8, labels: test8.labels?.map((_, i) => Math.floor(i / 30)) ?? new Int32Array() },
    };
    const { value } = await measureAccuracy(classifier, mixed, place);
    expect(Math.abs(value - 1 / 3)).toBeLessThan(4 * Math.sqrt(2 / 9 / 90));
  });

  test("is the same for a seed, and another for another", async () => {
    expect((await trainClassifier(images, settings, place)).weights).toEqual(classifier.weights);
    expect((await trainClassifier(images, { ...settings, seed: 1 }, place)).weights).not.toEqual(classifier.weights);
  });

  test("gives a net whose features do not depend on the batch", async () => {
    const net = await classifierNet(classifier, { value: 1, count: 1, split: "test" }, place);
    const pixels = new Float32Array(3 * 64);
    images.gather(Int32Array.of(0, 1, 2), pixels);
    const all = await net.features(pixels, images.shape);
    const last = await net.features(pixels.subarray(128), images.shape);
    expect([net.width, all.length]).toEqual([8, 24]);
    expect(last).toEqual(all.subarray(16));
    expect(all.subarray(0, 8)).not.toEqual(all.subarray(8, 16));
    await expect(net.features(pixels, [3, 8, 8])).rejects.toThrow(/takes images \[1, 8, 8\], got \[3, 8, 8\]/);
    await net.dispose();
  });

  test("stops when it is told to, and says when it diverges", async () => {
    const signal = AbortSignal.abort();
    await expect(trainClassifier(images, settings, { ...place, signal })).rejects.toMatchObject({
      code: "interrupted",
    });
    const wild = { ...settings, learningRate: 1e30 };
    await expect(trainClassifier(images, wild, place)).rejects.toThrow(/diverged at iteration \d+; lower/);
  });
});

describe("settings", () => {
  test("unlabelled images, one class and unknown keys are refused", () => {
    const without = placedImages(10, 1, undefined, false);
    expect(() => classifierFor(without, settings)).toThrow(/no labels to learn; give an ONNX file/);
    const one = { ...images, classes: ["only"] };
    expect(() => classifierFor(one, settings)).toThrow(/have 1 class, expected 2/);
    expect(() => classifierSettings.parse({ epoch: 3 })).toThrow(/epoch/);
  });

  test("the larger the images the more blocks", () => {
    const usual = classifierSettings.parse({});
    const blocks = (side: number): number =>
      classifierFor({ ...images, shape: [1, side, side] }, usual).channels.length;
    expect([4, 8, 28, 32, 64].map(blocks)).toEqual([2, 2, 4, 4, 5]);
  });

  test("a tenth is held out where there is no test part", () => {
    const { train, test } = learningParts(placedImages(100, 1), 3);
    expect([train.count, test.count]).toEqual([90, 10]);
    const [a, b] = [new Float32Array(90 * 64), new Float32Array(64)];
    train.gather(
      Int32Array.from({ length: 90 }, (_, i) => i),
      a,
    );
    test.gather(Int32Array.of(0), b);
    const rows = Array.from({ length: 90 }, (_, i) => a.subarray(i * 64, i * 64 + 64).join());
    expect(rows).not.toContain(b.join());
  });
});

describe("cache", () => {
  let cache: string;
  beforeAll(async () => {
    cache = await mkdtemp(join(tmpdir(), "unnoise-classifiers-"));
  });
  afterAll(() => rm(cache, { recursive: true }));
  const quick = { channels: [8], epochs: 1, batchSize: 40 };

  test("a classifier is trained once, and comes back as it was", async () => {
    let trained = 0;
    const open = (overrides = {}) =>
      openClassifierNet(images, { ...place, cache, settings: { ...quick, ...overrides }, onProgress: () => trained++ });
    const first = await open();
    expect(trained).toBe(6);
    const again = await open();
    expect(trained).toBe(6);
    expect([again.hash, again.accuracy, again.name]).toEqual([first.hash, first.accuracy, first.name]);
    const other = await open({ seed: 4 });
    expect(trained).toBe(12);
    expect(other.hash).not.toBe(first.hash);
    expect(await readdir(cache)).toHaveLength(2);
    for (const net of [first, again, other]) await net.dispose();
  });

  test("a damaged file is named with what to do", async () => {
    const own = join(cache, "own");
    const net = await openClassifierNet(images, { ...place, cache: own, settings: quick });
    await net.dispose();
    const folder = join(own, at(await readdir(own), 0));
    await writeFile(join(folder, "classifier.json"), "{}");
    await expect(openClassifierNet(images, { ...place, cache: own, settings: quick })).rejects.toThrow(
      /classifier\.json.*delete .*, so that it is trained again/,
    );
  });

  test.each(["classifier.safetensors", "classifier.json", "checksums.json"])(
    "one flipped bit of %s is named, and what the error says helps",
    async (name) => {
      const own = join(cache, `flipped ${name}`);
      const open = (): ReturnType<typeof openClassifierNet> =>
        openClassifierNet(images, { ...place, cache: own, settings: quick });
      const net = await open();
      await net.dispose();
      const folder = join(own, at(await readdir(own), 0));
      const bytes = await readFile(join(folder, name));
      // The last digit of a number, or of a weight.
      const where = name.endsWith("s") ? bytes.length - 1 : bytes.findLastIndex((byte) => byte >= 0x30 && byte < 0x3a);
      bytes[where] = at([...bytes], where) ^ 1;
      await writeFile(join(folder, name), bytes);
      await expect(open()).rejects.toThrow(`delete ${folder}, so that it is trained again`);
      await rm(folder, { recursive: true });
      const again = await open();
      expect(again.hash).toBe(net.hash);
      await again.dispose();
    },
  );
});
