import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { corruptions } from "../../test/corrupt.ts";
import { UnnoiseError } from "../math/error.ts";
import { sizeOf, type Tensor } from "../tensor/tensor.ts";
import { SafetensorsFile, readSafetensors } from "./safetensors-file.node.ts";
import { readWeights } from "./safetensors-shards.node.ts";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.ts";

interface Golden {
  readonly base64: string;
  readonly tensors: Readonly<Record<string, { dtype: string; shape: readonly number[]; values: readonly number[] }>>;
}

const golden = JSON.parse(
  readFileSync(new URL("../../test/golden/safetensors.json", import.meta.url), "utf8"),
) as Golden;
const goldenBytes = new Uint8Array(Buffer.from(golden.base64, "base64"));
const folder = mkdtempSync(join(tmpdir(), "unnoise-safetensors-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

const storedNames: Readonly<Record<string, string>> = {
  float16: "F16",
  bfloat16: "BF16",
  float32: "F32",
  int16: "I16",
  uint8: "U8",
  int8: "I8",
};

describe("a file made by the safetensors package", () => {
  test.each(Object.entries(golden.tensors))("%s", (name, { dtype, shape, values }) => {
    const { tensors, stored, metadata } = decodeSafetensors(goldenBytes, "golden.safetensors");
    const tensor = tensors.get(name);
    expect(tensor?.shape).toEqual(shape);
    expect(tensor?.dtype).toBe(dtype.includes("float") ? "float32" : "int32");
    expect(Array.from(tensor?.data ?? [], Number)).toEqual(values);
    expect(stored.get(name)).toBe(storedNames[dtype]);
    expect(metadata).toEqual({ format: "pt" });
  });

  test("reads from the disk as from memory", async () => {
    writeFileSync(at("golden.safetensors"), goldenBytes);
    expect(await readSafetensors(at("golden.safetensors"))).toEqual(decodeSafetensors(goldenBytes, "x"));
  });

  test("gives one tensor without the others", async () => {
    writeFileSync(at("golden.safetensors"), goldenBytes);
    const file = await SafetensorsFile.open(at("golden.safetensors"));
    const entry = file.header.entries.find(({ name }) => name === "brain");
    if (!entry) throw new Error("no tensor brain");
    const { data } = await file.read(entry);
    await file.close();
    expect([...(data as Float32Array)]).toEqual(golden.tensors["brain"]?.values);
    expect(data.buffer.byteLength).toBe(data.byteLength);
  });
});

const one = (value: number): Tensor => ({ dtype: "float32", shape: [2], data: Float32Array.of(value, -value) });

test.each([
  ["nothing", new Uint8Array(), /not a safetensors file: .* got 0/],
  ["a part of the values", encodeSafetensors(new Map([["a", one(1)]])).slice(0, -1), /truncated/],
  [
    "a length beyond the file",
    Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0, 123),
    /header claims 4294967296 bytes, the file has 9/,
  ],
])("refuses %s", async (_, bytes, message) => {
  writeFileSync(at("bad.safetensors"), bytes);
  await expect(readSafetensors(at("bad.safetensors"))).rejects.toThrow(message);
});

test("a missing file, a folder", async () => {
  await expect(readSafetensors(at("none.safetensors"))).rejects.toThrow(/cannot read .*no such file/);
  await expect(readSafetensors(folder)).rejects.toThrow(UnnoiseError);
});

test("200 damaged files with all element types each give an error of ours or whole tensors", async () => {
  let refused = 0;
  for (const bytes of corruptions(goldenBytes, 200)) {
    writeFileSync(at("damaged.safetensors"), bytes);
    try {
      const { tensors } = await readSafetensors(at("damaged.safetensors"));
      for (const { shape, data } of tensors.values()) expect(data.length).toBe(sizeOf(shape));
    } catch (error) {
      expect(error).toBeInstanceOf(UnnoiseError);
      expect((error as UnnoiseError).message).toMatch(/^[^\n]+$/);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(100);
});

describe("shards", () => {
  const index = "model.safetensors.index.json";
  const [first, second] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
  const map = { a: first, b: second, c: second };
  const writeIndex = (weightMap: unknown): void =>
    writeFileSync(at(index), JSON.stringify({ metadata: { total_size: 24 }, weight_map: weightMap }));

  beforeEach(() => {
    writeFileSync(at(first), encodeSafetensors(new Map([["a", one(1)]])));
    writeFileSync(
      at(second),
      encodeSafetensors(
        new Map([
          ["b", one(2)],
          ["c", one(3)],
        ]),
      ),
    );
    writeIndex(map);
  });

  test("are read together", async () => {
    const { tensors, stored } = await readWeights(at(index));
    expect([...tensors]).toEqual([
      ["a", one(1)],
      ["b", one(2)],
      ["c", one(3)],
    ]);
    expect([...stored.values()]).toEqual(["F32", "F32", "F32"]);
  });

  test.each<[string, unknown, RegExp]>([
    [
      "a name that no shard has",
      { ...map, d: first },
      /00001-of-00002\.safetensors: the index .* says it holds "d", which it lacks/,
    ],
    ["a tensor without a name", { a: first, b: second }, /holds "c", which the index .* does not name/],
    ["a tensor of another shard", { a: first, b: second, c: first }, /00001.* says it holds "c", which it lacks/],
    ["a path upwards", { ...map, a: "../x.safetensors" }, /weight_map of "a": .* without a path, got "\.\.\/x/],
    ["an absolute path", { ...map, a: "/etc/x.safetensors" }, /without a path/],
    ["a Windows path", { ...map, a: "..\\x.safetensors" }, /without a path/],
    ["another kind of file", { ...map, a: "x.bin" }, /expected a \.safetensors file/],
    ["a number for a file", { ...map, a: 1 }, /weight_map of "a"/],
    ["no names", {}, /weight_map names the file of each tensor/],
    ["a list", [], /weight_map/],
    [
      "a shard that is not there",
      { ...map, d: "model-3.safetensors" },
      /cannot read .*model-3\.safetensors: no such file/,
    ],
  ])("refuses %s", async (_, weightMap, message) => {
    writeIndex(weightMap);
    const reading = readWeights(at(index));
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toThrow(/^[^\n]+$/);
  });

  test("refuses a tensor that two shards hold", async () => {
    writeFileSync(
      at(first),
      encodeSafetensors(
        new Map([
          ["a", one(1)],
          ["b", one(2)],
        ]),
      ),
    );
    await expect(readWeights(at(index))).rejects.toThrow(/00001.*holds "b", which the index .* places in another file/);
  });

  test("200 damaged indices each give an error of ours or the same tensors", async () => {
    const whole = new Uint8Array(readFileSync(at(index)));
    let refused = 0;
    for (const bytes of corruptions(whole, 200)) {
      writeFileSync(at(index), bytes);
      try {
        expect([...(await readWeights(at(index))).tensors.keys()].sort()).toEqual(["a", "b", "c"]);
      } catch (error) {
        expect(error).toBeInstanceOf(UnnoiseError);
        expect((error as UnnoiseError).message).toMatch(/^[^\n]+$/);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(100);
  });

  test("refuses an index that is no JSON", async () => {
    writeFileSync(at(index), "{");
    await expect(readWeights(at(index))).rejects.toThrow(/not JSON/);
  });
});
