import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { encodeNpy } from "../formats/npy.ts";
import { encodePlainPng, encodePng } from "../formats/png.ts";
import { thisProcess } from "../formats/process-mark.node.ts";
import { temporaryIn } from "../formats/temporary.node.ts";
import { UnnoiseError, at } from "../math/error.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { openImages, type OpenImagesOptions } from "./images.node.ts";
import type { ImageDataset } from "./images.ts";

let folder = "";
let warnings: string[] = [];
let decoded = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "unnoise-images-"));
  warnings = [];
  decoded = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

const inFolder = (name: string): string => join(folder, "data", name);
function put(name: string, bytes: Uint8Array | string): string {
  mkdirSync(dirname(inFolder(name)), { recursive: true });
  writeFileSync(inFolder(name), bytes);
  return inFolder(name);
}
const cacheFolder = (): string => join(folder, "cache");
const open = (path: string, options: OpenImagesOptions = {}): Promise<ImageDataset> =>
  openImages(path, {
    cacheFolder: cacheFolder(),
    onWarning: (text) => warnings.push(text),
    onProgress: () => decoded++,
    ...options,
  });
const data = (): string => join(folder, "data");

/** Levels of all images, in the order of the set. */
function levels(set: ImageDataset): number[] {
  const out = new Float32Array(set.count * set.shape[0] * set.shape[1] * set.shape[2]);
  set.gather(
    Int32Array.from({ length: set.count }, (_, row) => row),
    out,
  );
  return [...out].map((value) => Math.round((value + 1) * 127.5));
}

const grey = (width: number, height: number, ...values: number[]): Uint8Array =>
  encodePlainPng({ width, height, channels: 1, data: Uint8Array.from(values) });
const colour = (width: number, height: number, ...values: number[]): Uint8Array =>
  encodePlainPng({ width, height, channels: 3, data: Uint8Array.from(values) });

function idx(extents: readonly number[], values: readonly number[]): Uint8Array {
  const header = new Uint8Array(4 + 4 * extents.length);
  header.set([0, 0, 8, extents.length]);
  extents.forEach((extent, axis) => new DataView(header.buffer).setUint32(4 + 4 * axis, extent));
  return Uint8Array.of(...header, ...values);
}

function npy(dtype: Tensor["dtype"], shape: readonly number[], values: readonly number[]): Uint8Array {
  const made = { float32: Float32Array, float64: Float64Array, int32: Int32Array, bool: Uint8Array } as const;
  if (dtype === "int64") return encodeNpy({ dtype, shape, data: BigInt64Array.from(values, BigInt) });
  return encodeNpy({ dtype, shape, data: made[dtype].from(values) });
}

