import { describe, expect, test } from "vitest";
import { featureNetFile } from "../../test/golden-feature-nets.ts";
import { loadOnnx } from "./onnx-file.ts";

describe("a model from a file", () => {
  test("says what it takes and gives; open extents are null", async () => {
    const file = await loadOnnx(featureNetFile("open"), { device: "cpu", threads: 1 });
    expect(file.inputs).toEqual([{ name: "image", dtype: "float32", shape: [null, 3, null, null] }]);
    expect(file.outputs.map(({ name }) => name)).toEqual(["mean", "twice"]);
    await file.dispose();
    await file.dispose();
  });

  test("runs at any size, for the outputs that are wanted", async () => {
    const file = await loadOnnx(featureNetFile("open"), { device: "cpu", threads: 1 });
    const data = Float32Array.of(1, 2, 3, 4, 5, 7, 10, 20, 30, 40, 50, 80);
    const all = await file.run({ image: { shape: [2, 3, 1, 2], data } });
    expect(all["mean"]).toEqual({ shape: [2, 3, 1, 1], data: Float32Array.of(1.5, 3.5, 6, 15, 35, 65) });
    const one = await file.run({ image: { shape: [1, 3, 2, 2], data } }, ["twice"]);
    expect(Object.keys(one)).toEqual(["twice"]);
    expect(one["twice"]?.data).toEqual(Float32Array.of(5, 21, 100));
    await file.dispose();
  });

  test("that is none, or is fed what does not fit, is named in one line", async () => {
    await expect(loadOnnx(Uint8Array.of(1, 2, 3))).rejects.toThrow(/ONNX Runtime refused the model: [^\n]+$/);
    await expect(loadOnnx("/nowhere/net.onnx")).rejects.toThrow(/net\.onnx/);
    await expect(loadOnnx(featureNetFile("open"), { threads: 0 })).rejects.toThrow(/threads: expected an integer ≥ 1/);
    const file = await loadOnnx(featureNetFile("open"), { device: "cpu", threads: 1 });
    const data = new Float32Array(4);
    await expect(file.run({ image: { shape: [1, 3, 1, 1], data } })).rejects.toThrow(/\[1, 3, 1, 1\] does not hold 4/);
    await expect(file.run({ image: { shape: [1, 4, 1, 1], data } })).rejects.toThrow(/running the model on cpu failed/);
    await file.dispose();
  });
});
