import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import { qSample } from "./forward.ts";
import {
  conversionBetween,
  conversionOf,
  convertPrediction,
  parameterisations,
  type Parameterisation,
} from "./parameterisation.ts";
import { posteriorMean } from "./posterior.ts";
import { alphaCumprodAt, linearSchedule, noiseVarianceAt, scheduleFromBetas, type NoiseSchedule } from "./schedule.ts";

const pairs = parameterisations.flatMap((from) => parameterisations.map((to) => [from, to] as const));
const betas = fc.array(fc.double({ min: 1e-4, max: 0.5, noNaN: true }), { minLength: 1, maxLength: 20 });
/** A random schedule and a step of it. */
const place = fc
  .tuple(betas, fc.nat())
  .map(([values, step]) => ({ schedule: scheduleFromBetas(values), step: step % values.length }));

function normals(stream: "noise" | "data", rows: number): FloatTensor {
  const data = new Float32Array(rows * 2);
  new Random(5, stream).normals(data, 2);
  return floatTensor(data, [rows, 2]);
}

/** Each quantity by its definition, from data and noise. */
function definitions(schedule: NoiseSchedule, step: number): Record<Parameterisation, number[]> {
  const [x0, eps] = [normals("data", 4), normals("noise", 4)];
  const [signal, noise] = [Math.sqrt(alphaCumprodAt(schedule, step)), Math.sqrt(noiseVarianceAt(schedule, step))];
  const each = (value: (x0: number, eps: number) => number): number[] =>
    Array.from(x0.data, (x, i) => value(x, at(eps.data, i)));
  return {
    eps: [...eps.data],
    x0: [...x0.data],
    v: each((x, e) => signal * e - noise * x),
    score: each((_, e) => -e / noise),
    mean: [...posteriorMean(x0, qSample(x0, eps, schedule, step), schedule, step).data],
  };
}

const maxNorm = (values: ArrayLike<number>): number => Math.max(...Array.from(values, Math.abs));

describe.each(pairs)("%s to %s", (from, to) => {
  it("is the definition", () => {
    for (const [schedule, step] of [
      [linearSchedule(), 0],
      [linearSchedule(), 500],
      [linearSchedule(), 999],
      [scheduleFromBetas([0.3]), 0],
    ] as const) {
      const xt = qSample(normals("data", 4), normals("noise", 4), schedule, step);
      const known = definitions(schedule, step);
      const got = convertPrediction(floatTensor(known[from], [4, 2]), from, to, xt, schedule, step);
      const form = conversionBetween(from, to, schedule, step);
      // Rounding of the float32 inputs, as the weights enlarge it.
      const tolerance =
        4 * 2 ** -24 * (Math.abs(form.xt) * maxNorm(xt.data) + Math.abs(form.output) * maxNorm(known[from]));
      const gap = maxNorm(Array.from(got.data, (value, i) => value - at(known[to], i)));
      expect(gap).toBeLessThanOrEqual(tolerance + 2 ** -23 * maxNorm(known[to]));
    }
  });

  it("comes back, over random schedules", () => {
    fc.assert(
      fc.property(place, ({ schedule, step }) => {
        const there = conversionBetween(from, to, schedule, step);
        const back = conversionBetween(to, from, schedule, step);
        expect(Math.abs(back.output * there.output - 1)).toBeLessThan(1e-6);
        const offset = back.xt + back.output * there.xt;
        expect(Math.abs(offset)).toBeLessThan(1e-6 * Math.max(1, Math.abs(back.xt)));
      }),
    );
  });
});

describe("the end of a schedule with zero terminal SNR", () => {
  const schedule = scheduleFromBetas([0.1, 0.5, 1]);

  it("leaves x0 undetermined by ε and score, in one line", () => {
    expect(Number.isFinite(conversionOf("eps", schedule, 2).x0.xt)).toBe(false);
    expect(() => conversionBetween("eps", "x0", schedule, 2)).toThrow(
      /eps says nothing about x0 at step 2, where ᾱ = 0/,
    );
    expect(() => conversionBetween("score", "v", schedule, 2)).toThrow(/predict v or x0/);
  });

  it("is fine for v, x0 and mean", () => {
    const close = ({ xt, output }: { xt: number; output: number }, expected: [number, number]): void => {
      expect(xt).toBeCloseTo(expected[0], 14);
      expect(output).toBeCloseTo(expected[1], 14);
    };
    close(conversionOf("v", schedule, 2).x0, [0, -1]);
    close(conversionOf("v", schedule, 2).eps, [1, 0]);
    close(conversionOf("x0", schedule, 2).eps, [1, 0]);
    close(conversionOf("mean", schedule, 2).x0, [0, 1 / Math.sqrt(0.45)]);
    close(conversionOf("mean", schedule, 2).eps, [1, 0]);
  });
});
