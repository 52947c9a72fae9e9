import { describe, expect, it } from "vitest";
import {
  fixedDenoiser,
  goldenShape,
  hashNoise,
  largestGap,
  readGolden,
  replay,
  type Trajectory,
} from "../../test/golden-diffusers.ts";
import { at } from "../math/error.ts";
import { sizeOf } from "../tensor/tensor.ts";
import { transitionBeta } from "./forward.ts";
import { samplerOf } from "./linear-method.ts";
import type { Sampler, SamplerStep, StepCoefficients } from "./sampler.ts";
import { ddim, ddimCoefficients } from "./samplers/ddim.ts";
import { ddpm } from "./samplers/ddpm.ts";
import { linearSchedule, type NoiseSchedule } from "./schedule.ts";
import { leadingSteps, linspaceSteps, trailingSteps } from "./steps.ts";

const spaced = { leading: leadingSteps, trailing: trailingSteps, linspace: linspaceSteps };

interface AncestralTrajectory extends Trajectory {
  readonly sampler: "ddpm" | "ddim";
  /** The generator's name of what diffusers calls fixed_…, learned_range (`range`) and learned (`free`). */
  readonly variance?: "large" | "small" | "small_log" | "large_log" | "range" | "free" | "free_as_log";
  readonly eta?: number;
  /** Added to the leading steps. */
  readonly offset?: number;
  readonly float32: boolean;
}
interface Golden {
  readonly trajectories: AncestralTrajectory[];
  readonly spacings: (Pick<Trajectory, "spacing" | "T" | "N"> & { readonly steps: number[] })[];
}

const golden = readGolden("diffusers.json") as Golden;

const learned = { range: "range", free: "free", free_as_log: "free" } as const;
const fixed = { large: "large", small: "small", small_log: "small", large_log: "large" } as const;

function samplerFor({ sampler, eta = 0, variance = "large" }: AncestralTrajectory): Sampler {
  if (sampler === "ddim") return ddim({ eta });
  return ddpm({ variance: variance in fixed ? fixed[variance as keyof typeof fixed] : "learned" });
}

async function run(golden: AncestralTrajectory, sampler: Sampler = samplerFor(golden)): Promise<SamplerStep[]> {
  const { spacing, T, N, offset = 0, prediction, variance = "large" } = golden;
  const chosen = spaced[spacing](T, N).map((step) => step + offset);
  const says = variance in learned ? learned[variance as keyof typeof learned] : undefined;
  return replay(golden, sampler, chosen, {
    denoiser: fixedDenoiser(linearSchedule({ timesteps: T }), prediction, says),
  });
}

const describeCase = ({ steps: _steps, kept: _kept, states: _states, ...rest }: AncestralTrajectory): string =>
  Object.entries(rest)
    .map(([key, value]) => (key === "sampler" ? String(value) : `${key} ${String(value)}`))
    .join(" ");
const named = golden.trajectories.map((c) => [describeCase(c), c] as const);

/** diffusers adds noise in the last step of DDPM unless that step is 0; Algorithm 2 of Ho et al. 2020 never does. */
const noisyEnd = ([, c]: (typeof named)[number]): boolean =>
  c.sampler === "ddpm" && (c.spacing === "trailing" || c.offset !== undefined);
/** diffusers' DDIM takes t − ⌊T/N⌋ for the previous step, which linspace spacing does not have. */
const wrongStride = ([, c]: (typeof named)[number]): boolean => c.sampler === "ddim" && c.spacing === "linspace";
/** fixed_large_log takes the square root of a logarithm, and so does learned of what OpenAI's networks learn, log σ². */
const notANumber = ([, c]: (typeof named)[number]): boolean => at(c.states, 0) === null;
/** Without a larger sample_max_value, diffusers' dynamic threshold is 1 whatever the quantile. */
const staticThreshold = ([, c]: (typeof named)[number]): boolean => c.quantile !== undefined && c.max === undefined;
/** The library's float32 tables, where 1 − ᾱ of the first steps keeps three or four digits. */
const float32End = ([, c]: (typeof named)[number]): boolean => c.sampler === "ddpm" && c.float32;

