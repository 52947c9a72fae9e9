import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { at } from "../../math/error.ts";
import { Random } from "../../math/random.ts";
import { energyDistance } from "../../metrics/energy.ts";
import { floatTensor, type FloatTensor, type Tensor } from "../../tensor/tensor.ts";
import { gaussianDenoiser, idealDenoiser } from "../oracle.ts";
import { seededNoise } from "../noise.ts";
import { finalSample } from "../sampler.ts";
import { ddim } from "../samplers/ddim.ts";
import { alphaCumprodAt, linearSchedule, noiseVarianceAt, scheduleFromBetas } from "../schedule.ts";
import {
  mixtureDenoiser,
  mixtureEpsTrace,
  mixtureEpsVjp,
  mixtureLogDensity,
  mixturePosteriorMean,
  mixturePosteriorTrace,
  mixtureScore,
} from "./mixture-denoiser.ts";
import { sampleMixture } from "./mixture-draws.ts";
import { gaussianMixture, pointMixture, type Covariance, type GaussianMixture } from "./mixture.ts";

const schedule = linearSchedule();

const isotropic = gaussianMixture({
  means: [
    [-1, 0.5],
    [1, 0],
    [0, 2],
  ],
  covariances: [0.1, 0.2, 0.05],
  weights: [1, 2, 3],
});
const shared = gaussianMixture({
  means: [
    [-1, 0.5],
    [1, 0],
    [0, 2],
  ],
  covariances: [[0.1, 0.3]],
});
const means = [
  [-1, 0.5],
  [1, 0],
];
const covariances = [
  [
    [0.3, 0.2],
    [0.2, 0.4],
  ],
  [
    [0.5, -0.1],
    [-0.1, 0.1],
  ],
];
const full = gaussianMixture({ means, covariances, weights: [0.3, 0.7] });
const sharedFull = gaussianMixture({ means, covariances: covariances.slice(0, 1) });
const mixtures: [name: string, mixture: GaussianMixture][] = [
  ["isotropic", isotropic],
  ["shared diagonal", shared],
  ["full", full],
  ["shared full", sharedFull],
];

function real(data: readonly number[], width = 2): Tensor<"float64"> {
  return { dtype: "float64", shape: [data.length / width, width], data: Float64Array.from(data) };
}

/** Σ_k w_k N(x; √ᾱ m_k, ᾱ Σ_k + (1 − ᾱ) I) in two dimensions, written out with determinant and inverse. */
function density(means: number[][], covariances: number[][][], weights: number[], abar: number, x: number[]): number {
  return weights.reduce((sum, weight, k) => {
    const [[a = 0, b = 0] = [], [, d = 0] = []] = covariances[k] ?? [];
    const [p, q, r] = [abar * a + 1 - abar, abar * b, abar * d + 1 - abar];
    const determinant = p * r - q * q;
    const [u, v] = x.map((value, i) => value - Math.sqrt(abar) * (means[k]?.[i] ?? NaN)) as [number, number];
    const squares = (r * u * u - 2 * q * u * v + p * v * v) / determinant;
    return sum + (weight * Math.exp(-squares / 2)) / (2 * Math.PI * Math.sqrt(determinant));
  }, 0);
}

test("log density of full covariances is that of the formula, at the data and under noise", () => {
  for (const step of [-1, 0, 200, 999]) {
    for (const x of [
      [0, 0],
      [1.5, -2],
      [-1, 0.4],
    ]) {
      const expected = Math.log(density(means, covariances, [0.3, 0.7], alphaCumprodAt(schedule, step), x));
      expect(at(mixtureLogDensity(full, schedule, real(x), step), 0)).toBeCloseTo(expected, 11);
    }
  }
});

test("a covariance means the same as a number, a diagonal or a matrix", () => {
  const means = [
    [0, 1, 2],
    [1, -1, 0],
  ];
  const of = (covariance: Covariance): GaussianMixture =>
    gaussianMixture({ means, covariances: [covariance, covariance] });
  const x = real([0.3, -0.2, 1, 4, 5, 6], 3);
  const same: Covariance[] = [
    0.25,
    [0.25, 0.25, 0.25],
    [
      [0.25, 0, 0],
      [0, 0.25, 0],
      [0, 0, 0.25],
    ],
  ];
  const [first, ...rest] = same.map((covariance) => mixtureLogDensity(of(covariance), schedule, x, 50));
  const once = mixtureLogDensity(gaussianMixture({ means, covariances: [0.25] }), schedule, x, 50);
  for (const other of [...rest, once]) other.forEach((log, i) => expect(log).toBeCloseTo(at(first ?? [], i), 11));
});

