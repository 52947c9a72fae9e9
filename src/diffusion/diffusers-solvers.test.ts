import { describe, expect, it } from "vitest";
import { largestGap, readGolden, replay, type Trajectory } from "../../test/golden-diffusers.ts";
import { at } from "../math/error.ts";
import { weightedSum } from "./combine.ts";
import { edmSigma } from "./noise-level.ts";
import { gaussianDenoiser } from "./oracle.ts";
import type { Sampler } from "./sampler.ts";
import { dpmpp2mSde } from "./samplers/dpmpp-2m-sde.ts";
import { dpmpp2m } from "./samplers/dpmpp-2m.ts";
import { euler } from "./samplers/euler.ts";
import { heun } from "./samplers/heun.ts";
import { uniPc, type UniPcOptions } from "./samplers/unipc.ts";
import { samplerFrom } from "./sampling-loop.ts";
import { alphaCumprodAt, linearSchedule } from "./schedule.ts";

interface SolverTrajectory extends Trajectory {
  readonly sampler: "euler" | "heun" | "dpmpp-2m" | "dpmpp-2m-sde" | "unipc";
  readonly order?: UniPcOptions["order"];
  readonly variant?: UniPcOptions["variant"];
  readonly churn?: number;
  readonly steps: readonly number[];
}

const { trajectories } = readGolden("diffusers-solvers.json") as { trajectories: SolverTrajectory[] };

const makers: Record<SolverTrajectory["sampler"], (golden: SolverTrajectory) => Sampler> = {
  euler: ({ churn = 0 }) => euler({ churn }),
  heun: () => heun(),
  "dpmpp-2m": () => dpmpp2m(),
  "dpmpp-2m-sde": () => dpmpp2mSde(),
  unipc: ({ order = 2, variant = "bh2" }) => uniPc({ order, variant }),
};
const samplerFor = (golden: SolverTrajectory): Sampler => makers[golden.sampler](golden);

const describeCase = ({ steps: _steps, kept: _kept, states: _states, ...rest }: SolverTrajectory): string =>
  Object.entries(rest)
    .map(([key, value]) => (key === "sampler" ? String(value) : `${key} ${String(value)}`))
    .join(" ");
const named = trajectories.map((c) => [describeCase(c), c] as const);

/** Euler in diffusers evaluates before it adds noise. */
const stale = ([, c]: (typeof named)[number]): boolean => c.churn !== undefined;
/** B(h) = h of bh1 is infinite in a step to σ = 0, and diffusers multiplies it by 0. */
const notANumber = ([, c]: (typeof named)[number]): boolean => c.states.at(-1) === null;

describe("trajectories of diffusers' solvers", () => {
  const agreeing = named.filter((c) => !stale(c) && !notANumber(c));

  it("are all looked at", () => {
    const tally = (cases: typeof named): Record<string, number> => {
      const counts: Record<string, number> = {};
      for (const [, { sampler }] of cases) counts[sampler] = (counts[sampler] ?? 0) + 1;
      return counts;
    };
    expect(tally(agreeing)).toEqual({ euler: 9, heun: 10, "dpmpp-2m": 13, "dpmpp-2m-sde": 12, unipc: 40 });
    expect(tally(named.filter(stale))).toEqual({ euler: 1 });
    expect(tally(named.filter(notANumber))).toEqual({ unipc: 15 });
  });

  it.each(agreeing)("%s", async (_name, c) => {
    const seen = await replay(c, samplerFor(c), c.steps);
    expect(seen.map(({ step }) => step)).toEqual(c.steps);
    expect(largestGap(seen, c)).toBeLessThan(1e-5);
  });

  it("are far from those of another solver, order or variant", async () => {
    const [, second] = find(({ sampler, order, N }) => sampler === "unipc" && order === 2 && N === 50);
    for (const other of [uniPc({ order: 1 }), uniPc({ order: 3 }), dpmpp2m(), heun()]) {
      expect(largestGap(await replay(second, other, second.steps), second)).toBeGreaterThan(1e-4);
    }
    const [, third] = find(({ sampler, order, N }) => sampler === "unipc" && order === 3 && N === 50);
    const kept = uniPc({ order: 3, lowerOrderFinal: false });
    expect(largestGap(await replay(third, kept, third.steps), third)).toBeGreaterThan(1e-4);
    const [, first] = find(({ sampler, order, until }) => sampler === "unipc" && order === 1 && until === 0);
    const variant = uniPc({ order: 1, variant: first.variant === "bh1" ? "bh2" : "bh1" });
    expect(largestGap(await replay(first, variant, first.steps), first)).toBeGreaterThan(1e-3);
  });
});

