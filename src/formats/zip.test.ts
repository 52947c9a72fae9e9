import { crc32 as zlibCrc32 } from "node:zlib";
import { zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { corruptions } from "../../test/corrupt.ts";
import { UnnoiseError } from "../math/error.ts";
import { crc32 } from "./crc32.ts";
import { openZip } from "./zip.ts";

const text = new TextEncoder().encode("noise ".repeat(500));
const archive = zipSync(
  { "a.npy": [text, { level: 6 }], "b.npy": [text.subarray(0, 9), { level: 0 }] },
  { comment: "hello" },
);

/** Where bytes stand in others. */
function find(bytes: Uint8Array, signature: number, from = 0): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = from; ; i++) if (view.getUint32(i, true) === signature) return i;
}

/** The archive with a number of its first directory entry replaced. */
function patched(offset: number, value: number, bytes: 2 | 4 = 4): Uint8Array {
  const copy = archive.slice();
  const view = new DataView(copy.buffer);
  const place = find(copy, 0x02014b50) + offset;
  if (bytes === 4) view.setUint32(place, value, true);
  else view.setUint16(place, value, true);
  return copy;
}

test("the sum is that of zlib", () => {
  expect(crc32(text)).toBe(zlibCrc32(text));
  expect(crc32(new Uint8Array())).toBe(0);
});

describe("ZIP", () => {
  test("gives its files, deflated or stored", () => {
    const files = openZip(archive, "x.npz");
    expect(files.map(({ name }) => name)).toEqual(["a.npy", "b.npy"]);
    expect(files.map(({ content }) => content())).toEqual([text, text.subarray(0, 9)]);
  });

  test("gives the start of a file without the rest", () => {
    const [deflated, stored] = openZip(archive, "x.npz");
    expect(deflated?.size).toBe(text.length);
    expect(deflated?.start(10)).toEqual(text.subarray(0, 10));
    expect(deflated?.start(1e6)).toEqual(text);
    expect(stored?.start(4)).toEqual(text.subarray(0, 4));
  });

  test.each<[string, Uint8Array, RegExp]>([
    ["nothing", new Uint8Array(), /not a ZIP archive/],
    ["text", text, /not a ZIP archive/],
    ["a cut archive", archive.slice(0, -20), /directory is missing/],
    ["a size that cannot be", patched(24, 2e9), /cannot hold the 2000000000/],
    ["a size that is too small", patched(24, 100), /more than the 100 bytes that its directory claims/],
    ["a size that is too large", patched(24, 3001), /does not fit its checksum/],
    ["another sum", patched(16, 1), /checksum/],
    ["an unknown method", patched(10, 12, 2), /compression method 12/],
    ["encryption", patched(8, 1, 2), /encrypted/],
    ["4 GB", patched(20, 0xffffffff), /over 4 GB/],
    ["a wrong place", patched(42, 7), /not where its directory says/],
    ["a place beyond the end", patched(42, 2e9), /not where its directory says/],
    ["packed bytes beyond the end", patched(20, 1e6), /truncated/],
  ])("refuses %s", (_, bytes, message) => {
    const act = (): unknown => openZip(bytes, "x.npz").map(({ content }) => content());
    expect(act).toThrow(UnnoiseError);
    expect(act).toThrow(message);
    expect(act).toThrow(/^x\.npz: [^\n]+$/);
  });

  test("500 damaged archives give an error of ours or the same content", () => {
    let refused = 0;
    for (const bytes of corruptions(archive, 500)) {
      try {
        for (const { name, content } of openZip(bytes, "x.npz")) {
          const bytesOfFile = content();
          if (name === "a.npy") expect(Buffer.compare(bytesOfFile, text)).toBe(0);
        }
      } catch (error) {
        expect(error).toBeInstanceOf(UnnoiseError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(250);
  });
});