describe.each(mixtures)("derivatives of a mixture, %s", (_name, mixture) => {
  const coordinate = fc.double({ min: -3, max: 3, noNaN: true });
  const place = fc.tuple(coordinate, coordinate);
  const steps = fc.constantFrom(-1, 0, 30, 300, 999);
  const h = 1e-4;

  it("score is the slope of the log density", () => {
    fc.assert(
      fc.property(place, steps, ([x, y], step) => {
        const [left, right, below, above] = mixtureLogDensity(
          mixture,
          schedule,
          real([x - h, y, x + h, y, x, y - h, x, y + h]),
          step,
        );
        const score = mixtureScore(mixture, schedule, real([x, y]), step).data;
        const scale = 1e-5 * (1 + Math.hypot(...score));
        expect(Math.abs(at(score, 0) - ((right ?? NaN) - (left ?? NaN)) / (2 * h))).toBeLessThan(scale);
        expect(Math.abs(at(score, 1) - ((above ?? NaN) - (below ?? NaN)) / (2 * h))).toBeLessThan(scale);
      }),
    );
  });

  it("vjp is the slope of ε along v, and the trace is the sum of its diagonal", () => {
    const eps = (x: number, y: number, step: number): Float64Array =>
      mixtureScore(mixture, schedule, real([x, y]), step).data.map(
        (score) => -Math.sqrt(noiseVarianceAt(schedule, step)) * score,
      );
    fc.assert(
      fc.property(place, place, steps, ([x, y], [a, b], step) => {
        const forward = eps(x + h * a, y + h * b, step);
        const backward = eps(x - h * a, y - h * b, step);
        const vjp = mixtureEpsVjp(mixture, schedule, real([x, y]), step, real([a, b])).data;
        const tolerance = 1e-4 * (1 + Math.hypot(...vjp));
        vjp.forEach((value, i) => {
          expect(Math.abs(value - (at(forward, i) - at(backward, i)) / (2 * h))).toBeLessThan(tolerance);
        });
        const [first, second] = [real([1, 0]), real([0, 1])].map(
          (unit) => mixtureEpsVjp(mixture, schedule, real([x, y]), step, unit).data,
        );
        const trace = at(mixtureEpsTrace(mixture, schedule, real([x, y]), step), 0);
        expect(trace).toBeCloseTo(at(first ?? [], 0) + at(second ?? [], 1), 9);
      }),
    );
  });

  it("Tweedie: E[x_0|x_t] = (x_t + (1 − ᾱ) score)/√ᾱ, and tr Cov = (1 − ᾱ)/ᾱ · (D − √(1 − ᾱ) tr J)", () => {
    fc.assert(
      fc.property(place, fc.constantFrom(0, 30, 300), ([x, y], step) => {
        const [abar, n] = [alphaCumprodAt(schedule, step), noiseVarianceAt(schedule, step)];
        const score = mixtureScore(mixture, schedule, real([x, y]), step).data;
        const mean = mixturePosteriorMean(mixture, schedule, real([x, y]), step).data;
        [x, y].forEach((value, i) => {
          expect(Math.abs(at(mean, i) - (value + n * at(score, i)) / Math.sqrt(abar))).toBeLessThan(1e-10);
        });
        const trace = at(mixtureEpsTrace(mixture, schedule, real([x, y]), step), 0);
        const covariance = at(mixturePosteriorTrace(mixture, schedule, real([x, y]), step), 0);
        expect(Math.abs(covariance - (n / abar) * (2 - Math.sqrt(n) * trace))).toBeLessThan(1e-9);
      }),
    );
  });

  it("expectations of the posterior are those of the data (laws of total expectation and variance)", () => {
    const [step, count] = [150, 6000];
    const [signal, noise] = [Math.sqrt(alphaCumprodAt(schedule, step)), Math.sqrt(noiseVarianceAt(schedule, step))];
    const x0 = sampleMixture(mixture, count, new Random(3, "data")).data;
    const z = new Float64Array(x0.length);
    new Random(3, "noise").normals(z, 2);
    const xt = real(Array.from(x0, (x, i) => signal * x + noise * at(z, i)));
    const mean = mixturePosteriorMean(mixture, schedule, xt, step).data;
    const trace = mixturePosteriorTrace(mixture, schedule, xt, step);
    const errors = Array.from(trace, (expected, row) => {
      const [dx, dy] = [at(x0, 2 * row) - at(mean, 2 * row), at(x0, 2 * row + 1) - at(mean, 2 * row + 1)];
      return { dx, dy, excess: dx * dx + dy * dy - expected, wrong: dx * dx + dy * dy - 1.15 * expected };
    });
    const surprise = (values: number[]): number => {
      const average = values.reduce((sum, value) => sum + value, 0) / count;
      const squares = values.reduce((sum, value) => sum + (value - average) ** 2, 0);
      return (Math.abs(average) * count) / Math.sqrt(squares);
    };
    expect(surprise(errors.map(({ dx }) => dx))).toBeLessThan(4);
    expect(surprise(errors.map(({ dy }) => dy))).toBeLessThan(4);
    expect(surprise(errors.map(({ excess }) => excess))).toBeLessThan(4);
    expect(surprise(errors.map(({ wrong }) => wrong))).toBeGreaterThan(4);
  });
});