function find(wanted: (c: SolverTrajectory) => boolean): (typeof named)[number] {
  return at(
    named.filter((c) => wanted(c[1]) && !notANumber(c)),
    0,
  );
}

describe("where diffusers' solvers depart from the papers", () => {
  it.each(named.filter(notANumber))("%s: only its last step differs, which is NaN", async (_name, c) => {
    const seen = await replay(c, samplerFor(c), c.steps);
    expect(c.kept.at(-1)).toBe(c.N - 1);
    const before = { ...c, kept: c.kept.slice(0, -1), states: c.states.slice(0, -1) };
    expect(largestGap(seen, before)).toBeLessThan(1e-5);
    const last = at(seen, c.N - 1);
    expect([...last.xPrevious.data]).toEqual([...last.x0.data]);
  });

  it.each(named.filter(stale))(
    "%s: it evaluates x_t, then adds the noise and uses the ε of before",
    async (_name, c) => {
      expect(largestGap(await replay(c, eulerWithStaleEps(c.churn ?? 0), c.steps), c)).toBeLessThan(1e-5);
      expect(largestGap(await replay(c, samplerFor(c), c.steps), c)).toBeGreaterThan(1e-2);
    },
  );

  it("which leaves noise in the samples of data that have none, as Algorithm 2 does not", async () => {
    const [, c] = at(named.filter(stale), 0);
    const schedule = linearSchedule({ timesteps: c.T });
    const denoiser = gaussianDenoiser({ mean: [0, 0], variance: [0, 0] }, schedule);
    const largest = async (sampler: Sampler): Promise<number> => {
      const end = (await replay(c, sampler, c.steps, { denoiser })).at(-1);
      return Math.max(...Array.from(end?.xPrevious.data ?? [NaN], Math.abs));
    };
    expect(await largest(euler({ churn: 3 }))).toBeLessThan(1e-6);
    expect(await largest(heun({ churn: 3 }))).toBeLessThan(1e-6);
    expect(await largest(eulerWithStaleEps(3))).toBeGreaterThan(0.1);
  });
});

/** x̃_s = x̃ + √(σ̂² − σ²) z + (σ_s − σ̂) ε(x̃; σ), where Algorithm 2 has ε(x̃̂; σ̂). */
function eulerWithStaleEps(churn: number): Sampler {
  return samplerFrom({
    name: "euler of diffusers",
    begin:
      (walk) =>
      async (xt, { step, previousStep, count }) => {
        const { x0, eps } = await walk.estimate(xt, step);
        const [sigma, sigmaNext] = [edmSigma(walk.schedule, step), edmSigma(walk.schedule, previousStep)];
        const raised = sigma * (1 + Math.min(churn / count, Math.SQRT2 - 1));
        const signal = Math.sqrt(alphaCumprodAt(walk.schedule, previousStep));
        const xPrevious = weightedSum([
          [signal / Math.sqrt(alphaCumprodAt(walk.schedule, step)), xt],
          [signal * Math.sqrt(raised ** 2 - sigma ** 2), walk.normals(step)],
          [signal * (sigmaNext - raised), eps],
        ]);
        return { x0, eps, xPrevious };
      },
  });
}
