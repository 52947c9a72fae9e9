import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { corruptions } from "../../test/corrupt.ts";
import { UnnoiseError } from "../math/error.ts";
import { sizeOf, type Tensor } from "../tensor/tensor.ts";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.ts";

const tensors = new Map<string, Tensor>([
  ["mask", { dtype: "bool", shape: [3], data: Uint8Array.of(1, 0, 1) }],
  ["layer.weight", { dtype: "float32", shape: [2, 2], data: Float32Array.of(1, -2, 0.5, NaN) }],
  ["step", { dtype: "int64", shape: [], data: BigInt64Array.of(-(2n ** 62n)) }],
  ["moment", { dtype: "float64", shape: [1], data: Float64Array.of(Math.PI) }],
  ["ids", { dtype: "int32", shape: [2, 1], data: Int32Array.of(-7, 8) }],
  ["none", { dtype: "float32", shape: [0, 5], data: new Float32Array() }],
]);
const metadata = { format: "pt", note: "ε, α" };
const file = encodeSafetensors(tensors, metadata);

/** A file with any header object and any number of value bytes. */
function fileOf(header: unknown, valueBytes: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const out = new Uint8Array(8 + json.length + valueBytes);
  new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true);
  out.set(json, 8);
  return out;
}

describe("what is written", () => {
  test("reads back the same", () => {
    const read = decodeSafetensors(file, "model.safetensors");
    expect(new Map([...read.tensors].sort())).toEqual(new Map([...tensors].sort()));
    expect(read.metadata).toEqual(metadata);
  });

  test("does not depend on the order of names or metadata", () => {
    const reversed = new Map([...tensors].reverse());
    expect(encodeSafetensors(reversed, { note: "ε, α", format: "pt" })).toEqual(file);
  });

  test("has a header padded with spaces to 8 bytes, and aligned values", () => {
    const length = Number(new DataView(file.buffer).getBigUint64(0, true));
    const text = new TextDecoder().decode(file.subarray(8, 8 + length));
    expect(length % 8).toBe(0);
    expect(text).toMatch(/^\{.*\} *$/s);
    const header = JSON.parse(text) as Record<string, { data_offsets?: [number, number]; shape: number[] }>;
    expect(header["layer.weight"]?.data_offsets).toEqual([24, 40]);
    expect(header["step"]?.data_offsets).toEqual([8, 16]);
    expect(header["mask"]?.data_offsets).toEqual([40, 43]);
  });

  test("is the documented layout byte for byte", () => {
    const bytes = encodeSafetensors(new Map([["a", { dtype: "float32", shape: [1], data: Float32Array.of(1) }]]));
    const header = '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  ';
    expect([...bytes]).toEqual([
      header.length,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      ...new TextEncoder().encode(header),
      0,
      0,
      0x80,
      0x3f,
    ]);
  });
});

test("aligned values share the file's bytes, others are copied", () => {
  const shared = decodeSafetensors(file, "x").tensors.get("layer.weight");
  expect(shared?.data.buffer).toBe(file.buffer);
  const shifted = new Uint8Array(file.length + 1);
  shifted.set(file, 1);
  const copied = decodeSafetensors(shifted.subarray(1), "x").tensors;
  expect(copied.get("layer.weight")?.data.buffer).not.toBe(shifted.buffer);
  expect(copied.get("moment")).toEqual(tensors.get("moment"));
});

test("a header that is not padded to 8 bytes is read", () => {
  const bytes = fileOf('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4);
  expect(decodeSafetensors(bytes, "x").tensors.get("a")?.data).toEqual(Float32Array.of(0));
});

test("odd names survive", () => {
  const letters = fc.constantFrom("a", "é", "😀", "\u0000", "\n", '"', "\\", "\ud800", "/", ".");
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ unit: letters }), { maxLength: 6 }), (names) => {
      fc.pre(!names.includes("__metadata__"));
      const map = new Map<string, Tensor>(
        ["__proto__", "0", ...names].map((name, i) => [
          name,
          { dtype: "float32", shape: [1], data: Float32Array.of(i) },
        ]),
      );
      const read = decodeSafetensors(encodeSafetensors(map), "x").tensors;
      expect(read).toEqual(map);
    }),
    { numRuns: 50 },
  );
});

