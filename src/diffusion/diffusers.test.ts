import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { at } from "../math/error.ts";
import { floatTensor, sizeOf, type FloatTensor } from "../tensor/tensor.ts";
import { transitionBeta } from "./forward.ts";
import type { NoiseSource } from "./noise.ts";
import type { Sampler, SamplerStep, StepCoefficients } from "./sampler.ts";
import { ddim, ddimCoefficients } from "./samplers/ddim.ts";
import { ddpm } from "./samplers/ddpm.ts";
import { samplerOf } from "./linear-method.ts";
import { alphaCumprodAt, linearSchedule, type NoiseSchedule } from "./schedule.ts";
import { leadingSteps, linspaceSteps, trailingSteps } from "./steps.ts";

const spaced = { leading: leadingSteps, trailing: trailingSteps, linspace: linspaceSteps };

interface Spacing {
  readonly spacing: keyof typeof spaced;
  readonly T: number;
  readonly N: number;
}
interface Trajectory extends Spacing {
  readonly sampler: "ddpm" | "ddim";
  readonly variance?: "large" | "small";
  readonly eta?: number;
  readonly float32: boolean;
  readonly steps: number[] | null;
  readonly kept: number[];
  readonly states: number[][];
}
interface Golden {
  readonly trajectories: Trajectory[];
  readonly spacings: (Spacing & { readonly steps: number[] })[];
}

const file = new URL("../../test/golden/diffusers.json", import.meta.url);
const golden = JSON.parse(readFileSync(file, "utf8")) as Golden;
const START_STEP = 100_000;
const shape = [4, 2];

/** The generator's hash32: the same integers in both languages. */
function hash32(i: number, step: number): number {
  let h = (Math.imul(i, 0x9e3779b1) + Math.imul(step, 0x85ebca77) + 0x165667b1) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d) >>> 0;
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b) >>> 0;
  return (h ^ (h >>> 16)) >>> 0;
}

function hashNoise(out: Float32Array, step: number): void {
  for (let i = 0; i < out.length; i++) out[i] = (hash32(i, step) / 2 ** 32 - 0.5) * Math.sqrt(12);
}
const start: NoiseSource = {
  normals: (out) => {
    hashNoise(out, START_STEP);
  },
};
const steps: NoiseSource = {
  normals: (out, _width, _firstIndex, step) => {
    hashNoise(out, step);
  },
};

function fixedDenoiser(schedule: NoiseSchedule): (xt: FloatTensor, step: number) => FloatTensor {
  return (xt, step) => {
    const abar = alphaCumprodAt(schedule, step);
    const phase = (3 * step) / schedule.timesteps;
    const data = xt.data.map((x) => Math.sqrt(1 - abar) * x + 0.5 * Math.sqrt(abar) * Math.sin(2 * x + phase));
    return floatTensor(data, xt.shape);
  };
}

function samplerFor(golden: Trajectory): Sampler {
  return golden.sampler === "ddpm" ? ddpm({ variance: golden.variance ?? "large" }) : ddim({ eta: golden.eta ?? 0 });
}

async function run(golden: Trajectory, sampler: Sampler = samplerFor(golden)): Promise<SamplerStep[]> {
  const schedule = linearSchedule({ timesteps: golden.T });
  const denoiser = fixedDenoiser(schedule);
  const chosen = spaced[golden.spacing](golden.T, golden.N);
  const seen: SamplerStep[] = [];
  for await (const step of sampler({ denoiser, schedule, shape, noise: { start, steps }, steps: chosen }))
    seen.push(step);
  return seen;
}

/** Largest difference between our states and the kept ones of diffusers, over kept positions before `end`. */
function largestGap(seen: SamplerStep[], { kept, states }: Trajectory, end: number = Infinity): number {
  const gaps = kept.map((position, k) => {
    const [ours, theirs] = [at(seen, position).xPrevious.data, at(states, k)];
    expect(theirs).toHaveLength(sizeOf(shape));
    return position < end ? Math.max(...theirs.map((x, i) => Math.abs(x - (ours[i] ?? NaN)))) : 0;
  });
  return Math.max(...gaps);
}

const describeCase = (c: Trajectory): string =>
  `${c.sampler} ${c.variance ?? `η = ${c.eta ?? NaN}`} T = ${c.T} N = ${c.N} ${c.spacing}${c.float32 ? " float32" : ""}`;
const named = golden.trajectories.map((c) => [describeCase(c), c] as const);

/** diffusers adds noise in the last step of DDPM unless that step is 0; Algorithm 2 of Ho et al. 2020 never does. */
const noisyEnd = ([, c]: (typeof named)[number]): boolean => c.sampler === "ddpm" && c.spacing === "trailing";
/** diffusers' DDIM takes t − ⌊T/N⌋ for the previous step, which linspace spacing does not have. */
const wrongStride = ([, c]: (typeof named)[number]): boolean => c.sampler === "ddim" && c.spacing === "linspace";

/** The library's float32 tables, where 1 − ᾱ of the first steps keeps three or four digits. */
const float32End = ([, c]: (typeof named)[number]): boolean => c.sampler === "ddpm" && c.float32;

