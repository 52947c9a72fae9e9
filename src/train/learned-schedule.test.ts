import { describe, expect, test } from "vitest";
import { learnedScheduleLoss } from "../diffusion/objectives/learned-schedule.ts";
import { alphaCumprodAt, logSnr, noiseVarianceAt, snr } from "../diffusion/schedule.ts";
import { detach, neg } from "../graph/builders.ts";
import { at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { initialise, parameterCount } from "../nn/parameters.ts";
import { parseTrainingConfig } from "./config.ts";
import { curveOf, frozenSchedule, scheduleParameters } from "./learned-schedule.ts";
import { createEngine, type Batch } from "./step-engine.ts";

const T = 20;
const parameters = scheduleParameters();
const start = (): Float32Array => initialise(parameters, new Random(0, "init"));

/**
 * Mean and variance, over the steps, of the bound's term for x_0 ~ N(0, 1) and a network that says ε̂ = x_t:
 * T·½(e^(γ_k − γ_{k−1}) − 1)·((1 − √(1 − ᾱ_k))² + ᾱ_k), the decoder's step aside.
 */
function termsOf(weights: Float32Array): { readonly mean: number; readonly variance: number } {
  const schedule = frozenSchedule(weights, T);
  const terms = Array.from({ length: T - 1 }, (_, i) => {
    const k = i + 1;
    const growth = snr(schedule, k - 1) / snr(schedule, k) - 1;
    const error = (1 - Math.sqrt(noiseVarianceAt(schedule, k))) ** 2 + alphaCumprodAt(schedule, k);
    return (T / 2) * growth * error;
  });
  const mean = terms.reduce((a, b) => a + b, 0) / terms.length;
  return { mean, variance: terms.reduce((total, term) => total + (term - mean) ** 2, 0) / terms.length };
}

function batch(iteration: number): Batch {
  const rows = 128;
  const [x0, eps, steps] = [new Float32Array(rows), new Float32Array(rows), new Int32Array(rows)];
  new Random(2, "data").normals(x0, 1, 0, iteration);
  new Random(2, "noise").normals(eps, 1, 0, iteration);
  new Random(2, "timestep").integers(steps, T, 0, iteration);
  return { x0, eps, steps };
}

/** Trains the curve between held endpoints; uphill as a control. */
async function trained(uphill = false): Promise<Float32Array> {
  const settings = parseTrainingConfig({ data: "moons", batchSize: 128, device: "cpu", threads: 1 });
  const zeros = (): Float32Array => new Float32Array(parameterCount(parameters));
  const engine = await createEngine(
    {
      ...settings,
      sampleShape: [1],
      parameters,
      loss: (inputs, weights) => {
        const { start: first, span, part } = curveOf(weights);
        const curve = { start: detach(first), span: detach(span), part };
        const { loss, descent = loss } = learnedScheduleLoss(inputs, curve, (xt) => xt, { timesteps: T });
        return { loss, descent: uphill ? neg(descent) : descent };
      },
    },
    { weights: start(), mean: zeros(), square: zeros(), ema: start() },
  );
  for (let i = 0; i < 300; i++) await engine.step([batch(i)], i, 0.03);
  const weights = engine.vectors.weights.slice();
  await engine.dispose();
  return weights;
}

describe("a learned schedule", () => {
  test("starts where ᾱ_1 = 1 − 1e-4 and ends at log SNR −5, in nearly equal steps", () => {
    const schedule = frozenSchedule(start(), T);
    expect(schedule.betas[0]).toBeCloseTo(1e-4, 9);
    expect(logSnr(schedule, T - 1)).toBeCloseTo(-5, 5);
    const rises = Array.from({ length: T - 1 }, (_, k) => logSnr(schedule, k) - logSnr(schedule, k + 1));
    expect(Math.max(...rises) / Math.min(...rises)).toBeLessThan(1.3);
  });

  test("learns steps among which the bound's terms differ less", async () => {
    const before = termsOf(start());
    const weights = await trained();
    const [after, worse] = [termsOf(weights), termsOf(await trained(true))];
    expect(after.variance).toBeLessThan(0.3 * before.variance);
    expect(worse.variance).toBeGreaterThan(before.variance);
    const [first, last] = [0, T - 1].map((k) => logSnr(frozenSchedule(weights, T), k));
    expect([first, last]).toEqual(
      [0, T - 1].map((k) => expect.closeTo(logSnr(frozenSchedule(start(), T), k), 6) as number),
    );
  });

  test("has as many weights as its vector", () => {
    expect(at(scheduleParameters(), 0).name).toBe("schedule.start");
    expect(start()).toHaveLength(2 + 1 + 3 * 128);
  });
});
