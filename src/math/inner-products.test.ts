import fc from "fast-check";
import { expect, test } from "vitest";
import { at } from "./error.ts";
import { innerProducts } from "./inner-products.ts";
import { Random } from "./random.ts";

function draws(count: number, seed: number): Float64Array {
  const out = new Float64Array(count);
  new Random(seed, "data").normals(out, 1);
  return out;
}

test("every product, for rows of any number, block edges included", () => {
  const sizes = fc.record({ m: fc.integer({ min: 0, max: 9 }), n: fc.integer({ min: 0, max: 9 }) });
  fc.assert(
    fc.property(sizes, fc.constantFrom(1, 3, 4000, 20_000), ({ m, n }, width) => {
      const [x, y] = [draws(m * width, 1), draws(n * width, 2)];
      const out = innerProducts(x, y, width, new Float64Array(m * n).fill(NaN));
      for (let i = 0; i < m * n; i++) {
        const [row, column] = [Math.floor(i / n) * width, (i % n) * width];
        const expected = x.subarray(row, row + width).reduce((sum, value, k) => sum + value * at(y, column + k), 0);
        expect(at(out, i)).toBe(expected);
      }
    }),
    { numRuns: 30 },
  );
});