test("posterior mean and variance in one dimension are those of quadrature", () => {
  const [means, variances, weights] = [
    [-1, 0.7],
    [0.04, 0.3],
    [0.4, 0.6],
  ];
  const mixture = gaussianMixture({ means: means.map((m) => [m]), covariances: variances, weights });
  for (const [step, x] of [
    [20, 0.1],
    [200, -0.5],
    [600, 2],
    [999, 0],
  ] as const) {
    const [abar, n] = [alphaCumprodAt(schedule, step), noiseVarianceAt(schedule, step)];
    let [mass, first, second] = [0, 0, 0];
    for (let x0 = -8; x0 <= 8; x0 += 0.002) {
      const prior = weights.reduce((sum, w, k) => {
        const s2 = at(variances, k);
        return sum + (w / Math.sqrt(s2)) * Math.exp(-((x0 - at(means, k)) ** 2) / (2 * s2));
      }, 0);
      const p = prior * Math.exp(-((x - Math.sqrt(abar) * x0) ** 2) / (2 * n));
      mass += p;
      first += p * x0;
      second += p * x0 * x0;
    }
    const expected = first / mass;
    expect(at(mixturePosteriorMean(mixture, schedule, real([x], 1), step).data, 0)).toBeCloseTo(expected, 9);
    const variance = second / mass - expected ** 2;
    expect(at(mixturePosteriorTrace(mixture, schedule, real([x], 1), step), 0)).toBeCloseTo(variance, 9);
  }
});

