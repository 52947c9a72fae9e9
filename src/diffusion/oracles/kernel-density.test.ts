import { describe, expect, it } from "vitest";
import { at } from "../../math/error.ts";
import { Random } from "../../math/random.ts";
import { floatTensor, type FloatTensor } from "../../tensor/tensor.ts";
import { linearSchedule } from "../schedule.ts";
import { kernelDensity, leaveOneOutBandwidth } from "./kernel-density.ts";
import { mixtureLogDensity } from "./mixture-denoiser.ts";

function normals(count: number, width: number, seed = 3): FloatTensor {
  const data = new Float32Array(count * width);
  new Random(seed, "data").normals(data, width);
  return floatTensor(data, [count, width]);
}

/** 1/n Σ_i log p_{−i}(x_i) by definition: one kernel density for each point left out. */
function leaveOneOut(points: FloatTensor, bandwidth: number): number {
  const [count = 0, width = 0] = points.shape;
  let total = 0;
  for (let i = 0; i < count; i++) {
    const rest = points.data.filter((_, entry) => Math.floor(entry / width) !== i);
    const own = floatTensor(points.data.slice(i * width, (i + 1) * width), [1, width]);
    const density = kernelDensity(floatTensor(rest, [count - 1, width]), bandwidth);
    total += at(mixtureLogDensity(density, linearSchedule(), own, -1), 0);
  }
  return total / count;
}

describe("bandwidth", () => {
  it.each([1, 2, 3])("makes the leave-one-out likelihood largest in %d dimensions", (width) => {
    const points = normals(60, width);
    const best = leaveOneOutBandwidth(points);
    const top = leaveOneOut(points, best);
    for (const factor of [0.2, 0.5, 0.98, 1.02, 2, 5]) expect(leaveOneOut(points, best * factor)).toBeLessThan(top);
  });

  it("grows with the points' unit", () => {
    const points = normals(80, 2);
    const wide = floatTensor(
      points.data.map((x) => 8 * x),
      points.shape,
    );
    expect(leaveOneOutBandwidth(wide) / leaveOneOutBandwidth(points)).toBeCloseTo(8, 5);
  });

  it("of more than 2000 points is that of 2000, brought to their number", () => {
    const many = normals(2500, 1);
    const rows = Array.from({ length: 2000 }, (_, i) => at(many.data, Math.floor(i * 1.25)));
    const few = leaveOneOutBandwidth(floatTensor(rows, [2000, 1]));
    expect(leaveOneOutBandwidth(many) / few).toBeCloseTo((2000 / 2500) ** (1 / 5), 6);
  });

  it("refuses what has none", () => {
    expect(() => leaveOneOutBandwidth(floatTensor([1], [1, 1]))).toThrow(/at least two points/);
    expect(() => leaveOneOutBandwidth(floatTensor([1, 1, 2, 2], [4, 1]))).toThrow(/exact double/);
    expect(() => kernelDensity(normals(5, 1), 0)).toThrow(/bandwidth: expected/);
  });
});
