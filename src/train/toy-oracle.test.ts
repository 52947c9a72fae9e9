import { describe, expect, it, test } from "vitest";
import { fitStandardiser, standardise } from "../data/standardise.ts";
import { toySupport } from "../data/toy-support.ts";
import { toyDatasets, type ToyName } from "../data/toy.ts";
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
const names: readonly ToyName[] = ["swiss-roll", "moons", "cross"];
const noises: Readonly<Record<ToyName, number>> = { "swiss-roll": 0.05, moons: 0.05, cross: 0.04 };

/** The bars' edges show the cross's noise, the whole of a curve its own. */
const wrongNoises: Readonly<Record<ToyName, number>> = { "swiss-roll": 0.06, moons: 0.06, cross: 0.08 };

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

describe.each(names)("%s as a mixture", (name) => {
  const noise = noises[name];
  const count = 4000;
  const points = toyDatasets[name].generate({ count, noise, seed: 21 });
  const standardiser = fitStandardiser(toyDatasets[name].generate({ count: 500, noise, seed: 4 }));

  it("has a density of integral 1", () => {
    const whole = integral(toyMixture(name, { noise }), 2.4, noise);
    expect(Math.abs(whole - 1)).toBeLessThan(1e-3);
    expect(integral(toyMixture(name, { noise }), 0.9, noise)).toBeLessThan(1 - 1e-2);
  });

  it("gives the generator's points the likelihood of its own draws, and another noise does not", () => {
    const mixture = toyMixture(name, { noise, standardiser });
    const surprise = (judge: GaussianMixture): number => {
      const entropy = mixtureEntropy(judge, { count, random: new Random(5, "metric") });
      const { mean, standardError } = likelihood(judge, standardise(points, standardiser));
      return Math.abs(mean + entropy.mean) / Math.hypot(standardError, entropy.standardError);
    };
    expect(surprise(mixture)).toBeLessThan(4);
    expect(surprise(toyMixture(name, { noise: wrongNoises[name], standardiser }))).toBeGreaterThan(4);
  });

  it("does not depend on the cells: half the spacing changes the density by less than 10⁻³ of its peak", () => {
    const spacing = name === "cross" ? noise : noise / 5;
    const some = floatTensor(points.data.slice(0, 600), [300, 2]);
    const density = (cells: number): Float64Array =>
      mixtureLogDensity(toyMixture(name, { noise, spacing: cells }), schedule, some, -1).map(Math.exp);
    const [usual, finer] = [density(spacing), density(spacing / 2)];
    const peak = Math.max(...finer);
    const worst = usual.reduce((most, p, i) => Math.max(most, Math.abs(p - at(finer, i))), 0);
    expect(worst).toBeLessThan(1e-3 * peak);
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

test("the cross has 13 squares of cells, all on its bars", () => {
  const { points, cellVariance } = toySupport("cross", 0.1);
  expect(points.shape).toEqual([13 * 16, 2]);
  expect(cellVariance).toBeCloseTo(0.01 / 12, 12);
  expect(
    new Set(Array.from({ length: 208 }, (_, i) => `${at(points.data, 2 * i)} ${at(points.data, 2 * i + 1)}`)).size,
  ).toBe(208);
});

test("neighbours on the curves are no farther apart than the spacing, and near to it where the curve is fastest", () => {
  for (const name of ["swiss-roll", "moons"] as const) {
    const { data } = toySupport(name, 0.01).points;
    const half = name === "moons" ? data.length / 2 : data.length;
    const gaps = Array.from({ length: half / 2 - 1 }, (_, i) =>
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
  expect(() => toyMixture("moons", { noise: 1e-5 })).toThrow(/at most 200000 cells/);
});