describe("trajectories of diffusers", () => {
  const departing = [noisyEnd, wrongStride, notANumber, staticThreshold, float32End];
  const agreeing = named.filter((c) => !departing.some((departs) => departs(c)));

  it("are all looked at", () => {
    const counts = departing.map((departs) => named.filter(departs).length);
    expect([agreeing.length, ...counts]).toEqual([85, 6, 3, 2, 1, 1]);
    const variances = new Set(agreeing.flatMap(([, { variance }]) => variance ?? []));
    expect([...variances].sort()).toEqual(["free", "large", "range", "small", "small_log"]);
  });

  it.each(agreeing)("%s", async (_name, c) => {
    const seen = await run(c);
    if (c.steps !== null) expect(seen.map(({ step }) => step)).toEqual(c.steps);
    expect(seen).toHaveLength(c.N);
    expect(largestGap(seen, c)).toBeLessThan(1e-5);
  });

  it("are far from those of another variance, η or ε after clipping", async () => {
    const [, small] = named.find(([, c]) => c.variance === "small" && c.N === 50) ?? at(named, 0);
    expect(largestGap(await run(small, ddpm({ variance: "large" })), small)).toBeGreaterThan(1e-2);
    const [, half] = named.find(([, c]) => c.eta === 0.5) ?? at(named, 0);
    expect(largestGap(await run(half, ddim({ eta: 0.51 })), half)).toBeGreaterThan(1e-3);
    const [, dynamic] = named.find(([, c]) => c.quantile !== undefined && c.sampler === "ddpm") ?? at(named, 0);
    expect(largestGap(await run({ ...dynamic, quantile: 0.8 }), dynamic)).toBeGreaterThan(1e-2);
    for (const limit of ["clip", "quantile"] as const) {
      const [, kept] = named.find(([, c]) => c[limit] !== undefined && c.eps === "kept") ?? at(named, 0);
      expect(largestGap(await run({ ...kept, eps: "rederived" }), kept)).toBeGreaterThan(1e-2);
    }
  });
});

describe("where diffusers departs from the papers", () => {
  it.each(named.filter(noisyEnd))(
    "%s: only its last step differs, by noise that does not belong there",
    async (_n, c) => {
      const seen = await run(c);
      expect(largestGap(seen, c, c.N - 1)).toBeLessThan(1e-5);
      const last = at(seen, c.N - 1);
      const deviations = lastDeviations(c, last);
      const z = new Float32Array(sizeOf(goldenShape));
      hashNoise(z, last.step);
      at(c.states, c.kept.length - 1)?.forEach((theirs, i) => {
        expect(Math.abs(theirs - (at(last.xPrevious.data, i) + at(deviations, i) * at(z, i)))).toBeLessThan(1e-5);
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

  it.each(named.filter(notANumber))("%s: NaN from the first step, finite here", async (_n, c) => {
    expect(c.states.every((state) => state === null)).toBe(true);
    const seen = await run(c);
    expect(seen.every(({ xPrevious }) => xPrevious.data.every(Number.isFinite))).toBe(true);
  });

  it("the free variance of a network that learned log σ² is what diffusers does with its exponential", async () => {
    const [, asLog] = named.find(([, c]) => c.variance === "free_as_log") ?? at(named, 0);
    const [, asVariance] = named.find(([, c]) => c.variance === "free" && c.N === asLog.N) ?? at(named, 0);
    expect(largestGap(await run(asLog), asVariance)).toBeLessThan(1e-5);
  });

  it.each(named.filter(staticThreshold))("%s: it clips to ±1, whatever the quantile", async (_n, c) => {
    const { quantile: _quantile, ...clipped } = { ...c, clip: 1 };
    expect(largestGap(await run(clipped), c)).toBeLessThan(1e-5);
    expect(largestGap(await run({ ...c, max: Infinity }), c)).toBeGreaterThan(1e-2);
  });
});

/** σ of the noise that diffusers adds in its last step: from β, or from a posterior variance of 0 that is clamped to 1e-20. */
function lastDeviations(c: AncestralTrajectory, { step, xt }: SamplerStep): number[] {
  const large = transitionBeta(linearSchedule({ timesteps: c.T }), step, -1);
  const clamped = 1e-20;
  return Array.from(xt.data, (x) => {
    if (c.variance !== "range") return Math.sqrt(c.variance === "large" ? large : clamped);
    const part = (Math.cos(3 * x + (3 * step) / c.T) + 1) / 2;
    return Math.exp((part * Math.log(large) + (1 - part) * Math.log(clamped)) / 2);
  });
}

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
