import { describe, expect, it } from "vitest";
import { UnnoiseError, at } from "../math/error.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import { seededNoise, type NoiseSource } from "./noise.ts";
import { gaussianDenoiser } from "./oracle.ts";
import { meanFromEps, predictEpsFromX0, predictX0FromEps } from "./parameterisation.ts";
import { finalSample, type Denoiser, type Sampler, type SamplerOptions, type SamplerStep } from "./sampler.ts";
import { ddim } from "./samplers/ddim.ts";
import { ddpm } from "./samplers/ddpm.ts";
import { langevin } from "./samplers/langevin.ts";
import { predictorCorrector } from "./samplers/predictor-corrector.ts";
import { dpmpp2mSde } from "./samplers/dpmpp-2m-sde.ts";
import { dpmpp2m } from "./samplers/dpmpp-2m.ts";
import { euler } from "./samplers/euler.ts";
import { heun } from "./samplers/heun.ts";
import { uniPc } from "./samplers/unipc.ts";
import { linearSchedule } from "./schedule.ts";

const schedule = linearSchedule({ timesteps: 40, betaStart: 2.5e-3, betaEnd: 0.5 });
const denoiser = gaussianDenoiser({ mean: [1, -2], variance: [0.5, 0.1] }, schedule);
const base: SamplerOptions = { denoiser, schedule, shape: [6, 2], noise: seededNoise(1) };

async function collect(steps: AsyncGenerator<SamplerStep, FloatTensor>): Promise<[SamplerStep[], FloatTensor]> {
  const seen: SamplerStep[] = [];
  for (;;) {
    const next = await steps.next();
    if (next.done === true) return [seen, next.value];
    seen.push(next.value);
  }
}

function maxDifference(a: FloatTensor, b: FloatTensor): number {
  expect(a.shape).toEqual(b.shape);
  return a.data.reduce((most, x, i) => Math.max(most, Math.abs(x - (b.data[i] ?? NaN))), 0);
}

async function failure(steps: AsyncGenerator<SamplerStep, FloatTensor>): Promise<UnnoiseError> {
  const error: unknown = await finalSample(steps).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UnnoiseError);
  return error as UnnoiseError;
}

/** How a sampler's steps differ from the plain case: one evaluation, and x_t as the step before left it. */
interface Habits {
  /** Evaluations in each step but the last, whose x̂_0 and ε are those of the first. */
  readonly evaluations?: number;
  /** A corrector moves x_t after it is evaluated. */
  readonly corrects?: boolean;
  /** Noise is added to x_t before it is evaluated. */
  readonly churns?: boolean;
  /** The last step evaluates once more where it has moved to, and shows that. */
  readonly denoises?: boolean;
}

/** What the denoiser was asked. */
type Evaluation = readonly [xt: FloatTensor, step: number];

/** Where an error must say that the evaluation of this index, 0 the first, is. */
async function placeOf(index: number, sampler: Sampler, evaluations: number): Promise<string> {
  const [asking, asked] = recorder();
  await finalSample(sampler({ ...base, denoiser: asking }));
  const [, step] = at(asked, index);
  return `step ${step} (${Math.floor(index / evaluations) + 1} of 40)`;
}

function recorder(): [asking: Denoiser, asked: Evaluation[]] {
  const asked: Evaluation[] = [];
  const asking = (xt: FloatTensor, step: number): FloatTensor => {
    asked.push([xt, step]);
    return denoiser(xt, step);
  };
  return [asking, asked];
}

const samplers: [name: string, sampler: Sampler, habits?: Habits][] = [
  ["ddpm large", ddpm({ variance: "large" })],
  ["ddpm small", ddpm({ variance: "small" })],
  ["ddim 0", ddim()],
  ["ddim 0.6", ddim({ eta: 0.6 })],
  ["ddim 1", ddim({ eta: 1 })],
  ["ddim, σ̂", ddim({ sigma: "hat" })],
  ["euler", euler()],
  ["euler, churned", euler({ churn: 30 }), { churns: true }],
  ["heun", heun(), { evaluations: 2 }],
  ["heun, churned", heun({ churn: 30, sNoise: 1.01 }), { evaluations: 2, churns: true }],
  ["dpmpp-2m", dpmpp2m()],
  ["dpmpp-2m-sde", dpmpp2mSde()],
  ["unipc 1", uniPc({ order: 1 }), { corrects: true }],
  ["unipc 2", uniPc(), { corrects: true }],
  ["unipc 3 bh1", uniPc({ order: 3, variant: "bh1" }), { corrects: true }],
  ["langevin", langevin({ innerSteps: 1 }), { denoises: true }],
  ["pc reverse diffusion", predictorCorrector(), { evaluations: 2 }],
  ["pc ddpm", predictorCorrector({ predictor: "ddpm" }), { evaluations: 2 }],
  ["pc ddim, own norms", predictorCorrector({ predictor: "ddim", norms: "sample" }), { evaluations: 2 }],
];

