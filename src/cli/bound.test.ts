import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runHere, type Ended } from "./test-io.ts";

const TINY = "--iterations 30 --width 16 --depth 1 --batch-size 32 --data-size 500 --timesteps 20".split(" ");
let folder: string;
let run: string;
const file = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unnoise-bound-"));
  run = file("run");
  const { code, stderr } = await runHere(["train", "moons", "--out", run, ...TINY, "--warmup", "5"]);
  expect([code, stderr]).toEqual([0, expect.stringContaining("next:")]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const ok = async (...flags: string[]): Promise<Ended> => {
  const ended = await runHere(["evaluate", run, ...flags]);
  expect([ended.code, ended.stderr]).toEqual([0, expect.not.stringContaining("unnoise:")]);
  return ended;
};

interface Amount {
  readonly nats: number;
  readonly standardError: number;
  readonly bitsPerDimension: number;
  readonly inDataUnits: { readonly nats: number };
}

interface Printed {
  readonly data: string;
  readonly count: number;
  readonly variance: string;
  readonly logScale: number;
  readonly prior: Amount;
  readonly transitions: Amount;
  readonly decoder: Amount;
  readonly total: Amount;
  readonly totalFromChains: Amount;
  readonly terms: readonly (Amount & { readonly step: number; readonly previousStep: number })[];
  readonly rateDistortion: { readonly rates: number[]; readonly distortions: number[] };
  readonly likelihood: Amount & { readonly trace: string };
  readonly oracle: Record<"entropy" | "gap" | "network" | "variance" | "discretisation", Amount> & {
    readonly losses: readonly { readonly bayes: number; readonly excess: number }[];
  };
}

const printed = async (...flags: string[]): Promise<Printed> =>
  JSON.parse((await ok(...flags, "--json")).stdout) as Printed;

describe("evaluate --bound", () => {
  it("prints its parts, in nats and bits, with standard errors, in both forms", async () => {
    const { stdout } = await ok("--bound", "--count", "200");
    for (const text of ["L_T, prior", "Σ L_{t−1}, all steps", "L_0, decoder", "total, from whole chains"]) {
      expect(stdout).toContain(text);
    }
    expect(stdout).toMatch(/^total {2,}\S+ ± \S+ {2,}\S+ ± \S+$/m);
    expect(stdout).toMatch(/200 fresh points; T = 20, large variance/);
    expect(stdout).toMatch(/variance of a row: [\d.]+; from whole chains [\d.]+/);
  });

  it("gives programs the same, and each term", async () => {
    const found = await printed("--bound", "--count", "300");
    const { prior, transitions, decoder, total, totalFromChains, terms, rateDistortion } = found;
    expect(total.nats).toBeCloseTo(prior.nats + transitions.nats + decoder.nats, 8);
    expect(total.bitsPerDimension).toBeCloseTo(total.nats / (2 * Math.LN2), 10);
    expect(total.inDataUnits.nats).toBeCloseTo(total.nats + found.logScale, 10);
    const spread = Math.hypot(total.standardError, totalFromChains.standardError);
    expect(Math.abs(total.nats - totalFromChains.nats)).toBeLessThan(4.5 * spread);
    expect(terms.map(({ step }) => step)).toEqual(Array.from({ length: 20 }, (_, step) => step));
    expect(terms.slice(1).reduce((sum, { nats }) => sum + nats, 0)).toBeCloseTo(transitions.nats, 8);
    for (const { nats, bitsPerDimension } of terms) expect(bitsPerDimension).toBeCloseTo(nats / (2 * Math.LN2), 10);
    expect(rateDistortion.rates).toHaveLength(20);
    expect(await printed("--bound", "--count", "300")).toEqual(found);
  });

  it("follows --steps, --variance and --preset", async () => {
    const short = await printed("--bound", "--count", "50", "--steps", "5", "--variance", "small");
    expect([short.terms.length, short.variance]).toEqual([5, "small"]);
    const [second, clamp] = [
      await printed("--bound", "--count", "50"),
      await printed("--bound", "--count", "50", "--preset", "ddim-official"),
    ];
    expect(clamp.decoder.nats).not.toBe(second.decoder.nats);
    expect(clamp.transitions.nats).toBe(second.transitions.nats);
  });

  it("draws its terms to a file", async () => {
    const path = file("bound.svg");
    const { stdout, stderr } = await ok("--bound", "--count", "50", "--out", path);
    expect(stdout).toContain("L_0, decoder");
    expect(stderr).toContain("terms of the bound");
    expect(await readFile(path, "utf8")).toContain("rate (bits/dim)");
    const picture = await ok("--bound", "--count", "50", "--out", "-", "--format", "svg");
    expect(picture.stdout.startsWith("<svg")).toBe(true);
  });
});

describe("evaluate --likelihood, --oracle", () => {
  it("puts the ODE's likelihood beside the bound, below it", async () => {
    const { likelihood, total } = await printed("--likelihood", "--count", "100");
    expect(likelihood.trace).toBe("exact");
    expect(likelihood.nats).toBeLessThan(total.nats + 4 * total.standardError);
    expect((await ok("--likelihood", "--count", "20")).stdout).toContain("probability-flow ODE");
  });

  it("splits the gap to the entropy into parts that add up", async () => {
    const { oracle, totalFromChains } = await printed("--oracle", "--count", "100");
    const { entropy, gap, network, variance, discretisation, losses } = oracle;
    expect(gap.nats).toBeCloseTo(totalFromChains.nats - entropy.nats, 8);
    expect(network.nats + variance.nats + discretisation.nats).toBeCloseTo(gap.nats, 8);
    expect(network.nats).toBeGreaterThan(0);
    expect(losses.every(({ bayes, excess }) => bayes > 0 && bayes < 1 && excess > 0)).toBe(true);
    expect((await ok("--oracle", "--count", "20")).stdout).toMatch(/^ {2}discretisation/m);
  });

  it("follows what the network predicts, and the variance that it learned", async () => {
    const other = file("learned");
    const flags = ["--prediction", "v", "--variance", "learned-range", "--objective", "hybrid"];
    expect((await runHere(["train", "moons", "--out", other, ...TINY, "--warmup", "5", ...flags])).code).toBe(0);
    const { code, stdout } = await runHere([..."evaluate --likelihood --oracle --count 100 --json".split(" "), other]);
    const { variance, totalFromChains, likelihood, oracle } = JSON.parse(stdout) as Printed;
    expect([code, variance]).toEqual([0, "learned"]);
    expect(likelihood.nats).toBeLessThan(totalFromChains.nats + 4 * totalFromChains.standardError);
    expect(oracle.network.nats).toBeGreaterThan(0);
  });

  it("takes a kernel density for data of unknown origin", async () => {
    const [points, other] = [file("points.csv"), file("other")];
    expect((await runHere(["data", "moons", "--count", "200", "--out", points])).code).toBe(0);
    expect((await runHere(["train", points, "--out", other, ...TINY, "--warmup", "5"])).code).toBe(0);
    const { code, stdout } = await runHere(["evaluate", other, "--oracle", "--count", "30", "--json"]);
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as Printed).data).toBe("30 draws from a kernel density of the data");
    const bound = await runHere(["evaluate", other, "--bound", "--json"]);
    expect((JSON.parse(bound.stdout) as Printed).data).toBe("200 points of the training data");
  });

  it.each([
    [["--bound", "--sampler", "ddim"], "--sampler ddim"],
    [["--oracle", "--clip", "3"], "--oracle: the exact mean has no limits; leave out --clip"],
    [["--likelihood", "--threshold", "0.9"], "--likelihood: the ODE has no limits; leave out --clip"],
    [["--bound", "--count", "1"], "2 points at least"],
    [["--out", "x.svg"], "add --bound"],
    [["--bound", "--variance", "learned"], "--variance learned"],
    [["--bound", "--out", "x.gif"], "expected a file ending in"],
  ])("%j is refused", async (flags, message) => {
    const { code, stderr } = await runHere(["evaluate", run, ...flags]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});
