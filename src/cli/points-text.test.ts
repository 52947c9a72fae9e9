import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeCsv } from "../formats/csv.ts";
import { encodeNpy } from "../formats/npy.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import { encodedPoints, type PointFormat } from "./points-text.ts";

const COLUMNS = ["x", "y", 'a "name"'];

async function written(points: FloatTensor, size: number, format: PointFormat): Promise<Buffer> {
  const count = points.data.length / COLUMNS.length;
  function* groups(): Generator<FloatTensor> {
    for (let first = 0; first < count; first += size) {
      const end = Math.min(count, first + size);
      yield floatTensor(points.data.slice(first * 3, end * 3), [end - first, 3]);
    }
  }
  const parts: Buffer[] = [];
  for await (const part of encodedPoints({ columns: COLUMNS, count, groups: groups() }, format, { seed: 3 })) {
    parts.push(Buffer.from(part as Uint8Array));
  }
  return Buffer.concat(parts);
}

test("groups of any size give the bytes of the whole", async () => {
  const values = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 3, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(values, fc.integer({ min: 1, max: 21 }), async (some, size) => {
      const count = Math.floor(some.length / 3);
      const points = floatTensor(Float32Array.from(some.slice(0, 3 * count)), [count, 3]);
      expect((await written(points, size, "csv")).toString()).toBe(encodeCsv(COLUMNS, points));
      expect((await written(points, size, "npy")).equals(encodeNpy(points))).toBe(true);
      const json = JSON.parse((await written(points, size, "json")).toString()) as { points: number[][] };
      expect(json).toMatchObject({ seed: 3, columns: COLUMNS });
      // Through text −0 becomes 0.
      expect(json.points.flat().map((value) => Math.fround(value) + 0)).toEqual(Array.from(points.data, (x) => x + 0));
    }),
  );
});
