import { describe, expect, it } from "vitest";
import { distance, torchGolden } from "../../test/golden-torch.ts";
import { constant, input } from "../graph/builders.ts";
import { evaluate } from "../graph/evaluate.ts";
import type { Node } from "../graph/node.ts";
import { at } from "../math/error.ts";
import { adamw, clipScale } from "./adamw.ts";

type Golden = (typeof torchGolden.adamw)[number];
interface Settings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}
const usual: Settings = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/** Weights after each step, by the graph. */
function byGraph({ start, gradients, learningRates, weightDecay, clipNorm }: Golden, settings = usual): number[][] {
  const size = start.length;
  const [g, weights, mean, square] = ["g", "w", "m", "v"].map((name) => input(name, [size])) as [
    Node,
    Node,
    Node,
    Node,
  ];
  const [learningRate, meanCorrection, squareCorrection] = ["r", "c1", "c2"].map((name) => input(name, [])) as [
    Node,
    Node,
    Node,
  ];
  const { scale } = clipScale(g, clipNorm);
  const options = { ...settings, weightDecay, learningRate, meanCorrection, squareCorrection };
  const next = adamw(g, scale, { weights, mean, square }, options);
  let state = { w: [...start], m: start.map(() => 0), v: start.map(() => 0) };
  return gradients.map((gradient, i) => {
    const [c1, c2] = [1 / (1 - settings.beta1 ** (i + 1)), 1 / (1 - settings.beta2 ** (i + 1))];
    const feeds = { ...state, g: gradient, r: [at(learningRates, i)], c1: [c1], c2: [c2] };
    const [w, m, v] = evaluate([next.weights, next.mean, next.square], feeds).map(({ data }) => [...data]);
    state = { w, m, v } as typeof state;
    return state.w;
  });
}

/** The same in plain numbers, one weight at a time, as Loshchilov & Hutter's algorithm 2 reads. */
function byHand({ start, gradients, learningRates, weightDecay, clipNorm }: Golden, settings = usual): number[][] {
  const { beta1, beta2, epsilon } = settings;
  const w = [...start];
  const m = start.map(() => 0);
  const v = start.map(() => 0);
  return gradients.map((gradient, step) => {
    const factor = Math.min(1, clipNorm / (Math.hypot(...gradient) + 1e-6));
    gradient.forEach((raw, k) => {
      const g = raw * factor;
      m[k] = beta1 * at(m, k) + (1 - beta1) * g;
      v[k] = beta2 * at(v, k) + (1 - beta2) * g * g;
      const mHat = at(m, k) / (1 - beta1 ** (step + 1));
      const vHat = at(v, k) / (1 - beta2 ** (step + 1));
      const rate = at(learningRates, step);
      w[k] = at(w, k) - rate * (mHat / (Math.sqrt(vHat) + epsilon) + weightDecay * at(w, k));
    });
    return [...w];
  });
}

describe.each(torchGolden.adamw)("20 steps with weight decay $weightDecay and norms up to $clipNorm", (golden) => {
  const expected = golden.history.flatMap(({ weights }) => weights);

  it("give PyTorch's weights", () => {
    expect(distance(byGraph(golden).flat(), expected)).toBeLessThan(1e-12);
  });

  it("give the algorithm's in plain numbers", () => {
    expect(distance(byGraph(golden).flat(), byHand(golden).flat())).toBeLessThan(1e-12);
  });

  it("give other weights with a slightly wrong setting", () => {
    const wrong: [Golden, Settings][] = [
      [golden, { ...usual, beta1: 0.9001 }],
      [golden, { ...usual, beta2: 0.9989 }],
      [golden, { ...usual, epsilon: 1e-6 }],
      [{ ...golden, weightDecay: golden.weightDecay + 1e-4 }, usual],
      [{ ...golden, clipNorm: 0.99 }, usual],
    ];
    for (const [other, settings] of wrong) {
      expect(distance(byGraph(other, settings).flat(), expected)).toBeGreaterThan(1e-8);
    }
  });
});

describe("clipScale", () => {
  const clip = (gradient: number[], limit: number): number[] => {
    const { scale, norm } = clipScale(constant(gradient, [gradient.length]), limit);
    return evaluate([scale, norm]).map(({ data }) => at(data, 0));
  };

  it("leaves a gradient within the limit alone", () => {
    expect(clip([3, 4], 6)).toEqual([1, 5]);
  });

  it("brings a longer one to the limit", () => {
    const [scale, norm] = clip([3, 4], 1);
    expect(norm).toBe(5);
    expect(scale).toBeCloseTo(0.2, 6);
  });

  it("is 1 for no gradient at all", () => {
    expect(clip([0, 0], 1)).toEqual([1, 0]);
  });

  it("reports PyTorch's norms", () => {
    for (const { gradients, history, clipNorm } of torchGolden.adamw) {
      const norms = gradients.map((gradient) => at(clip([...gradient], clipNorm), 1));
      expect(
        distance(
          norms,
          history.map(({ norm }) => norm),
        ),
      ).toBeLessThan(1e-12);
    }
  });
});
