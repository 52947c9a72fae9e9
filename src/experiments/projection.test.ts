import { describe, expect, it } from "vitest";
import { at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import { farthestRows } from "./farthest-points.ts";
import { axesOf, orderKept, projected, spearmanInterval } from "./projection.ts";

/** Gaussian points with deviations `long` along (cos, sin) of an angle and `short` across. */
function ellipse(angle: number, long: number, short: number): FloatTensor {
  const points = floatTensor(new Float32Array(2 * 4000), [4000, 2]);
  new Random(5, "data").normals(points.data, 2);
  for (let i = 0; i < points.data.length; i += 2) {
    const [u, v] = [long * at(points.data, i), short * at(points.data, i + 1)];
    points.data[i] = u * Math.cos(angle) - v * Math.sin(angle) + 3;
    points.data[i + 1] = u * Math.sin(angle) + v * Math.cos(angle) - 1;
  }
  return points;
}

describe("axes", () => {
  it("are the first column and the principal axis where that differs much", () => {
    const [first, principal] = axesOf(ellipse(1, 2, 0.5), ["x", "y"]);
    expect(first).toEqual({ name: "x", direction: [1, 0] });
    // The angle's deviation is √(λ₁λ₂/n)/(λ₁ − λ₂), 0.0042 here.
    expect(Math.abs(Math.atan2(at(principal?.direction ?? [], 1), at(principal?.direction ?? [], 0)) - 1)).toBeLessThan(
      0.02,
    );
    expect(principal?.name).toMatch(/^0\.5\d x \+ 0\.8\d y$/);
    expect(axesOf(ellipse(-1, 2, 0.5), ["x", "y"])[1]?.name).toMatch(/^0\.5\d x − 0\.8\d y$/);
  });

  it("are the first column alone where the principal axis is near to it, or chance", () => {
    expect(axesOf(ellipse(0.2, 2, 0.5), ["x", "y"])).toHaveLength(1);
    expect(axesOf(ellipse(1, 1.05, 1), ["x", "y"])).toHaveLength(1);
    expect(axesOf(floatTensor([1, 2, 3], [3, 1]), ["u"])).toEqual([{ name: "u", direction: [1] }]);
  });

  it("project", () => {
    const points = floatTensor([1, 2, 3, 4], [2, 2]);
    expect(Array.from(projected(points, { name: "", direction: [0.6, -0.8] }))).toEqual([
      expect.closeTo(-1, 6),
      expect.closeTo(-1.4, 6),
    ]);
  });
});

describe("order", () => {
  it("is kept by growing maps and turned by falling ones", () => {
    const start = floatTensor([0, 0, 1, 0, 2, 0, 5, 0], [4, 2]);
    const axis = { name: "x", direction: [1, 0] };
    const mapped = (f: (x: number) => number): FloatTensor => floatTensor(start.data.map(f), start.shape);
    expect(orderKept([start, mapped((x) => x ** 3)], axis)).toEqual({ axis: "x", correlations: [1, 1], sameOrder: 1 });
    expect(orderKept([start, mapped((x) => -x)], axis)).toMatchObject({ correlations: [1, -1], sameOrder: 0 });
  });

  it("has an interval that covers the truth as often as it says", () => {
    // With correlation r of two Gaussians Spearman's ρ is 6/π asin(r/2) (Pearson 1907).
    const [r, count, repetitions] = [0.8, 100, 400];
    const truth = (6 / Math.PI) * Math.asin(r / 2);
    const random = new Random(3, "metric");
    const draws = new Float64Array(2 * count);
    let covered = 0;
    let wronglyCovered = 0;
    for (let repetition = 0; repetition < repetitions; repetition++) {
      random.normals(draws, 2, 0, repetition);
      const [a, b] = [new Float32Array(count), new Float32Array(count)];
      for (let i = 0; i < count; i++) {
        a[i] = at(draws, 2 * i);
        b[i] = r * at(draws, 2 * i) + Math.sqrt(1 - r ** 2) * at(draws, 2 * i + 1);
      }
      const states = [floatTensor(a, [count, 1]), floatTensor(b, [count, 1])];
      const rho = at(orderKept(states, { name: "x", direction: [1] }).correlations, 1);
      const [low, high] = spearmanInterval(rho, count);
      if (low <= truth && truth <= high) covered++;
      if (low <= truth - 0.15 && truth - 0.15 <= high) wronglyCovered++;
    }
    const tolerance = 4 * Math.sqrt((0.95 * 0.05) / repetitions);
    expect(Math.abs(covered / repetitions - 0.95)).toBeLessThan(tolerance);
    expect(wronglyCovered / repetitions).toBeLessThan(0.95 - tolerance);
  });
});

describe("chosen rows", () => {
  it("start near the mean and take the farthest next", () => {
    const line = floatTensor([0, 1, 2, 3, 4, 9], [6, 1]);
    expect(farthestRows(line, 4)).toEqual([3, 5, 0, 1]);
    expect(farthestRows(line, 10)).toHaveLength(6);
  });
});