describe("folders of pictures", () => {
  test("sub-folders are classes, names sorted, hidden files left out, others told", async () => {
    put("b/2.png", grey(2, 1, 30, 40));
    put("b/1.PNG", grey(2, 1, 10, 20));
    put("a/deep/er/x.png", grey(2, 1, 50, 60));
    put("a/.hidden.png", "broken");
    put(".git/config", "");
    put("b/notes.txt", "hello");
    const set = await open(data());
    expect(set).toMatchObject({ kind: "images", name: "data", shape: [1, 1, 2], count: 3, classes: ["a", "b"] });
    expect([...(set.labels ?? [])]).toEqual([0, 1, 1]);
    expect(levels(set)).toEqual([50, 60, 10, 20, 30, 40]);
    expect(warnings).toEqual([expect.stringMatching(/^1 file .*notes\.txt$/)]);
  });

  test("without sub-folders there are no labels; colour is kept, planes apart", async () => {
    put("x.png", colour(2, 1, 1, 2, 3, 4, 5, 6));
    const set = await open(data());
    expect(set.labels).toBeUndefined();
    expect(set.shape).toEqual([3, 1, 2]);
    expect(levels(set)).toEqual([1, 4, 2, 5, 3, 6]);
  });

  test("train and test are parts of one set, with the classes and form of train", async () => {
    put("train/cat/1.png", colour(1, 1, 1, 2, 3));
    put("train/dog/1.png", grey(1, 1, 4));
    put("test/dog/1.png", grey(1, 1, 5));
    const set = await open(data());
    expect([set.count, set.test?.count, set.test?.classes]).toEqual([2, 1, ["cat", "dog"]]);
    expect([...(set.test?.labels ?? [])]).toEqual([1]);
    expect(set.test && levels(set.test)).toEqual([5, 5, 5]);
    put("test/cow/1.png", grey(1, 1, 5));
    await expect(open(data())).rejects.toThrow(/cow: no class of that name/);
  });

  test("links are followed, but not in circles", async () => {
    put("a/x.png", grey(1, 1, 7));
    symlinkSync(data(), inFolder("a/again"));
    symlinkSync(inFolder("a/x.png"), inFolder("a/y.png"));
    expect(levels(await open(data()))).toEqual([7, 7]);
  });

  test("opacity is laid on white", async () => {
    const pixels = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0, 51);
    put("x.png", encodePng({ width: 3, height: 1, data: pixels }));
    expect(levels(await open(data()))).toEqual([255, 0, 204]);
  });

  test("pictures are cropped in the middle and brought to a size", async () => {
    put("wide.png", grey(4, 2, 0, 100, 200, 0, 0, 100, 200, 0));
    put("high.png", grey(1, 3, 0, 90, 0));
    expect(levels(await open(data(), { size: 1, filter: "box" }))).toEqual([90, 150]);
    expect(levels(await open(data(), { size: 1, filter: "box", crop: "stretch" }))).toEqual([30, 75]);
    await expect(open(data(), { size: 1, crop: "none" })).rejects.toThrow(/high\.png: 1 × 3 pixels do not fit 1 × 1/);
    await expect(open(data())).rejects.toThrow(
      /wide\.png: 4 × 2 pixels, another has 1 × 3; give a size for all, as train --image-size 1/,
    );
  });

  test("channels are as asked: grey by luma, or three equal ones", async () => {
    put("x.png", colour(1, 1, 100, 150, 200));
    expect(levels(await open(data(), { channels: 1 }))).toEqual([Math.round(0.299 * 100 + 0.587 * 150 + 0.114 * 200)]);
    put("x.png", grey(1, 1, 9));
    expect(levels(await open(data(), { channels: 3 }))).toEqual([9, 9, 9]);
  });

  test("a colour picture that hides among many grey ones is named", async () => {
    for (let i = 100; i < 230; i++) put(`${i}.png`, i === 101 ? colour(1, 1, 1, 2, 3) : grey(1, 1, 4));
    await expect(open(data())).rejects.toThrow(/101\.png: in colour, .* give the number of channels/);
    expect((await open(data(), { channels: 3 })).count).toBe(130);
  });

  test("a broken picture stops it, or is left out and told, now and from the cache", async () => {
    put("a/1.png", grey(1, 1, 1));
    put("a/2.png", grey(1, 1, 2).slice(0, 40));
    put("b/3.png", grey(1, 1, 3));
    await expect(open(data())).rejects.toThrow(/2\.png: damaged PNG/);
    expect(readdirSync(cacheFolder())).toEqual([]);
    for (const times of [1, 2]) {
      const set = await open(data(), { onBroken: "skip" });
      expect([...(set.labels ?? [])]).toEqual([0, 1]);
      expect(levels(set)).toEqual([1, 3]);
      expect(warnings).toHaveLength(times);
      expect(warnings.at(-1)).toMatch(/^1 broken picture left out, such as .*2\.png: damaged/);
    }
  });

  test.each<[string, () => void, RegExp]>([
    ["an empty folder", () => mkdirSync(data()), /no pictures \(it is empty\)/],
    [
      "a folder of other files",
      () => put("x.txt", ""),
      /no pictures \(it holds x\.txt\); expected files ending in \.png/,
    ],
    [
      "pictures beside folders",
      () => [put("x.png", grey(1, 1, 0)), put("a/x.png", grey(1, 1, 0))],
      /not both; got x\.png beside the folder a/,
    ],
    ["only broken pictures", () => put("x.png", "no"), /no picture can be read; 1 broken picture/],
  ])("refuses %s", async (_, prepare, message) => {
    prepare();
    await expect(open(data(), { onBroken: "skip" })).rejects.toThrow(message);
  });
});