describe("limits", () => {
  const xt = floatTensor([0.5, -1, 3, 2, -80, 90], [3, 2]);
  const close = (a: FloatTensor, b: FloatTensor): void => {
    a.data.forEach((value, i) => expect(Math.abs(value - at(b.data, i))).toBeLessThan(1e-5 * (1 + Math.abs(value))));
  };

  it("one component is the Gaussian denoiser", () => {
    const gaussian = { mean: [1.5, -1], variance: [0.25, 2] };
    const mixture = gaussianMixture({ means: [gaussian.mean], covariances: [gaussian.variance] });
    for (const step of [0, 300, 999]) {
      close(mixtureDenoiser(mixture, schedule)(xt, step), gaussianDenoiser(gaussian, schedule)(xt, step));
    }
  });

  it("zero covariances, of whatever form, are the ideal denoiser", () => {
    const points = floatTensor([-1, 0, 1, 0, 0, 2], [3, 2]);
    const means = [
      [-1, 0],
      [1, 0],
      [0, 2],
    ];
    for (const covariances of [
      [0],
      [0, 0, 0],
      [[0, 0]],
      [
        [
          [0, 0],
          [0, 0],
        ],
      ],
    ]) {
      const mixture = gaussianMixture({ means, covariances });
      for (const step of [0, 300, 999]) {
        close(mixtureDenoiser(mixture, schedule)(xt, step), idealDenoiser(points, schedule)(xt, step));
      }
    }
  });

  it("at ᾱ_T = 0 ε is x_T, E[x_0|x_T] the mean of the data, and tr Cov its variance", () => {
    const terminal = scheduleFromBetas([0.1, 0.5, 1]);
    for (const [, mixture] of mixtures) {
      expect(mixtureDenoiser(mixture, terminal)(xt, 2).data).toEqual(xt.data);
      const rows = real([0.5, -1, 30, 2]);
      const [a, b, c, d] = mixturePosteriorMean(mixture, terminal, rows, 2).data;
      expect(a).toBeCloseTo(c ?? NaN, 12);
      expect(b).toBeCloseTo(d ?? NaN, 12);
      const expected = [0, 1].map((axis) =>
        mixture.weights.reduce((sum, weight, k) => sum + weight * at(mixture.means, 2 * k + axis), 0),
      );
      expect(a).toBeCloseTo(at(expected, 0), 12);
      expect(b).toBeCloseTo(at(expected, 1), 12);
    }
    const pair = gaussianMixture({ means: [[-2], [2]], covariances: [0.5] });
    expect(at(mixturePosteriorTrace(pair, terminal, real([7], 1), 2), 0)).toBeCloseTo(4.5, 12);
    expect(idealDenoiser(floatTensor([1, 2], [1, 2]), terminal)(xt, 2).data).toEqual(xt.data);
  });

  it("at the data E[x_0|x_0] is x_0, without covariance", () => {
    for (const [, mixture] of mixtures) {
      const mean = mixturePosteriorMean(mixture, schedule, real([0.3, -0.2]), -1).data;
      expect(at(mean, 0)).toBeCloseTo(0.3, 12);
      expect(at(mean, 1)).toBeCloseTo(-0.2, 12);
      expect(at(mixturePosteriorTrace(mixture, schedule, real([0.3, -0.2]), -1), 0)).toBeLessThan(1e-20);
    }
  });

  it("does not underflow far from all components", () => {
    const far = real([1e4, -1e4]);
    expect(at(mixtureLogDensity(isotropic, schedule, far, 0), 0)).toBeLessThan(-1e8);
    expect(mixtureScore(isotropic, schedule, far, 0).data.every(Number.isFinite)).toBe(true);
  });

  it("a weight of zero is as if the component were not there", () => {
    const with0 = gaussianMixture({
      means: [
        [0, 0],
        [3, 3],
      ],
      covariances: [0.1],
      weights: [1, 0],
    });
    const without = gaussianMixture({ means: [[0, 0]], covariances: [0.1] });
    close(mixtureDenoiser(with0, schedule)(xt, 10), mixtureDenoiser(without, schedule)(xt, 10));
    expect(sampleMixture(with0, 500, new Random(1, "data")).data.every((x) => Math.abs(x) < 2)).toBe(true);
  });

  it("tensors keep shape and type", () => {
    const pictures = floatTensor(new Float32Array(12).fill(0.5), [3, 1, 2, 2]);
    const mixture = gaussianMixture({ means: [[0, 0, 0, 0]], covariances: [1] });
    expect(mixtureDenoiser(mixture, schedule)(pictures, 5)).toMatchObject({ dtype: "float32", shape: [3, 1, 2, 2] });
    expect(mixtureScore(mixture, schedule, real([1, 2, 3, 4], 4), 5).data).toBeInstanceOf(Float64Array);
  });
});

