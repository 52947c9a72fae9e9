import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { featureNetFile, fixedWeights } from "../../test/golden-feature-nets.ts";
import { at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { extractFeatures, sampledImages, type ImageShape } from "./feature-net.ts";
import { openOnnxNet } from "./feature-net-file.node.ts";
import { inputRanges, prepareImages } from "./feature-net-input.ts";
import { onnxNet, type OnnxNetOptions } from "./feature-net-onnx.ts";

const usual: OnnxNetOptions = { name: "net.onnx", hash: "0", range: "-1..1", device: "cpu", threads: 1 };
const open = (kind: string, images: ImageShape, options: Partial<OnnxNetOptions> = {}) =>
  onnxNet(featureNetFile(kind), images, { ...usual, ...options });

describe("input", () => {
  const grey = Float32Array.of(-1, 0, 0.5, 1);
  const into = (images: Float32Array, from: ImageShape, shape: ImageShape, range: (typeof inputRanges)[number]) => {
    const out = new Float32Array((images.length / (from[0] * from[1] * from[2])) * shape[0] * shape[1] * shape[2]);
    prepareImages(images, from, { shape, range, filter: "bilinear" }, out);
    return [...out];
  };

  test("ranges", () => {
    expect(into(grey, [1, 2, 2], [1, 2, 2], "-1..1")).toEqual([-1, 0, 0.5, 1]);
    expect(into(grey, [1, 2, 2], [1, 2, 2], "0..1")).toEqual([0, 0.5, 0.75, 1]);
    expect(into(grey, [1, 2, 2], [1, 2, 2], "0..255")).toEqual([0, 127.5, 191.25, 255]);
    const colours = into(Float32Array.of(-1, 0, 1), [3, 1, 1], [3, 1, 1], "imagenet");
    const expected = [-0.485 / 0.229, (0.5 - 0.456) / 0.224, (1 - 0.406) / 0.225];
    colours.forEach((value, c) => expect(value).toBeCloseTo(at(expected, c), 6));
  });

  test("grey to colours and back", () => {
    expect(into(grey, [1, 1, 2], [3, 1, 2], "-1..1")).toEqual([-1, 0, -1, 0, -1, 0, 0.5, 1, 0.5, 1, 0.5, 1]);
    expect(at(into(Float32Array.of(1, 0, -1), [3, 1, 1], [1, 1, 1], "-1..1"), 0)).toBeCloseTo(0.299 - 0.114, 6);
    expect(() => into(grey, [2, 1, 2], [3, 1, 2], "-1..1")).toThrow(/1 or 3 channels, got 2/);
  });

  test("another size, never outside [−1, 1]", () => {
    expect(into(Float32Array.of(-1, 1, -1, 1), [1, 2, 2], [1, 1, 1], "0..1")).toEqual([0.5]);
    const checks = Float32Array.from({ length: 64 }, (_, i) => ((i + (i >> 3)) % 2 === 0 ? -1 : 1));
    const out = new Float32Array(19 * 19);
    prepareImages(checks, [1, 8, 8], { shape: [1, 19, 19], range: "-1..1", filter: "lanczos" }, out);
    expect(Math.max(...out.map(Math.abs))).toBe(1);
  });
});

describe("a user's net", () => {
  const images: ImageShape = [1, 2, 4];
  const pixels = new Float32Array(6 * 8);
  new Random(1, "data").uniforms(pixels, 8);

  test("of a fixed batch: the last one is filled up", async () => {
    const net = await open("fixed", images);
    expect([net.width, net.batchSize]).toEqual([3, 4]);
    const source = {
      shape: images,
      count: 6,
      gather: (rows: Int32Array, out: Float32Array) => {
        rows.forEach((row, i) => out.set(pixels.subarray(row * 8, row * 8 + 8), i * 8));
      },
    };
    const seen: number[] = [];
    const rows = Int32Array.of(5, 0, 1, 2, 3, 4);
    const { shape, data } = await extractFeatures(net, source, rows, { onProgress: ({ done }) => seen.push(done) });
    expect(shape).toEqual([6, 3]);
    expect(seen).toEqual([4, 6]);
    rows.forEach((row, i) => {
      for (let f = 0; f < 3; f++) {
        let sum = 0;
        for (let k = 0; k < 8; k++) sum += at(pixels, row * 8 + k) * at(fixedWeights, k * 3 + f);
        expect(at(data, i * 3 + f)).toBeCloseTo(sum, 4);
      }
    });
    await net.dispose();
  });

  test("of any batch and size, by the name of an output", async () => {
    const net = await open("open", images, { output: "twice", size: [5, 5], range: "0..1" });
    const features = await net.features(new Float32Array(8).fill(0.5), images);
    features.forEach((value) => expect(value).toBeCloseTo(1.5, 5));
    expect([features.length, net.batchSize]).toEqual([3, 32]);
    await net.dispose();
  });

  test.each([
    ["two inputs", /expected one input, images, got image float32 \[\?, 3, 8, 8\], other float32 \[1\]/],
    ["integers", /expected a float32 input \[N, C, H, W\], got image int64/],
    ["rows", /expected a float32 input \[N, C, H, W\], got rows float32 \[\?, 64\]/],
    ["four channels", /expected 1 or 3 channels along axis 1, got image float32 \[\?, 4, 8, 8\]/],
    ["no rows", /output total: expected float32 \[32, …\], a row for each image, got Float32Array \[\]/],
  ])("with %s is refused", async (kind, message) => {
    await expect(open(kind, [3, 8, 8])).rejects.toThrow(message);
  });

  test("with options that do not fit is refused", async () => {
    await expect(open("open", images, { output: "none" })).rejects.toThrow(/no output none; outputs: mean/);
    await expect(open("fixed", images, { size: [3, 3] })).rejects.toThrow(/2 × 4 pixels, but size says 3 × 3/);
  });

  test("from a file has its name and SHA-256", async () => {
    const folder = await mkdtemp(join(tmpdir(), "unnoise-net-"));
    const path = join(folder, "mean.onnx");
    await writeFile(path, featureNetFile("open"));
    const net = await openOnnxNet(path, images, { range: "-1..1", device: "cpu", threads: 1 });
    expect(net.name).toBe("mean.onnx");
    expect(net.hash).toMatch(/^[0-9a-f]{64}$/);
    await net.dispose();
    await writeFile(path, "no model");
    await expect(openOnnxNet(path, images, { range: "-1..1", device: "cpu" })).rejects.toThrow(
      /^feature net mean\.onnx: expected an ONNX file; ONNX Runtime refused/,
    );
    await rm(folder, { recursive: true });
    await expect(openOnnxNet(path, images, { range: "-1..1" })).rejects.toMatchObject({ code: "io" });
  });
});

test("samples are cut and rounded to the levels that pictures have", () => {
  const data = Float32Array.of(-3, 0.001, 1.2, 1 / 255, -0.9999, -1);
  const source = sampledImages({ dtype: "float32", shape: [1, 1, 2, 3], data });
  const out = new Float32Array(6);
  source.gather(Int32Array.of(0), out);
  [-1, 1 / 255, 1, 1 / 255, -1, -1].forEach((value, i) => expect(at(out, i)).toBeCloseTo(value, 6));
  data[3] = NaN;
  source.gather(Int32Array.of(0), out);
  expect(out[3]).toBeNaN();
  expect(() => sampledImages({ dtype: "float32", shape: [2, 3], data })).toThrow(/images \[N, C, H, W\], got \[2, 3\]/);
});
