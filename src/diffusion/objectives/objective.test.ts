import { describe, expect, it } from "vitest";
import { constant, input } from "../../graph/builders.ts";
import { evaluate } from "../../graph/evaluate.ts";
import { grad } from "../../graph/grad.ts";
import type { Node } from "../../graph/node.ts";
import { topologicalOrder } from "../../graph/traverse.ts";
import { at } from "../../math/error.ts";
import { Random } from "../../math/random.ts";
import { floatTensor } from "../../tensor/tensor.ts";
import { conversionBetween, parameterisations, type Parameterisation } from "../parameterisation.ts";
import { posteriorMeanCoefficients, posteriorVariance } from "../posterior.ts";
import { alphaCumprodAt, noiseVarianceAt, scheduleFromBetas, snr, type NoiseSchedule } from "../schedule.ts";
import { fixedLogVariance, learnedLogVariance, type FirstLogVariance } from "../variance.ts";
import { varianceKinds, type VarianceKind } from "./bound-terms.ts";
import { batchLoss, checkObjective, type BatchLoss, type ObjectiveOptions } from "./objective.ts";
import { weightingNames } from "./weighting.ts";

const T = 5;
const D = 2;
const schedule = scheduleFromBetas([0.02, 0.05, 0.2, 0.4, 0.7]);
const steps = [3, 0, 4, 2, 1];

function draws(count: number, address: number, scale = 1): number[] {
  const out = new Float64Array(count);
  new Random(5, "metric").normals(out, count, 0, address);
  return [...out].map((value) => value * scale);
}

const x0 = draws(T * D, 0);
const eps = draws(T * D, 1);
const xt = x0.map((value, i) => {
  const step = at(steps, Math.floor(i / D));
  return Math.sqrt(alphaCumprodAt(schedule, step)) * value + Math.sqrt(noiseVarianceAt(schedule, step)) * at(eps, i);
});
const stepOf = (i: number): number => at(steps, Math.floor(i / D));

/** What a network says: x̂_0 that is off by a little, in some parameterisation, and numbers for the variance. */
const guess = x0.map((value, i) => value + at(draws(T * D, 2, 0.3), i));
const ofVariance = draws(T * D, 3, 0.5);

function said(prediction: Parameterisation): number[] {
  return guess.map((value, i) => {
    const form = conversionBetween("x0", prediction, schedule, stepOf(i));
    return form.xt * at(xt, i) + form.output * value;
  });
}

const batch = {
  x0: constant(x0, [T, D]),
  eps: constant(eps, [T, D]),
  steps: constant(steps, [T], "int32"),
};

const isLearned = (variance: VarianceKind): boolean => variance.startsWith("learned");

/** The network's output as an input node: prediction and variance side by side. */
function outputs(prediction: Parameterisation, variance: VarianceKind): { node: Node; feeds: { o: number[] } } {
  if (!isLearned(variance)) return { node: input("o", [T, D]), feeds: { o: said(prediction) } };
  const rows = steps.flatMap((_, row) => [
    ...said(prediction).slice(row * D, (row + 1) * D),
    ...ofVariance.slice(row * D, (row + 1) * D),
  ]);
  return { node: input("o", [T, 2 * D]), feeds: { o: rows } };
}

function lossOf(options: ObjectiveOptions, process: NoiseSchedule = schedule): BatchLoss & { feeds: { o: number[] } } {
  const { node, feeds } = outputs(options.prediction ?? "eps", options.variance ?? "large");
  return { ...batchLoss(batch, process, () => node, options), feeds };
}

function value(options: ObjectiveOptions): number {
  const { loss, feeds } = lossOf(options);
  return at(at(evaluate([loss], feeds), 0).data, 0);
}

const logVarianceOf = (variance: VarianceKind, step: number, raw: number, first: FirstLogVariance): number => {
  const reverse = { schedule, step, first };
  if (variance === "large" || variance === "small") return fixedLogVariance(variance, reverse);
  const kind = variance === "learned" ? "free" : "range";
  return at(learnedLogVariance({ kind, output: floatTensor([raw], [1]) }, reverse), 0);
};