describe("IDX", () => {
  const images = idx([2, 1, 2], [1, 2, 3, 4]);
  const labels = idx([2], [1, 0]);

  test("train, and t10k as the held-out part", async () => {
    put("train-images-idx3-ubyte.gz", gzipSync(images));
    put("train-labels-idx1-ubyte.gz", gzipSync(labels));
    put("t10k-images-idx3-ubyte", idx([1, 1, 2], [5, 6]));
    put("t10k-labels-idx1-ubyte", idx([1], [1]));
    const set = await open(data());
    expect([levels(set), [...(set.labels ?? [])], set.classes]).toEqual([
      [1, 2, 3, 4],
      [1, 0],
      ["0", "1"],
    ]);
    expect([set.test && levels(set.test), set.test?.labels?.[0]]).toEqual([[5, 6], 1]);
  });

  test("one file, with its labels or without", async () => {
    const path = put("emnist-images-idx3-ubyte", images);
    expect((await open(path)).labels).toBeUndefined();
    put("emnist-labels-idx1-ubyte", labels);
    expect((await open(path)).labels?.[0]).toBe(1);
    expect(levels(await open(put("some.idx", images)))).toEqual([1, 2, 3, 4]);
  });

  test("several sets, labels that do not fit and labels for images are refused", async () => {
    put("a-images-idx3-ubyte", images);
    put("a-labels-idx1-ubyte", idx([3], [0, 0, 0]));
    await expect(open(data())).rejects.toThrow(/a-labels-idx1-ubyte: expected 2 labels, .* got \(3\)/);
    await expect(open(inFolder("a-labels-idx1-ubyte"))).rejects.toThrow(
      /expected images \(count, height, width\), got \(3\)/,
    );
    put("b-images-idx3-ubyte", images);
    await expect(open(data())).rejects.toThrow(/one set to learn from, found a-images.*, b-images/);
  });

  const fashion = "/usr/share/datasets/fashion-mnist";
  test.skipIf(!existsSync(fashion))("labels of Fashion-MNIST have their names, in any folder", async () => {
    put("t10k-labels-idx1-ubyte.gz", readFileSync(join(fashion, "t10k-labels-idx1-ubyte.gz")));
    const path = put("t10k-images-idx3-ubyte", idx([10_000, 1, 1], []));
    writeFileSync(path, new Uint8Array([...idx([10_000, 1, 1], []), ...new Uint8Array(10_000)]));
    expect((await open(path)).classes?.[9]).toBe("Ankle boot");
  });
});

