import { describe, expect, it, test } from "vitest";
import { fitStandardiser, standardise, type Standardiser } from "../data/standardise.ts";
import { toySupport } from "../data/toy-support.ts";
import { toyDatasets, toyNames, type ToyName } from "../data/toy.ts";
import { mixtureLogDensity } from "../diffusion/oracles/mixture-denoiser.ts";
import { mixtureEntropy } from "../diffusion/oracles/mixture-draws.ts";
import type { GaussianMixture } from "../diffusion/oracles/mixture.ts";
import { linearSchedule } from "../diffusion/schedule.ts";
import { at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { meanOf, type MeanEstimate } from "../math/running-mean.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import { toyMixture } from "./toy-oracle.ts";

const schedule = linearSchedule();
/** Noise to test with and another that must be told from it: a curve shows its noise everywhere, an area at its edges only. */
const noises: Readonly<Record<ToyName, readonly [right: number, wrong: number]>> = {
  "swiss-roll": [0.05, 0.06],
  moons: [0.05, 0.06],
  cross: [0.04, 0.08],
  circles: [0.05, 0.06],
  spirals: [0.1, 0.12],
  "s-curve": [0.08, 0.1],
  pinwheel: [0.1, 0.12],
  checkerboard: [0.05, 0.1],
  "8-gaussians": [0.125, 0.15],
  "25-gaussians": [0.1, 0.12],
};
const areas: readonly ToyName[] = ["cross", "checkerboard"];
const inCells = toyNames.filter((name) => !name.endsWith("-gaussians"));

/** ∫ p over the square of half side `reach`, by the midpoint rule. */
function integral(mixture: GaussianMixture, reach: number, spacing: number): number {
  const side = Math.round((2 * reach) / spacing);
  const grid = Float64Array.from({ length: side * side * 2 }, (_, i) => {
    const cell = i >> 1;
    return ((i % 2 === 0 ? cell % side : Math.floor(cell / side)) + 0.5) * spacing - reach;
  });
  const logs = mixtureLogDensity(mixture, schedule, { dtype: "float64", shape: [side * side, 2], data: grid }, -1);
  return logs.reduce((sum, log) => sum + Math.exp(log), 0) * spacing ** 2;
}

function likelihood(mixture: GaussianMixture, points: FloatTensor): MeanEstimate {
  return meanOf(mixtureLogDensity(mixture, schedule, points, -1));
}

/** How many standard errors the points' mean log-likelihood lies from that of the mixture's own draws. */
function surprise(judge: GaussianMixture, points: FloatTensor): number {
  const entropy = mixtureEntropy(judge, { count: at(points.shape, 0), random: new Random(5, "metric") });
  const { mean, standardError } = likelihood(judge, points);
  return Math.abs(mean + entropy.mean) / Math.hypot(standardError, entropy.standardError);
}

function drawnFrom(name: ToyName): { noise: number; wrong: number; points: FloatTensor; standardiser: Standardiser } {
  const [noise, wrong] = noises[name];
  const points = toyDatasets[name].generate({ count: 4000, noise, seed: 21 });
  return { noise, wrong, points, standardiser: fitStandardiser(floatTensor(points.data.slice(0, 1000), [500, 2])) };
}

describe.each(toyNames)("%s as a mixture", (name) => {
  const { noise, wrong, points, standardiser } = drawnFrom(name);

  it("has a density of integral 1", () => {
    const mixture = toyMixture(name, { noise });
    expect(Math.abs(integral(mixture, 2.4, noise) - 1)).toBeLessThan(1e-3);
    expect(integral(mixture, 0.9, noise)).toBeLessThan(1 - 1e-2);
  });

  it("gives the generator's points the likelihood of its own draws, and another noise does not", () => {
    const standardised = standardise(points, standardiser);
    expect(surprise(toyMixture(name, { noise, standardiser }), standardised)).toBeLessThan(4);
    expect(surprise(toyMixture(name, { noise: wrong, standardiser }), standardised)).toBeGreaterThan(4);
  });

  it("changes units with the standardiser: p(z) = p(x) · ∏ scale", () => {
    const some = floatTensor(points.data.slice(0, 100), [50, 2]);
    const raw = mixtureLogDensity(toyMixture(name, { noise }), schedule, some, -1);
    const own = mixtureLogDensity(
      toyMixture(name, { noise, standardiser }),
      schedule,
      standardise(some, standardiser),
      -1,
    );
    const jacobian = standardiser.scale.reduce((sum, scale) => sum + Math.log(scale), 0);
    own.forEach((log, i) => expect(Math.abs(log - at(raw, i) - jacobian)).toBeLessThan(1e-3));
  });
});

it.each(inCells)(
  "%s does not depend on its cells: smaller ones change the density by less than 10⁻³ of its peak",
  (name) => {
    const { noise, points } = drawnFrom(name);
    const some = floatTensor(points.data.slice(0, 600), [300, 2]);
    const density = (spacing?: number): Float64Array => {
      const options = spacing === undefined ? { noise } : { noise, spacing };
      return mixtureLogDensity(toyMixture(name, options), schedule, some, -1).map(Math.exp);
    };
    const finer = density(noise / (areas.includes(name) ? 2 : 10));
    const peak = Math.max(...finer);
    const worst = (other: Float64Array): number =>
      other.reduce((most, p, i) => Math.max(most, Math.abs(p - at(finer, i))), 0) / peak;
    expect(worst(density())).toBeLessThan(1e-3);
    expect(worst(density(8 * noise))).toBeGreaterThan(1e-3);
  },
);

it.each(["spirals", "pinwheel"] as const)("%s has weights that the points tell from even ones", (name) => {
  const { noise, points } = drawnFrom(name);
  const mixture = toyMixture(name, { noise });
  expect(mixture.weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
  const even = { ...mixture, weights: mixture.weights.map(() => 1 / mixture.weights.length) };
  const own = mixtureLogDensity(mixture, schedule, points, -1);
  const other = mixtureLogDensity(even, schedule, points, -1);
  const { mean, standardError } = meanOf(own.map((log, i) => log - at(other, i)));
  expect(mean / standardError).toBeGreaterThan(4);
});

it.each([
  ["8-gaussians", 8, 0.125],
  ["25-gaussians", 25, 0.05],
] as const)("%s are %i Gaussians of the noise, whatever the spacing", (name, count, usual) => {
  const { weights, variances, means } = toyMixture(name);
  expect([...weights]).toEqual(Array<number>(count).fill(1 / count));
  expect([...variances]).toEqual([usual ** 2, usual ** 2]);
  expect(toyMixture(name, { spacing: 1e-9 }).means).toEqual(means);
  const clean = toyDatasets[name].generate({ count: 1000, noise: 0, seed: 1 }).data;
  const rows = (values: ArrayLike<number>): string[] =>
    Array.from({ length: values.length / 2 }, (_, i) => `${at(values, 2 * i)} ${at(values, 2 * i + 1)}`);
  expect(new Set(rows(clean))).toEqual(new Set(rows(means)));
});

test("the checkerboard has 8 squares of cells, each inside a filled square", () => {
  const { points, cellVariance, weights } = toySupport("checkerboard", 0.125);
  expect([points.shape, weights]).toEqual([[8 * 16, 2], undefined]);
  expect(cellVariance).toBeCloseTo(0.125 ** 2 / 12, 12);
  const cells = Array.from({ length: 128 }, (_, i): [number, number] => [
    at(points.data, 2 * i),
    at(points.data, 2 * i + 1),
  ]);
  expect(new Set(cells.map(String)).size).toBe(128);
  expect(cells.every(([x, y]) => (Math.floor(2 * x) + Math.floor(2 * y)) % 2 === 0)).toBe(true);
  expect(Math.max(...points.data.map(Math.abs))).toBeCloseTo(1 - 0.125 / 2, 6);
});

test("the cross has 13 squares of cells, all on its bars", () => {
  const { points, cellVariance } = toySupport("cross", 0.1);
  expect(points.shape).toEqual([13 * 16, 2]);
  expect(cellVariance).toBeCloseTo(0.01 / 12, 12);
  expect(
    new Set(Array.from({ length: 208 }, (_, i) => `${at(points.data, 2 * i)} ${at(points.data, 2 * i + 1)}`)).size,
  ).toBe(208);
});

test("neighbours on the curves are no farther apart than the spacing, and near to it where the curve is fastest", () => {
  const curves = { "swiss-roll": 1, moons: 2, circles: 2, spirals: 2, "s-curve": 1, pinwheel: 5 };
  for (const [name, count] of Object.entries(curves) as [ToyName, number][]) {
    const { data } = toySupport(name, 0.01).points;
    const cells = data.length / 2 / count;
    const gaps = Array.from({ length: cells - 1 }, (_, i) =>
      Math.hypot(at(data, 2 * i + 2) - at(data, 2 * i), at(data, 2 * i + 3) - at(data, 2 * i + 1)),
    );
    expect(Math.max(...gaps)).toBeLessThan(0.01 + 1e-6);
    expect(Math.max(...gaps)).toBeGreaterThan(0.0095);
  }
});

test("refuses sets without noise and cells without end", () => {
  expect(() => toyMixture("moons", { noise: 0 })).toThrow(/noise: expected/);
  expect(() => toyMixture("cross", { spacing: 0 })).toThrow(/spacing/);
  expect(() => toyMixture("cross", { noise: 1e-4 })).toThrow(/at most 200000 cells/);
  for (const name of inCells) expect(() => toyMixture(name, { noise: 1e-5 })).toThrow(/at most 200000 cells/);
});
