import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { corruptions } from "../../test/corrupt.ts";
import { UnnoiseError } from "../math/error.ts";
import { sizeOf } from "../tensor/tensor.ts";
import { decodeIdxFile } from "./idx-file.node.ts";
import { decodeIdx } from "./idx.ts";

/** An IDX file of any type and extents. */
function idx(extents: readonly number[], values: readonly number[], type = 8): Uint8Array {
  const header = new Uint8Array(4 + 4 * extents.length);
  const view = new DataView(header.buffer);
  header.set([0, 0, type, extents.length]);
  extents.forEach((extent, axis) => view.setUint32(4 + 4 * axis, extent));
  return Uint8Array.of(...header, ...values);
}

const small = idx([2, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255]);

describe("IDX", () => {
  test("reads values and extents", () => {
    const { shape, data } = decodeIdx(small, "x");
    expect(shape).toEqual([2, 2, 3]);
    expect([...data]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255]);
  });

  test("reads compressed files as plain ones", () => {
    expect(decodeIdxFile(gzipSync(small), "x.gz")).toEqual(decodeIdx(small, "x"));
    expect(decodeIdxFile(small, "x")).toEqual(decodeIdx(small, "x"));
    const random = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i * 7919) >>> 5);
    const large = Uint8Array.of(...idx([300_000], []), ...random.subarray(0, 0));
    const whole = new Uint8Array(large.length + random.length);
    whole.set(large);
    whole.set(random, large.length);
    expect(Buffer.compare(decodeIdxFile(gzipSync(whole), "x.gz").data, random)).toBe(0);
  });

  const gz = gzipSync(small);
  test.each<[string, Uint8Array, RegExp]>([
    ["nothing", new Uint8Array(), /at least 4 bytes/],
    ["text", new TextEncoder().encode("label,pixel"), /first two bytes to be 0/],
    ["floats", idx([1], [0, 0, 0, 0], 0x0d), /IDX of float32: expected unsigned bytes/],
    ["an unknown type", idx([1], [0], 0x33), /unknown type 51/],
    ["no axes", idx([], []), /IDX of 0 axes/],
    ["too many axes", idx([1, 1, 1, 1, 1], [0]), /IDX of 5 axes/],
    ["a cut header", small.slice(0, 9), /truncated: the file ends inside its header of 16 bytes/],
    ["a cut file", small.slice(0, -1), /truncated or wrong extents: \(2, 2, 3\) needs 28 bytes, the file has 27/],
    ["extra bytes", Uint8Array.of(...small, 0), /extra bytes at the end/],
    ["huge extents", idx([4e9, 4e9, 4e9], [1]), /truncated or wrong extents/],
    ["huge extents, compressed", gzipSync(idx([4e9, 4e9, 4e9], [1])), /truncated or wrong extents/],
    ["extra bytes, compressed", gzipSync(Uint8Array.of(...small, 0)), /decompresses to more than 28 B/],
    ["a bomb", gzipSync(Uint8Array.of(...small, ...new Uint8Array(100_000))), /decompresses to more than 28 B/],
    ["a cut gzip file", gz.subarray(0, -4), /damaged gzip file \(unexpected end of file\)/],
    [
      "a gzip file of another sum",
      gz.map((byte, i) => (i === gz.length - 6 ? byte ^ 1 : byte)),
      /incorrect data check/,
    ],
    ["gzip of nothing", gz.subarray(0, 5), /(damaged gzip|at least 4 bytes)/],
  ])("refuses %s", (_, bytes, message) => {
    const act = (): unknown => decodeIdxFile(bytes, "x-idx3-ubyte");
    expect(act).toThrow(UnnoiseError);
    expect(act).toThrow(message);
    expect(act).toThrow(/^x-idx3-ubyte: [^\n]+$/);
  });
});

test.each<[string, Uint8Array]>([
  ["plain", small],
  ["compressed", gzipSync(small)],
])("200 damaged %s files each give an error of ours or as many values as they say", (_, file) => {
  let refused = 0;
  for (const bytes of corruptions(file, 200)) {
    try {
      const { shape, data } = decodeIdxFile(bytes, "x");
      expect(data.length).toBe(sizeOf(shape));
    } catch (error) {
      expect(error).toBeInstanceOf(UnnoiseError);
      expect((error as UnnoiseError).message).toMatch(/^x: [^\n]+$/);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(100);
});