describe("draws", () => {
  const target = full;
  const count = 3000;

  it("sample i is the same at every count and start", () => {
    const random = new Random(8, "data");
    const many = sampleMixture(target, 50, random).data;
    expect(sampleMixture(target, 7, random).data).toEqual(many.slice(0, 14));
    expect(sampleMixture(target, 20, random, 30).data).toEqual(many.slice(60));
  });

  it("have the mixture's mean and covariance", () => {
    const drawn = sampleMixture(target, 20_000, new Random(2, "data")).data;
    const pick = (axis: number): number[] => Array.from({ length: 20_000 }, (_, i) => at(drawn, 2 * i + axis));
    const [xs, ys] = [pick(0), pick(1)];
    // E x = 0.3·(−1) + 0.7·1, E y = 0.15; E xy = 0.3·(0.2 − 0.5) + 0.7·(−0.1).
    const surprise = (values: number[], expected: number): number => {
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
      return (Math.abs(mean - expected) * values.length) / Math.sqrt(squares);
    };
    expect(surprise(xs, 0.4)).toBeLessThan(4);
    expect(surprise(ys, 0.15)).toBeLessThan(4);
    const products = xs.map((x, i) => x * at(ys, i));
    expect(surprise(products, 0.3 * (0.2 - 0.5) + 0.7 * -0.1)).toBeLessThan(4);
    expect(surprise(products, 0.3 * (0.2 - 0.5) + 0.7 * 0.1)).toBeGreaterThan(4);
  });

  it("DDIM on the oracle lands on the mixture, and on a mixture of other weights it does not", async () => {
    const land = (mixture: GaussianMixture): Promise<FloatTensor> =>
      finalSample(
        ddim({ eta: 0 })({
          denoiser: mixtureDenoiser(mixture, schedule),
          schedule,
          shape: [count, 2],
          noise: seededNoise(4),
          steps: 60,
        }),
      );
    const reference = sampleMixture(target, count, new Random(31, "data"));
    const floors = [32, 33, 34, 35].map((seed) =>
      energyDistance(reference, sampleMixture(target, count, new Random(seed, "data"))),
    );
    const average = floors.reduce((sum, floor) => sum + floor ** 2, 0) / floors.length;
    const spread = Math.sqrt(floors.reduce((sum, floor) => sum + (floor ** 2 - average) ** 2, 0) / (floors.length - 1));
    const allowed = average + 6 * spread;
    expect(energyDistance(reference, await land(target)) ** 2).toBeLessThan(allowed);
    const other = gaussianMixture({ means, covariances, weights: [0.4, 0.6] });
    expect(energyDistance(reference, await land(other)) ** 2).toBeGreaterThan(allowed);
  });
});

test("refuses what is no mixture, and densities of points", () => {
  const means = [
    [0, 0],
    [1, 1],
  ];
  expect(() => gaussianMixture({ means: [], covariances: [] })).toThrow(/means: expected at least one row/);
  expect(() => gaussianMixture({ means: [[1], [1, 2]], covariances: [1] })).toThrow(/means/);
  expect(() => gaussianMixture({ means, covariances: [1, 1, 1] })).toThrow(/covariances: expected 1 or 2, got 3/);
  expect(() => gaussianMixture({ means, covariances: [-1] })).toThrow(/variance: expected 2 finite numbers ≥ 0/);
  expect(() => gaussianMixture({ means, covariances: [[1]] })).toThrow(/variance: expected 2/);
  expect(() =>
    gaussianMixture({
      means,
      covariances: [
        [
          [1, 2],
          [2, 1],
        ],
      ],
    }),
  ).toThrow(/covariance: expected eigenvalues ≥ 0/);
  expect(() =>
    gaussianMixture({
      means,
      covariances: [
        [
          [1, 2],
          [0, 1],
        ],
      ],
    }),
  ).toThrow(/symmetric/);
  expect(() => gaussianMixture({ means, covariances: [1], weights: [1] })).toThrow(/weights: expected 2/);
  expect(() => gaussianMixture({ means, covariances: [1], weights: [0, 0] })).toThrow(/weights/);
  expect(() => pointMixture(floatTensor([0, NaN], [1, 2]))).toThrow(/point 0, value 1/);
  expect(() => sampleMixture(isotropic, 0, new Random(1, "data"))).toThrow(/count/);
  const points = pointMixture(floatTensor([0, 1], [1, 2]));
  expect(() => mixtureLogDensity(points, schedule, real([0, 0]), -1)).toThrow(/no density without noise/);
  expect(() => mixtureDenoiser(isotropic, schedule)(floatTensor([1, 2], [1, 2]), -1)).toThrow(/step: expected/);
  expect(() => mixtureEpsVjp(isotropic, schedule, real([0, 0]), 3, real([0, 0, 0, 0]))).toThrow(/v: expected shape/);
  expect(() => mixtureScore(isotropic, schedule, real([0, 0, 0], 3), 3)).toThrow(/samples of 2 values/);
});