/** L_T + Σ_t L_t in bits per dimension, each term by its definition. */
function boundByHand(variance: VarianceKind, first: FirstLogVariance = "second"): number {
  const terms = x0.map((value, i) => {
    const step = stepOf(i);
    const logVariance = logVarianceOf(variance, step, at(ofVariance, i), first);
    const d = posteriorMeanCoefficients(schedule, step).x0 * (value - at(guess, i));
    if (step === 0) return (Math.log(2 * Math.PI) + logVariance + d * d * Math.exp(-logVariance)) / 2;
    const posterior = posteriorVariance(schedule, step);
    return (logVariance - Math.log(posterior) - 1 + (posterior + d * d) * Math.exp(-logVariance)) / 2;
  });
  const alphaCumprod = alphaCumprodAt(schedule, T - 1);
  const prior = -Math.log1p(-alphaCumprod) / 2;
  return (terms.reduce((a, b) => a + b, 0) / D + prior) / Math.LN2;
}

/** Mean squared error of ε. */
function epsByHand(weight: (step: number) => number = () => 1): number {
  const squares = guess.map((value, i) => {
    const form = conversionBetween("x0", "eps", schedule, stepOf(i));
    return weight(stepOf(i)) * (form.xt * at(xt, i) + form.output * value - at(eps, i)) ** 2;
  });
  return squares.reduce((a, b) => a + b, 0) / squares.length;
}

describe("objective vlb over every step once", () => {
  const cases = parameterisations.flatMap((prediction) =>
    varianceKinds.map((variance) => [prediction, variance] as const),
  );
  it.each(cases)("predicting %s with variance %s is the sum of KLs, decoder and prior", (prediction, variance) => {
    // learnedLogVariance reads float32.
    const digits = isLearned(variance) ? 5 : 10;
    expect(value({ objective: "vlb", prediction, variance })).toBeCloseTo(boundByHand(variance), digits);
  });

  it.each(["beta", "clamp"] as const)("takes the decoder's variance as %s", (first) => {
    const ratio = value({ objective: "vlb", variance: "small", firstLogVariance: first }) / boundByHand("small", first);
    expect(ratio).toBeCloseTo(1, 12);
  });

  it("tells variances and predictions apart", () => {
    const bounds = varianceKinds.map((variance) => value({ objective: "vlb", variance }));
    for (const [i, bound] of bounds.entries()) {
      for (const other of bounds.slice(i + 1)) expect(Math.abs(bound - other)).toBeGreaterThan(1e-2);
    }
  });

  it("is D times as large when it is summed over a sample", () => {
    const options = { objective: "vlb", variance: "small" } as const;
    expect(value({ ...options, lossReduction: "sum" })).toBeCloseTo(D * value(options), 10);
  });
});

