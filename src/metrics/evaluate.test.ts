import { describe, expect, test } from "vitest";
import type { FloatTensor } from "../tensor/tensor.ts";
import { coverage } from "./coverage.ts";
import { energyDistance } from "./energy.ts";
import {
  evaluateSamples,
  measureFloors,
  type EvaluateProgress,
  type FloorOptions,
  type MetricTable,
} from "./evaluate.ts";
import { medianHeuristic, mmd } from "./mmd.ts";
import { slicedWasserstein2 } from "./sliced-wasserstein.ts";
import { gaussianPoints, moved } from "./test-points.ts";
import { wasserstein2 } from "./wasserstein.ts";

const n = 300;
const draw = (seed: number): FloatTensor => gaussianPoints(seed, n, 2);
const samples = draw(1);
const base: FloorOptions = {
  reference: draw(2),
  floorPairs: [
    [draw(3), draw(4)],
    [draw(5), draw(6)],
    [draw(7), draw(8)],
  ],
  seed: 11,
};

/** Floors and samples measured together, as a caller with one sampler does. */
async function measure(options: FloorOptions & { readonly samples?: FloatTensor }): Promise<MetricTable> {
  return evaluateSamples({ samples, ...options, floors: await measureFloors(options) });
}

function ratios({ metrics }: MetricTable): Record<string, number> {
  return Object.fromEntries(metrics.map(({ name, ratio }) => [name, ratio ?? NaN]));
}

describe("table", () => {
  test("holds every metric beside the median of its floors", async () => {
    const table = await measure(base);
    const bandwidth = medianHeuristic(base.reference);
    const direct = {
      w2: wasserstein2,
      slicedW2: (a: FloatTensor, b: FloatTensor) => slicedWasserstein2(a, b, { seed: 11 }),
      mmd: (a: FloatTensor, b: FloatTensor) => mmd(a, b, { bandwidth }),
      energy: energyDistance,
      coverage: (a: FloatTensor, b: FloatTensor) => coverage(a, b),
    };
    expect(table.count).toBe(n);
    expect(table.metrics.map(({ name }) => name)).toEqual(Object.keys(direct));
    for (const { name, value, floor, ratio, better } of table.metrics) {
      const floors = base.floorPairs.map(([a, b]) => direct[name](a, b)).sort((p, q) => p - q);
      expect(value).toBe(direct[name](base.reference, samples));
      expect(floor).toBe(floors[1]);
      expect(ratio).toBe(value / floor);
      expect(better).toBe(name === "coverage" ? "higher" : "lower");
    }
  });

  test("is plain JSON and the same for the same seed", async () => {
    const table = await measure(base);
    expect(JSON.parse(JSON.stringify(table))).toEqual(table);
    expect(await measure(base)).toEqual(table);
  });

  test("has ratios near 1 for fresh draws of the data, and far from it for shifted or shrunken samples", async () => {
    const good = ratios(await measure(base));
    const shifted = ratios(await measure({ ...base, samples: moved(samples, [1.5, 0]) }));
    const shrunken = ratios(await measure({ ...base, samples: gaussianPoints(1, n, 2, 0, 0.2) }));
    for (const name of ["w2", "slicedW2", "mmd", "energy"]) {
      expect(good[name]).toBeGreaterThan(0.5);
      expect(good[name]).toBeLessThan(1.7);
      expect(shifted[name]).toBeGreaterThan(3);
      expect(shrunken[name]).toBeGreaterThan(3);
    }
    expect(Math.abs((good["coverage"] ?? NaN) - 1)).toBeLessThan(0.05);
    expect(shrunken["coverage"]).toBeLessThan(0.5);
  });

  test("has no ratio to a floor of zero", async () => {
    const same = draw(9);
    const { metrics } = await measure({ ...base, floorPairs: [[same, same]] });
    expect(metrics[0]).toMatchObject({ name: "w2", floor: 0, ratio: null });
  });
});

test("reports progress and lets the event loop run", async () => {
  const seen: EvaluateProgress[] = [];
  let ticks = 0;
  const timer = setInterval(() => ticks++, 0);
  await measureFloors({ ...base, onProgress: (progress) => seen.push(progress) });
  clearInterval(timer);
  expect(seen.map(({ done }) => done)).toEqual(Array.from({ length: 15 }, (_, i) => i + 1));
  expect(seen.at(-1)).toEqual({ done: 15, total: 15, name: "coverage" });
  expect(ticks).toBeGreaterThan(5);
});

test("stops when it is aborted", async () => {
  const abort = new AbortController();
  const running = measureFloors({
    ...base,
    signal: abort.signal,
    onProgress: ({ done }) => {
      if (done === 2) abort.abort();
      expect(done).toBeLessThanOrEqual(2);
    },
  });
  await expect(running).rejects.toMatchObject({ code: "interrupted" });
});

test("bad sets are named", async () => {
  await expect(measureFloors({ ...base, floorPairs: [] })).rejects.toThrow(/at least one floor pair/);
  await expect(measure({ ...base, samples: gaussianPoints(1, 10, 2) })).rejects.toThrow(
    /\[300, 2\] and \[10, 2\]; draw equally many/,
  );
});