describe("arrays", () => {
  const bytes = [0, 1, 128, 255];
  test.each<[string, Uint8Array, readonly number[], readonly number[]]>([
    ["[N, H, W] of whole numbers", npy("int32", [2, 1, 2], bytes), [1, 1, 2], bytes],
    ["fractions in [0, 1]", npy("float32", [1, 2, 2], [0, 0.2, 0.5, 1]), [1, 2, 2], [0, 51, 128, 255]],
    ["fractions in [−1, 1]", npy("float64", [1, 2, 2], [-1, 0.2, 0, 1]), [1, 2, 2], [0, 153, 128, 255]],
    ["fractions that are levels", npy("float32", [1, 2, 2], bytes), [1, 2, 2], bytes],
    ["truth values", npy("bool", [1, 1, 2], [0, 1]), [1, 1, 2], [0, 255]],
    ["[N, C, H, W]", npy("int32", [1, 3, 1, 2], [1, 2, 3, 4, 5, 6]), [3, 1, 2], [1, 2, 3, 4, 5, 6]],
    ["[N, H, W, C]", npy("int32", [1, 2, 1, 3], [1, 2, 3, 4, 5, 6]), [3, 2, 1], [1, 4, 2, 5, 3, 6]],
    ["opacity", npy("int32", [1, 2, 1, 4], [0, 0, 0, 0, 8, 9, 10, 255]), [3, 2, 1], [255, 8, 255, 9, 255, 10]],
  ])("%s", async (_, file, shape, expected) => {
    const set = await open(put("x.npy", file));
    expect(set.shape).toEqual(shape);
    expect(levels(set)).toEqual(expected);
  });

  test("unsigned bytes and arrays stored by columns", async () => {
    const byColumns = npy("int32", [2, 2, 2], [0, 4, 2, 6, 1, 5, 3, 7]);
    const text = new TextDecoder("latin1").decode(byColumns).replace("False,", "True, ");
    const set = await open(
      put(
        "x.npy",
        Uint8Array.from(text, (letter) => letter.charCodeAt(0)),
      ),
    );
    expect(levels(set)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    const unsigned = npy("bool", [1, 1, 2], [0, 1]);
    const renamed = new TextDecoder("latin1").decode(unsigned).replace("|b1", "|u1").replace(/.$/s, "\xfa");
    expect(
      levels(
        await open(
          put(
            "u.npy",
            Uint8Array.from(renamed, (letter) => letter.charCodeAt(0)),
          ),
        ),
      ),
    ).toEqual([0, 250]);
  });

  test("layout and range can be said", async () => {
    const path = put("x.npy", npy("int32", [1, 3, 1, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]));
    await expect(open(path)).rejects.toThrow(/either axis 1 or axis 3 may be the channels; say the layout/);
    expect(levels(await open(path, { layout: "NHWC" }))).toEqual([1, 4, 7, 2, 5, 8, 3, 6, 9]);
    const fractions = put("y.npy", npy("float32", [1, 1, 2], [0, 1]));
    expect(levels(await open(fractions, { range: "signed" }))).toEqual([128, 255]);
  });

  test("black and white stored as levels is warned of", async () => {
    await open(put("x.npy", npy("int32", [1, 1, 2], [0, 1])));
    expect(warnings).toEqual([expect.stringMatching(/no level of 0…255 is above 1/)]);
  });

  test("npz with labels", async () => {
    const path = put(
      "x.npz",
      zipSync({ "y.npy": npy("int64", [2, 1], [2, 0]), "x.npy": npy("int32", [2, 1, 2], bytes) }),
    );
    const set = await open(path);
    expect([levels(set), [...(set.labels ?? [])], set.classes]).toEqual([bytes, [2, 0], ["0", "1", "2"]]);
    const single = put("z.npz", zipSync({ "anything.npy": npy("int32", [2, 1, 2], bytes) }));
    expect((await open(single)).count).toBe(2);
  });

  test("an array whose header does not fit its size is not decompressed", async () => {
    const bomb = Buffer.concat([npy("int32", [2, 1, 2], bytes), Buffer.alloc(2_000_000)]);
    const file = zipSync({ "x.npy": bomb }, { level: 9 });
    // The sum is wrong too, which whoever decompresses all would say.
    file.fill(0, file.length - 60, file.length - 58);
    await expect(open(put("x.npz", file))).rejects.toThrow(/x\.npy: extra bytes at the end: shape \(2, 1, 2\)/);
    const labels = zipSync({
      "x.npy": npy("int32", [2, 1, 2], bytes),
      "y.npy": npy("bool", [100_000], Array(100_000).fill(0)),
    });
    await expect(open(put("y.npz", labels))).rejects.toThrow(/expected 2 labels, got shape \(100000\)/);
  });

  test("npz with a held-out part", async () => {
    const files = {
      x_train: npy("int32", [2, 1, 2], bytes),
      y_train: npy("int32", [2], [0, 1]),
      x_test: npy("int32", [1, 1, 2], [7, 9]),
    };
    const zip = zipSync(Object.fromEntries(Object.entries(files).map(([name, file]) => [`${name}.npy`, file])));
    const set = await open(put("mnist.npz", zip));
    expect([levels(set), set.test && levels(set.test), set.test?.labels]).toEqual([bytes, [7, 9], undefined]);
  });

  test.each<[string, string, Uint8Array, RegExp]>([
    ["two axes", "x.npy", npy("float32", [2, 2], [0, 0, 0, 0]), /expected images \[N, H, W\].* got shape \(2, 2\)/],
    ["no images", "x.npy", npy("float32", [0, 2, 2], []), /got shape \(0, 2, 2\)/],
    ["NaN", "x.npy", npy("float32", [2, 1, 1], [0, NaN]), /image 2: expected finite numbers, got NaN/],
    ["numbers too large", "x.npy", npy("float32", [1, 1, 2], [0, 1.5]), /expected numbers in 0…1 \(unit\), got 0…1\.5/],
    ["levels below 0", "x.npy", npy("int32", [1, 1, 2], [-1, 5]), /expected numbers in 0…255 \(levels\), got -1…5/],
    [
      "five channels",
      "x.npy",
      npy("int32", [1, 2, 2, 5], Array<number>(20).fill(0)),
      /no axis 1 or 3 of 1, 3 or 4 channels/,
    ],
    [
      "unknown keys",
      "x.npz",
      zipSync({ "a.npy": npy("int32", [1], [0]), "b.npy": npy("int32", [1], [0]) }),
      /its arrays are a, b/,
    ],
    [
      "too few labels",
      "x.npz",
      zipSync({ "x.npy": npy("int32", [2, 1, 2], bytes), "y.npy": npy("int32", [1], [0]) }),
      /expected 2 labels, got shape \(1\)/,
    ],
    [
      "labels that are none",
      "x.npz",
      zipSync({ "x.npy": npy("int32", [1, 1, 2], [1, 2]), "y.npy": npy("float32", [1], [0.5]) }),
      /integers in 0…99999, got 0\.5/,
    ],
    ["a cut file", "x.npy", npy("int32", [2, 1, 2], bytes).slice(0, -1), /truncated/],
  ])("refuses %s", async (_, name, file, message) => {
    const path = put(name, file);
    await expect(open(path)).rejects.toThrow(UnnoiseError);
    await expect(open(path)).rejects.toThrow(message);
  });
});

test("digits of scikit-learn: 17 levels and a label", async () => {
  const row = (label: number): string => [...Array.from({ length: 64 }, (_, i) => i % 17), label].join(",");
  const path = put("digits.csv.gz", gzipSync(`${row(3)}\n${row(7)}\n`));
  const set = await open(path);
  expect([set.shape, set.count, [...(set.labels ?? [])], set.classes?.length]).toEqual([[1, 8, 8], 2, [3, 7], 10]);
  expect(levels(set).slice(0, 17)).toEqual(Array.from({ length: 17 }, (_, level) => Math.round((255 * level) / 16)));
  await expect(open(put("x.csv.gz", gzipSync("1,2\n3,4\n")))).rejects.toThrow(/64 levels and a digit a line, got 2/);
  await expect(open(put("y.csv.gz", gzipSync(`${row(3)}\n${row(11)}\n`)))).rejects.toThrow(/row 2: expected 64 levels/);
});

test.each([
  ["one picture", "x.png", /got one picture; give the folder/],
  ["another kind", "x.doc", /expected a folder of pictures .* got a file ending in \.doc/],
])("refuses %s", async (_, name, message) => {
  await expect(open(put(name, "?"))).rejects.toThrow(message);
});

test("refuses what is not there, and options out of range", async () => {
  await expect(open(inFolder("nothing"))).rejects.toThrow(
    /no such file or folder; known names are fashion-mnist, digits/,
  );
  const path = put("x.npy", npy("int32", [1, 1, 2], [3, 4]));
  await expect(open(path, { size: 0 })).rejects.toThrow(/sides that are integers in 1…4096/);
  await expect(open(path, { crop: "middle" as "none" })).rejects.toThrow(
    /crop to be one of centre, none, stretch, got middle/,
  );
});

describe("the cache", () => {
  const file = npy("int32", [3, 1, 2], [1, 2, 3, 4, 5, 6]);
  const caches = (): string[] => readdirSync(cacheFolder()).map((name) => join(cacheFolder(), name));

  test("is used until the files or the options change", async () => {
    const path = put("x.npy", file);
    const { fingerprint } = await open(path);
    expect(decoded).toBe(1);
    expect((await open(path)).fingerprint).toBe(fingerprint);
    expect(decoded).toBe(1);
    expect((await open(path, { channels: 3 })).fingerprint).not.toBe(fingerprint);
    expect([decoded, caches().length]).toEqual([2, 2]);
    utimesSync(path, 1, 1);
    expect((await open(path)).fingerprint).toBe(fingerprint);
    expect(decoded).toBe(3);
  });

  test("a file of the same size and date in its place is noticed", async () => {
    const path = put("x.npy", file);
    utimesSync(path, 1, 1);
    const { fingerprint } = await open(path);
    writeFileSync(path, npy("int32", [3, 1, 2], [6, 5, 4, 3, 2, 1]));
    utimesSync(path, 1, 1);
    expect((await open(path)).fingerprint).not.toBe(fingerprint);
  });

  test("the fingerprint is that of shape, pixels and labels, whatever the source", async () => {
    const values = [1, 2, 3, 4, 5, 6];
    const print = async (name: string, bytes: Uint8Array): Promise<string> =>
      (await open(put(name, bytes))).fingerprint;
    const plain = await print("x.npy", file);
    expect(await print("y-images-idx3-ubyte", idx([3, 1, 2], values))).toBe(plain);
    const others = [
      await print("shape.npy", npy("int32", [3, 2, 1], values)),
      await print("count.npy", npy("int32", [1, 1, 6], values)),
      await print("pixel.npy", npy("int32", [3, 1, 2], [1, 2, 3, 4, 5, 7])),
      await print("labels.npz", zipSync({ "x.npy": file, "y.npy": npy("int32", [3], [0, 1, 2]) })),
    ];
    expect(new Set([plain, ...others]).size).toBe(5);
  });

  test("is made anew when it is cut or any byte has changed", async () => {
    const path = put("x.npz", zipSync({ "x.npy": file, "y.npy": npy("int32", [3], [0, 1, 2]) }));
    const { fingerprint } = await open(path);
    const cache = at(caches(), 0);
    const whole = readFileSync(cache);
    for (let place = 0; place < whole.length; place += 7) {
      writeFileSync(
        cache,
        whole.map((byte, i) => (i === place ? byte ^ 4 : byte)),
      );
      decoded = 0;
      const set = await open(path);
      expect([levels(set), [...(set.labels ?? [])], set.fingerprint]).toEqual([
        [1, 2, 3, 4, 5, 6],
        [0, 1, 2],
        fingerprint,
      ]);
      expect(decoded).toBe(1);
    }
    for (let length = 0; length < whole.length; length += 19) {
      writeFileSync(cache, whole);
      truncateSync(cache, length);
      expect((await open(path)).fingerprint).toBe(fingerprint);
    }
    expect(Buffer.compare(readFileSync(cache), whole)).toBe(0);
  });

  test("a set too large for memory is read from the disk, and damage is found when it is read", async () => {
    const path = put("x.npy", file);
    const inMemory = await open(path);
    const onDisk = await open(path, { memory: 5 });
    const rows = Int32Array.of(2, 0, 2, 1);
    const outs = [new Float32Array(8), new Float32Array(8)] as const;
    inMemory.gather(rows, outs[0], Uint8Array.of(1, 0, 0, 1));
    onDisk.gather(rows, outs[1], Uint8Array.of(1, 0, 0, 1));
    expect(outs[1]).toEqual(outs[0]);
    const cache = at(caches(), 0);
    writeFileSync(
      cache,
      readFileSync(cache).map((byte, i) => (i === 8 + 3 ? byte ^ 1 : byte)),
    );
    expect(() => onDisk.gather(Int32Array.of(1), new Float32Array(2))).toThrow(
      /image 2 of the cache is damaged; delete the file/,
    );
    onDisk.gather(Int32Array.of(2), new Float32Array(2));
  });

  test("leaves nothing behind when it is stopped, and removes what killed processes left", async () => {
    const path = put("x.npy", file);
    await expect(open(path, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "interrupted" });
    expect(caches()).toEqual([]);
    const fresh = temporaryIn(cacheFolder());
    const { pid } = thisProcess;
    const stale = fresh.replace(`-${pid}-`, `-${2 ** 30}-`);
    for (const name of [stale, fresh]) writeFileSync(name, "");
    await open(path);
    expect([existsSync(stale), existsSync(fresh)]).toEqual([false, true]);
  });

  test("a folder that cannot be made is named", async () => {
    const path = put("x.npy", file);
    await expect(open(path, { cacheFolder: join(path, "inside") })).rejects.toThrow(
      /cannot create .*inside: a part of the path is a file/,
    );
  });
});