describe("objective simple", () => {
  it("of mean and score is the error of the ε that they imply", () => {
    for (const prediction of ["eps", "mean", "score"] as const)
      expect(value({ prediction }), prediction).toBeCloseTo(epsByHand(), 10);
  });

  it("of x0 and v is their own error", () => {
    const x0Error = guess.reduce((total, g, i) => total + (g - at(x0, i)) ** 2, 0) / (T * D);
    const vError = guess.reduce((total, g, i) => total + (g - at(x0, i)) ** 2 * (snr(schedule, stepOf(i)) + 1), 0);
    expect(value({ prediction: "x0" })).toBeCloseTo(x0Error, 12);
    expect(value({ prediction: "v" })).toBeCloseTo(vError / (T * D), 12);
  });

  it.each(weightingNames.slice(1))("weighted by %s is one loss, whatever is predicted", (weighting) => {
    const values = parameterisations.map((prediction) => value({ prediction, weighting, weightingGamma: null }));
    for (const other of values) expect(other).toBeCloseTo(at(values, 0), 10);
  });

  it("has the published weights", () => {
    const ratio = (step: number): number => snr(schedule, step);
    const [minSnr, p2] = [{ weighting: "min-snr" } as const, { weighting: "p2", weightingGamma: 0.5 } as const];
    expect(value(minSnr)).toBeCloseTo(
      epsByHand((step) => Math.min(ratio(step), 5) / ratio(step)),
      10,
    );
    expect(value({ ...minSnr, weightingGamma: 2 })).toBeCloseTo(
      epsByHand((step) => Math.min(ratio(step), 2) / ratio(step)),
      10,
    );
    expect(value(p2)).toBeCloseTo(
      epsByHand((step) => (1 + ratio(step)) ** -0.5),
      10,
    );
    const karras = (step: number): number => {
      const sigma = Math.sqrt(1 / ratio(step));
      return (sigma ** 2 + 1) / sigma ** 2 / ratio(step);
    };
    expect(value({ weighting: "edm" })).toBeCloseTo(epsByHand(karras), 10);
    expect(value({ weighting: "edm", prediction: "v" })).toBeCloseTo(value({ prediction: "v" }), 12);
    expect(value({ weighting: (snr_, step) => snr_ * (step + 1) })).toBeCloseTo(
      epsByHand((step) => ratio(step) * (step + 1)),
      10,
    );
  });

  it("weights ε by 1 where ᾱ = 0, and x_0 by 0", () => {
    const zero = scheduleFromBetas([0.1, 0.5, 1]);
    const at2 = { ...batch, steps: constant([2, 2, 2, 2, 2], [T], "int32") };
    const loss = (options: ObjectiveOptions): number =>
      at(
        at(evaluate([batchLoss(at2, zero, () => constant(new Float64Array(T * D), [T, D]), options).loss]), 0).data,
        0,
      );
    const mean = (of: number[]): number => of.reduce((a, b) => a + b * b, 0) / of.length;
    expect(loss({ weighting: "min-snr" })).toBeCloseTo(mean(eps), 10);
    expect(loss({ weighting: "min-snr", prediction: "x0" })).toBeCloseTo(0, 12);
    expect(() => loss({ weighting: "edm" })).toThrow(/weighting: edm is .* at step 2.*predict v or x0/);
    expect(() => loss({ prediction: "mean" })).toThrow(/the mean implies no ε where ᾱ_T = 0/);
    expect(() => loss({ objective: "vlb", variance: "small" })).toThrow(/step 2, where eps does not give it/);
    expect(loss({ objective: "vlb", variance: "small", prediction: "v" })).toBeGreaterThan(0);
  });

  it.each([
    ["l1", (e: number) => Math.abs(e)],
    ["huber", (e: number) => (Math.abs(e) <= 1 ? e ** 2 / 2 : Math.abs(e) - 0.5)],
  ] as const)("in the norm %s", (lossNorm, norm) => {
    const off = said("x0").map((value_, i) => (i % 2 ? 4 : 1) * (value_ - at(x0, i)));
    const o = off.map((error, i) => at(x0, i) + error);
    const { loss } = batchLoss(batch, schedule, () => constant(o, [T, D]), { lossNorm, prediction: "x0" });
    const expected = off.reduce((total, error) => total + norm(error), 0) / off.length;
    expect(off.some((error) => Math.abs(error) > 1) && off.some((error) => Math.abs(error) < 1)).toBe(true);
    expect(at(at(evaluate([loss]), 0).data, 0)).toBeCloseTo(expected, 12);
  });

  it("with weights of rows gives each row's loss and their weighted mean", () => {
    const weights = [0.5, 2, 1, 0, 3];
    const lossWeights = constant(weights, [T]);
    const { node, feeds } = outputs("eps", "large");
    const { loss, losses } = batchLoss({ ...batch, lossWeights }, schedule, () => node);
    const [whole, rows] = evaluate([loss, losses ?? loss], feeds).map(({ data }) => [...data]);
    const expected = weights.map((_, row) => epsByHand((step) => (step === at(steps, row) ? T : 0)));
    rows?.forEach((row, i) => expect(row).toBeCloseTo(at(expected, i), 10));
    const mean = expected.reduce((total, row, i) => total + row * at(weights, i), 0) / T;
    expect(at(whole ?? [], 0)).toBeCloseTo(mean, 10);
  });
});