describe.each(samplers)(
  "contract: %s",
  (_name, sampler, { evaluations = 1, corrects = false, churns = false, denoises = false } = {}) => {
    const shown = (i: number): number => i * evaluations + (denoises && i === 39 ? 1 : 0);

    it("yields a connected chain from T−1 to the data and returns its end", async () => {
      const [seen, sample] = await collect(sampler({ ...base, steps: 7 }));
      expect(seen.map(({ index, count }) => [index, count])).toEqual([0, 1, 2, 3, 4, 5, 6].map((i) => [i, 7]));
      expect(at(seen, 0).step).toBe(39);
      expect(at(seen, 6).previousStep).toBe(-1);
      seen.slice(1).forEach((now, i) => {
        expect(now.step).toBe(at(seen, i).previousStep);
        const moved = corrects || (denoises && i === 5);
        if (!moved) expect(now.xt).toBe(at(seen, i).xPrevious);
        if (moved) expect(maxDifference(now.xt, at(seen, i).xPrevious)).toBeGreaterThan(0);
      });
      expect(sample).toBe(at(seen, 6).xPrevious);
      expect(sample.shape).toEqual([6, 2]);
    });

    it("shows x̂0 and ε that belong together", async () => {
      const [asking, asked] = recorder();
      const [seen] = await collect(sampler({ ...base, denoiser: asking }));
      expect(asked).toHaveLength(shown(39) + 1);
      seen.forEach(({ xt, x0, eps, step }, i) => {
        const [evaluated, level] = at(asked, shown(i));
        expect(maxDifference(predictX0FromEps(evaluated, eps, schedule, level), x0)).toBeLessThan(1e-5);
        if (!churns) expect(level).toBe(step);
        if (!churns && !corrects) expect(evaluated).toBe(xt);
      });
    });

    it("ends on x̂0: the last step adds no noise", async () => {
      const [seen, sample] = await collect(sampler({ ...base, steps: 5 }));
      expect(maxDifference(sample, at(seen, 4).x0)).toBeLessThan(1e-6);
    });

    it("does not see chunks", async () => {
      const whole = await finalSample(sampler(base));
      const first = await finalSample(sampler({ ...base, shape: [4, 2] }));
      const rest = await finalSample(sampler({ ...base, shape: [2, 2], firstIndex: 4 }));
      expect([...first.data, ...rest.data]).toEqual([...whole.data]);
      const elsewhere = await finalSample(sampler({ ...base, shape: [2, 2], firstIndex: 5 }));
      expect([...elsewhere.data]).not.toEqual([...rest.data]);
    });

    it("repeats itself by seed, and differs by seed", async () => {
      const again = await finalSample(sampler({ ...base, noise: seededNoise(1) }));
      const other = await finalSample(sampler({ ...base, noise: seededNoise(2) }));
      const sample = await finalSample(sampler(base));
      expect([...again.data]).toEqual([...sample.data]);
      expect(maxDifference(other, sample)).toBeGreaterThan(0.01);
    });

    it("starts from a given x_T and leaves it alone", async () => {
      const start = floatTensor(new Float32Array(12).fill(0.5), [6, 2]);
      const [seen] = await collect(sampler({ ...base, start }));
      expect(at(seen, 0).xt).toBe(start);
      expect([...start.data]).toEqual(new Array(12).fill(0.5));
    });

    it("accepts prediction by promise", async () => {
      const slow = async (xt: FloatTensor, step: number): Promise<FloatTensor> => {
        await Promise.resolve();
        return denoiser(xt, step);
      };
      const [a, b] = [await finalSample(sampler(base)), await finalSample(sampler({ ...base, denoiser: slow }))];
      expect([...b.data]).toEqual([...a.data]);
    });

    it("clips x̂0 and re-derives ε from it", async () => {
      const [asking, asked] = recorder();
      const [seen, sample] = await collect(sampler({ ...base, denoiser: asking, clip: [-0.8, 0.3] }));
      expect(seen.some(({ x0 }) => x0.data.includes(Math.fround(0.3)) && x0.data.includes(Math.fround(-0.8)))).toBe(
        true,
      );
      seen.forEach(({ x0, eps }, i) => {
        const [evaluated, level] = at(asked, shown(i));
        expect(x0.data.every((x) => x >= Math.fround(-0.8) && x <= Math.fround(0.3))).toBe(true);
        expect(maxDifference(predictEpsFromX0(evaluated, x0, schedule, level), eps)).toBeLessThan(1e-4);
      });
      expect(sample.data.every((x) => x > -0.81 && x < 0.31)).toBe(true);
    });

    it("does nothing by a clip that is never reached", async () => {
      const [plain, clipped] = [
        await finalSample(sampler(base)),
        await finalSample(sampler({ ...base, clip: [-99, 99] })),
      ];
      // x̂0 is rounded to float32 where it is clipped, so the last digits may differ.
      expect(maxDifference(clipped, plain)).toBeLessThan(1e-5);
    });

    it("stops when asked, before the next prediction", async () => {
      const controller = new AbortController();
      let calls = 0;
      const stopping = (xt: FloatTensor, step: number): FloatTensor | Promise<FloatTensor> => {
        calls += 1;
        if (calls === 3) controller.abort("enough");
        return denoiser(xt, step);
      };
      const error = await failure(sampler({ ...base, denoiser: stopping, signal: controller.signal }));
      expect([error.code, error.cause, calls]).toEqual(["interrupted", "enough", 3]);
      expect(error.message).toContain(await placeOf(3, sampler, evaluations));
    });

    it("names the step at which one value of many is not finite", async () => {
      let calls = 0;
      const broken = (xt: FloatTensor, step: number): FloatTensor => {
        const eps = denoiser(xt, step);
        if (calls++ === 19) eps.data[5] = NaN;
        return eps;
      };
      const error = await failure(sampler({ ...base, denoiser: broken }));
      expect(error.code).toBe("not-finite");
      expect(error.message).toContain(`${await placeOf(19, sampler, evaluations)}: the denoiser returned NaN`);
    });

    it("names the step at which the sample overflows", async () => {
      const exploding = (xt: FloatTensor): FloatTensor => floatTensor(new Float32Array(12).fill(-3e38), xt.shape);
      const error = await failure(sampler({ ...base, denoiser: exploding }));
      expect(error.code).toBe("not-finite");
      expect(error.message).toContain("overflowed");
    });

    it("rejects a prediction of another shape", async () => {
      const wrong = (): FloatTensor => floatTensor(new Float32Array(12), [12]);
      expect((await failure(sampler({ ...base, denoiser: wrong }))).message).toContain("return shape [6, 2], got [12]");
    });

    it.each([
      [{ shape: [] }, /shape/],
      [{ shape: [0, 2] }, /shape: expected \[count, …\] of integers ≥ 1, got \[0, 2\]/],
      [{ shape: [2.5, 2] }, /shape/],
      [{ steps: 0 }, /steps/],
      [{ steps: 41 }, /steps: expected at most T = 40, got 41/],
      [{ steps: [3, 40] }, /0…39, got 40/],
      [{ firstIndex: -1 }, /firstIndex/],
      [{ clip: [1, 1] as const }, /clip/],
      [{ start: floatTensor([1], [1, 1]) }, /start: expected shape \[6, 2\], got \[1, 1\]/],
    ] satisfies [Partial<SamplerOptions>, RegExp][])("rejects %j before the run begins", (wrong, message) => {
      expect(() => sampler({ ...base, ...wrong })).toThrow(message);
      expect(() => sampler({ ...base, ...wrong })).toThrow(UnnoiseError);
    });
  },
);

