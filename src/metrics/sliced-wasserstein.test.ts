import { expect, test } from "vitest";
import { at } from "../math/error.ts";
import { type FloatTensor, floatTensor } from "../tensor/tensor.ts";
import { slicedWasserstein2 } from "./sliced-wasserstein.ts";
import { gaussianPoints, meanAndError, moved } from "./test-points.ts";
import { wasserstein2 } from "./wasserstein.ts";

test("is W2 itself in one dimension", () => {
  const a = gaussianPoints(1, 200, 1);
  const b = gaussianPoints(2, 200, 1, 1, 3);
  expect(slicedWasserstein2(a, b, { seed: 0 })).toBe(wasserstein2(a, b));
});

test.each([2, 3, 8])("a shift by c in %d dimensions is |c|/√D away", (width) => {
  const c = Array.from({ length: width }, (_, axis) => axis - 0.5);
  const a = gaussianPoints(5, 100, width);
  const distance = slicedWasserstein2(a, moved(a, c), { seed: 3, projections: 2 * width });
  expect(distance).toBeCloseTo(Math.hypot(...c) / Math.sqrt(width), 5);
});

test("symmetric, zero on itself, at most W2/√D", () => {
  const a = gaussianPoints(1, 150, 2);
  const b = gaussianPoints(2, 150, 2, 0.5, 2);
  expect(slicedWasserstein2(a, b, { seed: 1 })).toBe(slicedWasserstein2(b, a, { seed: 1 }));
  expect(slicedWasserstein2(a, a, { seed: 1 })).toBe(0);
  expect(slicedWasserstein2(a, b, { seed: 1 })).toBeLessThanOrEqual(wasserstein2(a, b) / Math.SQRT2);
});

/** W2² along each of many evenly spaced angles: the average over the circle by quadrature. */
function circleAverage(a: FloatTensor, b: FloatTensor): number {
  const angles = 2000;
  const along = ({ data }: FloatTensor, angle: number) => {
    const n = data.length / 2;
    const projected = (i: number) => Math.cos(angle) * at(data, 2 * i) + Math.sin(angle) * at(data, 2 * i + 1);
    return floatTensor(
      Float32Array.from({ length: n }, (_, i) => projected(i)),
      [n, 1],
    );
  };
  let sum = 0;
  for (let k = 0; k < angles; k++) {
    const angle = (Math.PI * k) / angles;
    sum += wasserstein2(along(a, angle), along(b, angle)) ** 2;
  }
  return sum / angles;
}

test("few directions are an unbiased estimate of all", () => {
  const a = gaussianPoints(1, 40, 2);
  const b = floatTensor(
    gaussianPoints(2, 40, 2).data.map((value, k) => (k % 2 === 0 ? 3 * value : 1)),
    [40, 2],
  );
  const truth = circleAverage(a, b);
  const estimates = Array.from({ length: 400 }, (_, seed) => slicedWasserstein2(a, b, { seed, projections: 1 }) ** 2);
  const { mean, error } = meanAndError(estimates);
  expect(Math.abs(mean - truth)).toBeLessThan(4 * error);
  expect(Math.abs(mean - 2 * truth)).toBeGreaterThan(4 * error); // directions that are not normalised
  const group = Array.from({ length: 400 }, (_, seed) => slicedWasserstein2(a, b, { seed, projections: 2 }) ** 2);
  expect(Math.abs(meanAndError(group).mean - truth)).toBeLessThan(4 * meanAndError(group).error);
  expect(meanAndError(group).error).toBeLessThan(error / Math.SQRT2); // better than two independent directions
});

test("bad options are named", () => {
  const a = gaussianPoints(1, 3, 2);
  expect(() => slicedWasserstein2(a, a, { seed: 0, projections: 0 })).toThrow(
    /projections must be an integer ≥ 1, got 0/,
  );
  expect(() => slicedWasserstein2(a, a, { seed: -1 })).toThrow(/seed/);
});