describe("trajectories of diffusers", () => {
  const agreeing = named.filter((c) => !noisyEnd(c) && !wrongStride(c) && !float32End(c));

  it("are all looked at", () => {
    expect(agreeing).toHaveLength(21);
    expect(named.filter(noisyEnd)).toHaveLength(4);
    expect(named.filter(wrongStride)).toHaveLength(3);
    expect(named.filter(float32End)).toHaveLength(1);
  });

  it.each(agreeing)("%s", async (_name, c) => {
    const seen = await run(c);
    if (c.steps !== null) expect(seen.map(({ step }) => step)).toEqual(c.steps);
    expect(seen).toHaveLength(c.N);
    expect(largestGap(seen, c)).toBeLessThan(1e-5);
  });

  it("are far from those of another variance or η", async () => {
    const [, small] = named.find(([, c]) => c.variance === "small" && c.N === 50) ?? at(named, 0);
    expect(largestGap(await run(small, ddpm({ variance: "large" })), small)).toBeGreaterThan(1e-2);
    const [, half] = named.find(([, c]) => c.eta === 0.5) ?? at(named, 0);
    expect(largestGap(await run(half, ddim({ eta: 0.51 })), half)).toBeGreaterThan(1e-3);
  });
});

describe("where diffusers departs from the papers", () => {
  it.each(named.filter(noisyEnd))(
    "%s: only its last step differs, by noise that does not belong there",
    async (_n, c) => {
      const seen = await run(c);
      expect(largestGap(seen, c, c.N - 1)).toBeLessThan(1e-5);
      const last = at(seen, c.N - 1);
      const schedule = linearSchedule({ timesteps: c.T });
      const sigma = c.variance === "large" ? Math.sqrt(transitionBeta(schedule, last.step, -1)) : Math.sqrt(1e-20);
      const z = new Float32Array(sizeOf(shape));
      hashNoise(z, last.step);
      at(c.states, c.kept.length - 1).forEach((theirs, i) => {
        expect(Math.abs(theirs - (at(last.xPrevious.data, i) + sigma * at(z, i)))).toBeLessThan(1e-5);
      });
      if (c.variance === "large") expect(largestGap(seen, c)).toBeGreaterThan(1e-2);
    },
  );

  it.each(named.filter(wrongStride))("%s: it steps to t − ⌊T/N⌋, which is not the next step", async (_n, c) => {
    const stride = Math.floor(c.T / c.N);
    const assuming = samplerOf({
      name: "ddim by uniform stride",
      coefficients: (schedule, step) => ddimCoefficients(schedule, step, Math.max(-1, step - stride), c.eta ?? 0),
    });
    expect(largestGap(await run(c, assuming), c)).toBeLessThan(1e-5);
    expect(largestGap(await run(c), c)).toBeGreaterThan(1e-2);
  });
});

describe("float32 tables of diffusers", () => {
  it.each(named.filter(float32End))("%s: drift by themselves in the last two steps", async (_name, c) => {
    const seen = await run(c);
    expect(largestGap(seen, c, c.N - 2)).toBeLessThan(1e-5);
    const [theirDrift, ourGap] = [largestGap(seen, c), largestGap(await run(c, float32Ddpm(c.T)), c)];

    expect(ourGap).toBeLessThan(1e-5);
    expect(ourGap).toBeLessThan(theirDrift / 2);
  });
});

/** ᾱ of the linear schedule as diffusers ships it: betas, products and their differences rounded to float32. */
function float32AlphasCumprod(timesteps: number): number[] {
  let product = 1;
  return Array.from(linearSchedule({ timesteps }).betas, (beta) => {
    product = Math.fround(product * Math.fround(1 - Math.fround(beta)));
    return product;
  });
}

/** DDPM with the small variance from such a table, x̂0 written out in x_t and ε. */
function float32Ddpm(timesteps: number): Sampler {
  const table = float32AlphasCumprod(timesteps);
  const f = Math.fround;
  const coefficients = (_schedule: NoiseSchedule, step: number, previousStep: number): StepCoefficients => {
    const [abarT, abarS] = [at(table, step), previousStep < 0 ? 1 : at(table, previousStep)];
    const [noiseT, noiseS, alpha] = [f(1 - abarT), f(1 - abarS), f(abarT / abarS)];
    const beta = f(1 - alpha);
    const ofX0 = (Math.sqrt(abarS) * beta) / noiseT;
    const ofXt = (Math.sqrt(alpha) * noiseS) / noiseT + ofX0 / Math.sqrt(abarT);
    return { xt: ofXt, x0: 0, eps: -ofX0 * Math.sqrt(noiseT / abarT), noise: Math.sqrt((noiseS / noiseT) * beta) };
  };
  return samplerOf({ name: "ddpm in float32", coefficients });
}

describe("spacings of diffusers", () => {
  const same = ({ spacing, T, N, steps: theirs }: Golden["spacings"][number]): boolean =>
    JSON.stringify([...spaced[spacing](T, N)]) === JSON.stringify(theirs);

  it("agree but for trailing steps whose stride is no float64, where theirs pass 0 or round a tie wrongly", () => {
    const different = golden.spacings.filter((c) => !same(c));
    expect(different.map(({ spacing, T, N }) => [spacing, T, N])).toEqual([
      ["trailing", 1000, 48],
      ["trailing", 1000, 61],
    ]);
    expect(at(different, 1).steps).toHaveLength(62);
    expect(at(different, 1).steps.at(-1)).toBe(-1);
  });
});