const entry = { dtype: "F32", shape: [1], data_offsets: [0, 4] };
test.each([
  ["empty", new Uint8Array(), /at least 8 bytes/],
  ["length beyond the file", Uint8Array.of(200, 0, 0, 0, 0, 0, 0, 0, 123), /header claims 200 bytes/],
  ["absurd length", new Uint8Array(16).fill(0xff), /header claims/],
  ["not JSON", fileOf("hello", 0), /not JSON/],
  ["not UTF-8", new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0, 0xff]), /not JSON/],
  ["not an object", fileOf([1], 0), /JSON object/],
  ["nested too deep", fileOf("[".repeat(100_000), 0), /levels of nesting/],
  ["unknown key", fileOf({ a: { ...entry, extra: 1 } }, 4), /exactly dtype, shape and data_offsets/],
  ["missing key", fileOf({ a: { dtype: "F32", shape: [1] } }, 4), /exactly dtype/],
  [
    "eight-bit floats",
    fileOf({ a: { dtype: "F8_E4M3", shape: [4], data_offsets: [0, 4] } }, 4),
    /dtype "F8_E4M3" is not supported/,
  ],
  ["dtype from the prototype", fileOf({ a: { ...entry, dtype: "constructor" } }, 4), /dtype "constructor"/],
  ["negative extent", fileOf({ a: { ...entry, shape: [-1] } }, 4), /integers ≥ 0/],
  ["broken extent", fileOf({ a: { ...entry, shape: [0.5] } }, 4), /integers ≥ 0/],
  ["three offsets", fileOf({ a: { ...entry, data_offsets: [0, 4, 8] } }, 4), /two integers/],
  ["end before begin", fileOf({ a: { ...entry, data_offsets: [4, 0] } }, 4), /does not fill/],
  ["wrong size", fileOf({ a: { ...entry, shape: [2] } }, 4), /does not fill its 4 bytes/],
  ["product beyond 2^53", fileOf({ a: { ...entry, shape: [2 ** 52, 2 ** 52, 0] } }, 4), /does not fill/],
  ["gap", fileOf({ a: entry, b: { ...entry, data_offsets: [8, 12] } }, 12), /start at 4, got 8/],
  ["overlap", fileOf({ a: entry, b: { ...entry, data_offsets: [2, 6] } }, 6), /start at 4, got 2/],
  ["truncated values", fileOf({ a: entry }, 3), /truncated: the tensors need 4 bytes, the file has 3/],
  ["extra bytes", fileOf({ a: entry }, 5), /extra bytes at the end/],
  ["metadata that is not text", fileOf({ __metadata__: { a: 1 }, a: entry }, 4), /only text/],
  [
    "a truth value of 2",
    Uint8Array.of(...fileOf({ a: { dtype: "BOOL", shape: [1], data_offsets: [0, 1] } }, 0), 2),
    /0 and 1/,
  ],
])("%s: one clear line", (_, bytes, message) => {
  const act = (): unknown => decodeSafetensors(bytes, "model.safetensors");
  expect(act).toThrow(UnnoiseError);
  expect(act).toThrow(message);
  expect(act).toThrow(/^model\.safetensors: [^\n]+$/);
});

test("refuses to write what could not be read", () => {
  const wrong: Tensor = { dtype: "float32", shape: [3], data: new Float32Array(2) };
  expect(() => encodeSafetensors(new Map([["a", wrong]]))).toThrow(/needs 3 values, got 2/);
  const reserved: Tensor = { dtype: "float32", shape: [], data: new Float32Array(1) };
  expect(() => encodeSafetensors(new Map([["__metadata__", reserved]]))).toThrow(/cannot have the name/);
});

test("2,000 damaged files each give an error of ours or consistent tensors", () => {
  let refused = 0;
  for (const bytes of corruptions(file, 2000)) {
    try {
      for (const { shape, data } of decodeSafetensors(bytes, "x").tensors.values()) {
        expect(data.length).toBe(sizeOf(shape));
      }
    } catch (error) {
      expect(error).toBeInstanceOf(UnnoiseError);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(1000);
});
