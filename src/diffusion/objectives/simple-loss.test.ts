import { describe, expect, it } from "vitest";
import { broadcastTo, cast, constant, input, mul, reshape, sin } from "../../graph/builders.ts";
import { evaluate } from "../../graph/evaluate.ts";
import { at } from "../../math/error.ts";
import { scheduleFromBetas, type NoiseSchedule } from "../schedule.ts";
import type { Predict } from "./objective.ts";
import { simpleLoss } from "./simple-loss.ts";

/** The schedule with ᾱ_1, ᾱ_2, …. */
const withAlphasCumprod = (...values: number[]): NoiseSchedule =>
  scheduleFromBetas(values.map((value, i) => 1 - value / (values[i - 1] ?? 1)));

const schedule = withAlphasCumprod(0.99, 0.7, 0.2);
const feeds = { x0: [1, -2, 0.5, 3], eps: [0.3, -0.1, 1.2, -0.7], steps: [2, 0] };

/** A stand-in for a network that looks at both of its inputs: sin(xt)·(step + 1). */
const predict: Predict = (xt, steps) => mul(sin(xt), broadcastTo(reshape(cast(steps, "float32"), [2, 1]), [2, 2]));

function loss(process: NoiseSchedule, values: typeof feeds = feeds): number {
  const inputs = { x0: input("x0", [2, 2]), eps: input("eps", [2, 2]), steps: input("steps", [2], "int32") };
  return at(at(evaluate([simpleLoss(inputs, process, predict)], values), 0).data, 0);
}

/** The mean of (ε − ε_θ(√ᾱ·x0 + √(1 − ᾱ)·ε, t))² in plain numbers. */
function byHand({ alphasCumprod }: NoiseSchedule): number {
  const squares = feeds.x0.map((x0, i) => {
    const step = at(feeds.steps, Math.floor(i / 2));
    const [alphaCumprod, eps] = [at(alphasCumprod, step), at(feeds.eps, i)];
    const xt = Math.sqrt(alphaCumprod) * x0 + Math.sqrt(1 - alphaCumprod) * eps;
    return (eps - Math.sin(xt) * step) ** 2;
  });
  return squares.reduce((a, b) => a + b, 0) / squares.length;
}

describe("simpleLoss", () => {
  it("is the mean squared error of the predicted noise", () => {
    expect(loss(schedule)).toBeCloseTo(byHand(schedule), 14);
  });

  it("changes with the schedule, the data, the noise and the steps", () => {
    const right = loss(schedule);
    expect(Math.abs(loss(withAlphasCumprod(0.99, 0.7, 0.21)) - right)).toBeGreaterThan(1e-4);
    expect(Math.abs(loss(schedule, { ...feeds, x0: [1.01, -2, 0.5, 3] }) - right)).toBeGreaterThan(1e-4);
    expect(Math.abs(loss(schedule, { ...feeds, eps: [0.3, -0.1, 1.2, -0.71] }) - right)).toBeGreaterThan(1e-4);
    expect(Math.abs(loss(schedule, { ...feeds, steps: [1, 0] }) - right)).toBeGreaterThan(1e-4);
  });

  it("is zero for a prediction of the noise itself, whatever the step", () => {
    const eps = constant(feeds.eps, [2, 2]);
    const inputs = { x0: input("x0", [2, 2]), eps, steps: input("steps", [2], "int32") };
    expect(at(evaluate([simpleLoss(inputs, schedule, () => eps)], feeds), 0).data[0]).toBe(0);
  });

  it("is a scalar built under its name", () => {
    const inputs = { x0: input("x0", [2, 2]), eps: input("eps", [2, 2]), steps: input("steps", [2], "int32") };
    expect(simpleLoss(inputs, schedule, predict)).toMatchObject({ shape: [], path: "L_simple/mul" });
  });
});
