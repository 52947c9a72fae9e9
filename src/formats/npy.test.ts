import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { corruptions } from "../../test/corrupt.ts";
import { UnnoiseError } from "../math/error.ts";
import { sizeOf, type DType, type Tensor } from "../tensor/tensor.ts";
import { halfToNumber } from "./half-float.ts";
import { decodeNpy, encodeNpy } from "./npy.ts";

interface Golden {
  readonly name: string;
  readonly descr: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
  readonly base64: string;
}

const golden = JSON.parse(readFileSync(new URL("../../test/golden/npy.json", import.meta.url), "utf8")) as {
  readable: readonly Golden[];
  writable: readonly (Golden & { dtype: DType })[];
  refused: Readonly<Record<string, string>>;
};

function bytesOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, "base64"));
}

const makers: { readonly [D in DType]: (values: readonly number[]) => Tensor["data"] } = {
  float32: (values) => Float32Array.from(values),
  float64: (values) => Float64Array.from(values),
  int32: (values) => Int32Array.from(values),
  int64: (values) => BigInt64Array.from(values, BigInt),
  bool: (values) => Uint8Array.from(values),
};

/** A file with any header text. */
function withHeader(text: string, values = new Uint8Array(), major = 1): Uint8Array {
  const header = new TextEncoder().encode(text);
  const prefix = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, major, 0, header.length & 255, header.length >> 8];
  return Uint8Array.of(...prefix, ...header, ...values);
}

const plain = withHeader("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }\n", new Uint8Array(16));

describe("files made by NumPy", () => {
  test.each(golden.readable)("reads $name", ({ descr, shape, values, base64 }) => {
    const array = decodeNpy(bytesOf(base64), "golden.npy");
    expect(array.dtype).toBe(descr);
    expect(array.shape).toEqual(shape);
    expect([...array.data]).toEqual(values);
  });

  test.each(golden.writable)("writes $name byte for byte as NumPy does", ({ dtype, shape, values, base64 }) => {
    const file = encodeNpy({ dtype, shape, data: makers[dtype](values) });
    expect(file).toEqual(bytesOf(base64));
  });

  test.each(Object.entries(golden.refused))("refuses %s", (_, base64) => {
    expect(() => decodeNpy(bytesOf(base64), "x.npy")).toThrow(
      /^x\.npy: (dtype .* is not|structured arrays are not) supported/,
    );
  });
});

test("a view into a larger buffer reads as the file itself", () => {
  const { base64, values } = golden.readable.find(({ name }) => name === "<f8") ?? { base64: "", values: [] };
  const file = bytesOf(base64);
  const larger = new Uint8Array(file.length + 9).fill(0xaa);
  larger.set(file, 3);
  expect([...decodeNpy(larger.subarray(3, 3 + file.length), "x.npy").data]).toEqual(values);
});

test("every float16 bit pattern has the value that its fields define", () => {
  const view = new DataView(new ArrayBuffer(4));
  // As float32 with the exponent rebased and the fraction moved; a subnormal is what remains without the implicit one.
  const expected = Float64Array.from({ length: 0x10000 }, (_, bits) => {
    const exponent = (bits >> 10) & 31;
    const rebased = exponent === 31 ? 255 : exponent === 0 ? 113 : exponent + 112;
    view.setUint32(0, (rebased << 23) | ((bits & 1023) << 13));
    const magnitude = view.getFloat32(0) - (exponent === 0 ? 2 ** -14 : 0);
    return bits & 0x8000 ? -magnitude : magnitude;
  });
  expect(expected.map((_, bits) => halfToNumber(bits))).toEqual(expected);
});

test.each([
  ["empty", new Uint8Array(), /not a \.npy file/],
  ["text", new TextEncoder().encode("x,y\n1,2\n"), /not a \.npy file/],
  ["cut in the prefix", plain.slice(0, 9), /truncated/],
  ["cut in the header", plain.slice(0, 40), /truncated: the header needs/],
  [
    "cut in the values",
    plain.slice(0, -1),
    /truncated or wrong shape: shape \(2\) of <f8 needs 16 bytes, the file has 15/,
  ],
  ["extra bytes", new Uint8Array([...plain, 0]), /extra bytes at the end/],
  ["version 9", withHeader("{}", new Uint8Array(), 9), /version 9\.0 is not known/],
  ["no dictionary", withHeader("[1, 2, 3, 4]\n"), /expected a Python dictionary/],
  ["missing key", withHeader("{'descr': '<f8', 'shape': (2,), }\n"), /expected the keys/],
  ["negative extent", withHeader("{'descr': '<f8', 'fortran_order': False, 'shape': (-2,), }"), /extent .* got "-2"/],
  [
    "absurd extent",
    withHeader("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,), }"),
    /extent/,
  ],
  [
    "absurd size",
    withHeader("{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999, 9999999999), }"),
    /truncated/,
  ],
  [
    "float128",
    withHeader("{'descr': '<f16', 'fortran_order': False, 'shape': (0,), }"),
    /dtype "<f16" is not supported/,
  ],
  ["no byte order", withHeader("{'descr': '|f8', 'fortran_order': False, 'shape': (0,), }"), /dtype "\|f8"/],
])("%s: one clear line", (_, bytes, message) => {
  const act = (): unknown => decodeNpy(bytes, "points.npy");
  expect(act).toThrow(UnnoiseError);
  expect(act).toThrow(message);
  expect(act).toThrow(/^points\.npy: [^\n]+$/);
});

test("row-major order comes back from any column-major array", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }), (shape) => {
      const size = sizeOf(shape);
      const columnMajor = new Float64Array(size);
      for (let rowMajor = 0; rowMajor < size; rowMajor++) {
        let rest = rowMajor;
        const index = [...shape]
          .reverse()
          .map((extent) => {
            const position = rest % extent;
            rest = (rest - position) / extent;
            return position;
          })
          .reverse();
        let address = 0;
        let stride = 1;
        index.forEach((position, axis) => {
          address += position * stride;
          stride *= shape[axis] ?? 1;
        });
        columnMajor[address] = rowMajor;
      }
      const header = `{'descr': '<f8', 'fortran_order': True, 'shape': (${shape.join(", ")},), }\n`;
      const array = decodeNpy(withHeader(header, new Uint8Array(columnMajor.buffer)), "x.npy");
      expect([...array.data]).toEqual(Array.from({ length: size }, (_, i) => i));
    }),
  );
});

test("values start at a multiple of 64 bytes for any shape", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 30 }), (shape) => {
      const data = new Float32Array(Math.min(sizeOf(shape), 1e5));
      fc.pre(data.length === sizeOf(shape));
      const file = encodeNpy({ dtype: "float32", shape, data });
      expect((file.length - data.byteLength) % 64).toBe(0);
      expect(decodeNpy(file, "x.npy").shape).toEqual(shape);
    }),
  );
});

test("1,000 damaged files each give an error of ours or a consistent array", () => {
  const files = golden.readable.slice(0, 4).map(({ base64 }) => bytesOf(base64));
  let refused = 0;
  for (const bytes of files.flatMap((file) => corruptions(file, 250))) {
    try {
      const { shape, data } = decodeNpy(bytes, "x.npy");
      expect(data.length).toBe(sizeOf(shape));
      expect(data.length).toBeLessThan(bytes.length);
    } catch (error) {
      expect(error).toBeInstanceOf(UnnoiseError);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(500);
});