describe("objective hybrid", () => {
  const options = { objective: "hybrid", variance: "learned-range" } as const;

  it("is L_simple + 0.001·L_vlb", () => {
    expect(value(options)).toBeCloseTo(epsByHand() + 0.001 * boundByHand("learned-range"), 8);
  });

  it("teaches the prediction by L_simple alone and the variance by the bound alone", () => {
    const slopes = (chosen: ObjectiveOptions): Float64Array => {
      const { node, feeds } = outputs("eps", chosen.variance ?? "large");
      const { loss } = batchLoss(batch, schedule, () => node, chosen);
      return at(evaluate(grad(loss, [node]), feeds), 0).data;
    };
    const [hybrid, simple] = [slopes(options), slopes({})];
    const bound = slopes({ ...options, objective: "vlb" });
    hybrid.forEach((slope, i) => {
      const [row, column] = [Math.floor(i / (2 * D)), i % (2 * D)];
      const expected = column < D ? at(simple, row * D + column) : 0.001 * at(bound, i);
      expect(slope).toBeCloseTo(expected, 12);
      if (column < D) expect(Math.abs(at(bound, i))).toBeGreaterThan(1e-6);
    });
  });
});

describe("gradients of the bound", () => {
  it.each(varianceKinds)("with variance %s are central differences", (variance) => {
    const { node, feeds } = outputs("v", variance);
    const { loss } = batchLoss(batch, schedule, () => node, { objective: "vlb", prediction: "v", variance });
    const slopes = at(evaluate(grad(loss, [node]), feeds), 0).data;
    const h = 1e-5;
    feeds.o.forEach((value_, i) => {
      const side = (moved: number): number => at(at(evaluate([loss], { o: feeds.o.with(i, moved) }), 0).data, 0);
      expect(at(slopes, i)).toBeCloseTo((side(value_ + h) - side(value_ - h)) / (2 * h), 6);
    });
  });
});

describe("checkObjective", () => {
  it.each<[ObjectiveOptions, RegExp]>([
    [{ objective: "hybrid" }, /hybrid teaches a variance.*learned-range/],
    [{ variance: "learned" }, /simple teaches no variance.*hybrid or vlb/],
    [{ objective: "vlb", weighting: "p2" }, /bound has weights of its own/],
    [{ objective: "vlb", weighting: () => 1 }, /bound has weights of its own/],
    [{ objective: "vlb", lossNorm: "l1" }, /bound has no l1 form/],
    [{ weightingGamma: 5 }, /only the weightings min-snr and p2/],
    [{ weighting: "edm", weightingGamma: 5 }, /only the weightings min-snr and p2/],
  ])("refuses %o in one line", (options, message) => {
    expect(() => checkObjective(options)).toThrow(message);
    expect(() => checkObjective(options)).toThrow(/^[^\n]+$/);
  });

  it("refuses weights that are none", () => {
    expect(() => lossOf({ weighting: () => -1 })).toThrow(/weight ≥ 0 for every step; function gave -1 at step 0/);
    expect(() => lossOf({ weighting: (_, step) => (step === 2 ? Number.NaN : 1) })).toThrow(/gave NaN at step 2/);
    expect(() => lossOf({ weighting: () => Infinity })).toThrow(/function is Infinity at step 0/);
  });
});

it("the default objective takes as few operators as L_simple of ε by hand", () => {
  const { loss } = batchLoss(batch, schedule, (noised) => noised);
  const operators = topologicalOrder([loss]).map(({ op }) => op);
  const noising = ["gather", "split", "mul", "split", "mul", "add"];
  expect(operators.filter((op) => op !== "constant")).toEqual([...noising, "sub", "mul", "sum", "reshape", "mul"]);
});
