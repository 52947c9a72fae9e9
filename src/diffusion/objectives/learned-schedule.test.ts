import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { add, constant, div, input, mul, tanh } from "../../graph/builders.ts";
import { evaluate } from "../../graph/evaluate.ts";
import { grad } from "../../graph/grad.ts";
import { at } from "../../math/error.ts";
import { Random } from "../../math/random.ts";
import { alphaCumprodAt, noiseVarianceAt } from "../schedule.ts";
import { learnedScheduleLoss, scheduleFromGammas, type NoiseCurve } from "./learned-schedule.ts";
import { batchLoss, type BatchLoss, type LossReduction } from "./objective.ts";

const T = 6;
const D = 2;
const steps = [2, 0, 5, 3, 1, 4];

function draws(address: number): number[] {
  const out = new Float64Array(T * D);
  new Random(6, "metric").normals(out, out.length, 0, address);
  return [...out];
}

const [x0, eps] = [draws(0), draws(1)];
const batch = { x0: constant(x0, [T, D]), eps: constant(eps, [T, D]), steps: constant(steps, [T], "int32") };

const names = ["start", "span", "bend", "network"] as const;
type Weights = Record<(typeof names)[number], number>;
const weights: Weights = { start: -6, span: 9, bend: 0.7, network: 0.4 };
const leaves = names.map((name) => input(name, [1, 1]));
const [start, span, bend, network] = leaves as [
  (typeof leaves)[0],
  (typeof leaves)[0],
  (typeof leaves)[0],
  (typeof leaves)[0],
];

/** (t² + bend·t)/(1 + bend): rises from 0 to 1 where bend > 0. */
const curve: NoiseCurve = { start, span, part: (t) => div(add(mul(t, t), mul(bend, t)), add(bend, 1)) };

const gammaAt = (step: number, w: Weights): number => {
  const t = step / (T - 1);
  return w.start + (w.span * (t * t + w.bend * t)) / (1 + w.bend);
};

const bound = (prediction: "eps" | "x0" | "v" = "eps", lossReduction: LossReduction = "mean"): BatchLoss =>
  learnedScheduleLoss(batch, curve, (xt) => tanh(mul(network, xt)), { timesteps: T, prediction, lossReduction });

const feedsOf = (w: Weights): Record<string, number[]> =>
  Object.fromEntries(Object.entries(w).map(([name, value]) => [name, [value]]));
const number = (node: BatchLoss["loss"], w: Weights = weights): number =>
  at(at(evaluate([node], feedsOf(w)), 0).data, 0);

/** T·L_k of each row in plain numbers, in bits per dimension. */
function rowsByHand(w: Weights): number[] {
  return steps.map((step, row) => {
    const gamma = gammaAt(step, w);
    const factor = step === 0 ? 1 + Math.exp(gamma) : Math.expm1(gamma - gammaAt(step - 1, w));
    const [signal, noise] = [1 / (1 + Math.exp(gamma)), 1 / (1 + Math.exp(-gamma))].map(Math.sqrt) as [number, number];
    const squares = [0, 1].map((d) => {
      const i = row * D + d;
      const xt = signal * at(x0, i) + noise * at(eps, i);
      return (at(eps, i) - Math.tanh(w.network * xt)) ** 2;
    });
    return ((T / 2) * factor * (at(squares, 0) + at(squares, 1))) / D / Math.LN2;
  });
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

function differences(of: (w: Weights) => number, name: keyof Weights): number {
  const h = 1e-5;
  return (of({ ...weights, [name]: weights[name] + h }) - of({ ...weights, [name]: weights[name] - h })) / (2 * h);
}

describe("learnedScheduleLoss over every step once", () => {
  const schedule = scheduleFromGammas(Array.from({ length: T }, (_, step) => gammaAt(step, weights)));
  const predict = (xt: BatchLoss["loss"]): BatchLoss["loss"] => tanh(mul(weights.network, xt));

  it.each(["eps", "x0", "v"] as const)("predicting %s is the bound of the schedule it stands for", (prediction) => {
    const options = { objective: "vlb", variance: "small", firstLogVariance: "beta", prediction } as const;
    const expected = number(batchLoss(batch, schedule, predict, options).loss);
    // There L_T is that of data with unit variance.
    const moment = mean(x0.map((value) => value * value)) - 1;
    const prior = (alphaCumprodAt(schedule, T - 1) * moment) / 2 / Math.LN2;
    expect(number(bound(prediction).loss)).toBeCloseTo(expected + prior, 9);
    expect(number(bound(prediction, "sum").loss)).toBeCloseTo(D * (expected + prior), 9);
    expect(Math.abs(prior)).toBeGreaterThan(1e-4);
  });

  it("has other values for another curve", () => {
    const { loss } = bound();
    for (const name of names)
      expect(number(loss, { ...weights, [name]: weights[name] + 0.1 })).not.toBeCloseTo(number(loss), 3);
  });
});

describe("its descent", () => {
  const { loss, descent } = bound();
  const slopes = evaluate(grad(descent ?? loss, leaves), feedsOf(weights)).map(({ data }) => at(data, 0));
  const slopeOf = (name: keyof Weights): number => at(slopes, names.indexOf(name));

  it.each(["start", "span", "network"] as const)("has the bound's slope in %s", (name) => {
    expect(slopeOf(name)).toBeCloseTo(
      differences((w) => number(loss, w), name),
      6,
    );
  });

  it("has the slope of 0.001·mean(L²) in the interior, not that of the bound", () => {
    const squares = (w: Weights): number => 1e-3 * mean(rowsByHand(w).map((value) => value ** 2));
    expect(slopeOf("bend")).toBeCloseTo(differences(squares, "bend"), 6);
    expect(Math.abs(slopeOf("bend") - differences((w) => mean(rowsByHand(w)), "bend"))).toBeGreaterThan(1e-2);
  });

  it("comes with a bound that the interior does not move", () => {
    const [slope] = evaluate(grad(loss, [bend]), feedsOf(weights));
    expect(slope?.data).toEqual(Float64Array.of(0));
  });
});

describe("scheduleFromGammas", () => {
  it("has ᾱ = σ(−γ)", () => {
    const gammas = fc
      .array(fc.double({ min: 1e-3, max: 2, noNaN: true }), { minLength: 1, maxLength: 30 })
      .map((rises) => rises.reduce<number[]>((all, rise) => [...all, (all.at(-1) ?? -12) + rise], []));
    fc.assert(
      fc.property(gammas, (all) => {
        const schedule = scheduleFromGammas(all);
        all.forEach((gamma, step) => {
          expect(alphaCumprodAt(schedule, step) * (1 + Math.exp(gamma))).toBeCloseTo(1, 10);
          expect(noiseVarianceAt(schedule, step) * (1 + Math.exp(-gamma))).toBeCloseTo(1, 10);
        });
      }),
    );
  });

  it("refuses γ that falls", () => {
    expect(() => scheduleFromGammas([-3, -4])).toThrow(/betas\[1\]/);
  });
});

it.each([
  [{ timesteps: 1 }, /timesteps: a learned schedule has two ends/],
  [{ timesteps: 5, prediction: "mean" as const }, /prediction: .*expected eps, x0, v, got mean/],
])("refuses %o", (options, message) => {
  expect(() => learnedScheduleLoss(batch, curve, (xt) => xt, options)).toThrow(message);
});