describe("noise", () => {
  it("is asked for once at the start and once a step that needs it, by row and step", async () => {
    const asked: string[] = [];
    const spy = (name: string): NoiseSource => ({
      normals: (out, width, firstIndex, step) => asked.push(`${name} ${out.length} ${width} ${firstIndex} ${step}`),
    });
    const noise = { start: spy("start"), steps: spy("steps") };
    await finalSample(ddpm()({ ...base, noise, firstIndex: 3, steps: [30, 10, 0] }));
    expect(asked).toEqual(["start 12 2 3 0", "steps 12 2 3 30", "steps 12 2 3 10"]);
    asked.length = 0;
    await finalSample(ddim()({ ...base, noise }));
    expect(asked).toEqual(["start 12 2 0 0"]);
  });
});

describe("samplers against each other", () => {
  it("DDIM with η = 1 walks the path of DDPM with the small variance", async () => {
    const fine = { ...base, schedule: linearSchedule(), shape: [50, 2] };
    const exact = { ...fine, denoiser: gaussianDenoiser({ mean: [1, -2], variance: [0.5, 0.1] }, fine.schedule) };
    for (const steps of [1000, 20]) {
      const [a, b] = [
        await finalSample(ddim({ eta: 1 })({ ...exact, steps })),
        await finalSample(ddpm({ variance: "small" })({ ...exact, steps })),
      ];
      expect(maxDifference(a, b)).toBeLessThan(2e-6);
      const other = await finalSample(ddim({ eta: 0.99 })({ ...exact, steps }));
      expect(maxDifference(other, b)).toBeGreaterThan(1e-3);
    }
  });

  it("DDPM's step is μ_θ + σ z", async () => {
    const silent = { start: base.noise.start, steps: { normals: (out: Float32Array) => void out.fill(0) } };
    const [seen] = await collect(ddpm()({ ...base, noise: silent, steps: 9 }));
    for (const { xt, eps, xPrevious, step, previousStep } of seen) {
      expect(maxDifference(meanFromEps(xt, eps, schedule, step, previousStep), xPrevious)).toBeLessThan(1e-6);
    }
  });

  it("rejects η outside [0, 1]", () => {
    for (const eta of [-0.1, 1.1, NaN]) expect(() => ddim({ eta })).toThrow(/eta: expected a number in 0…1/);
  });
});
