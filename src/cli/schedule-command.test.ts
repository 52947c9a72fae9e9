import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeNpy } from "../formats/npy.ts";
import { floatTensor } from "../tensor/tensor.ts";
import { scheduleFamilies } from "./schedule-flags.ts";
import { runHere } from "./test-io.ts";

interface Printed {
  readonly name: string;
  readonly schedule: string;
  readonly timesteps: number;
  readonly alphaCumprodT: number;
  readonly priorBits: number;
  readonly findings: string[];
  readonly steps?: number[];
  readonly betas: number[];
  readonly alphasCumprod: number[];
  readonly snr: number[];
  readonly logSnr: (number | null)[];
  readonly posteriorVariances: number[];
}

let folder: string;
const file = (name: string): string => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unnoise-schedule-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function printed(...argv: string[]): Promise<Printed> {
  const { code, stdout, stderr } = await runHere(["schedule", ...argv, "--json"]);
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as Printed;
}

describe("as text", () => {
  it("is a table of eleven steps, ᾱ_T and L_T", async () => {
    const { code, stdout, stderr } = await runHere(["schedule", "linear"]);
    expect([code, stderr]).toEqual([0, ""]);
    const lines = stdout.split("\n");
    expect(lines[0]).toBe("linear, T = 1000");
    expect(lines[2]?.split(/\s+/)).toEqual(["t", "β", "ᾱ", "SNR", "log", "SNR", "β̃"]);
    expect(lines.slice(3, 14).map((line) => Number(line.split(/\s+/)[0]))).toEqual([
      1, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000,
    ]);
    expect(lines[13]).toBe("1000   0.02000  4.036e-5  4.036e-5  −10.118   0.02000");
    expect(lines[15]).toBe("ᾱ_T = 4.036e-5, L_T = 2.911e-5 bits per dimension");
  });

  it("lines its columns up, in spite of the mark on β̃", async () => {
    const { stdout } = await runHere(["schedule", "karras"]);
    const widths = stdout
      .split("\n")
      .slice(2, 14)
      .map((line) => line.replaceAll(/\p{Mark}/gu, "").length);
    expect(new Set(widths).size).toBe(1);
  });

  it("shows every step of a short one, and −∞ where ᾱ = 0", async () => {
    const { stdout } = await runHere(["schedule", "jsd", "--timesteps", "3", "--quiet"]);
    const rows = stdout
      .split("\n")
      .slice(3, 6)
      .map((line) => line.trim().split(/\s+/));
    expect(rows.map(([t]) => t)).toEqual(["1", "2", "3"]);
    expect(rows[2]).toEqual(["3", "1", "0", "0", "−∞", "0.6667"]);
  });

  it("warns on stderr, unless quiet", async () => {
    const { code, stderr } = await runHere(["schedule", "linear", "--timesteps", "50"]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^warning: schedule: ᾱ_T = 0\.603 .* about 20 times as large\n$/);
    expect((await runHere(["schedule", "linear", "--timesteps", "50", "--quiet"])).stderr).toBe("");
  });

  it("lists and checks sampling steps", async () => {
    const leading = await runHere(["schedule", "linear", "--steps", "50", "--spacing", "leading"]);
    expect(leading.stdout).toContain("50 sampling steps: 980, 960, ");
    expect(leading.stderr).toMatch(/^warning: steps: sampling starts from pure noise at step 980/);
    const trailing = await runHere(["schedule", "linear", "--steps", "4"]);
    expect(trailing.stdout).toContain("4 sampling steps: 999, 749, 499, 249\n");
    expect(trailing.stderr).toBe("");
  });
});

describe("as JSON", () => {
  it.each(scheduleFamilies)("%s: arrays of T numbers", async (name) => {
    const { timesteps, schedule, betas, ...others } = await printed(name, "--timesteps", "40");
    expect([schedule, timesteps, betas.length]).toEqual([name, 40, 40]);
    for (const values of [others.alphasCumprod, others.snr, others.logSnr, others.posteriorVariances]) {
      expect(values).toHaveLength(40);
    }
    expect(others.alphasCumprod.at(-1)).toBe(others.alphaCumprodT);
  });

  it("holds the findings, and null for −∞", async () => {
    const { findings, logSnr, alphaCumprodT, priorBits } = await printed("linear", "--zero-terminal-snr");
    expect(findings).toEqual([expect.stringContaining("predict v or x0")]);
    expect([logSnr.at(-1), alphaCumprodT, priorBits]).toEqual([null, 0, 0]);
    expect((await printed("linear", "--zero-terminal-snr", "--prediction", "v")).findings).toEqual([]);
  });

  it("says the sampling steps", async () => {
    expect((await printed("cosine", "--steps", "2", "--spacing", "linspace")).steps).toEqual([999, 0]);
    const karras = await printed("linear", "--steps", "20", "--spacing", "karras");
    expect([karras.steps?.length, karras.steps?.[0], karras.findings]).toEqual([20, 999, []]);
    expect(await printed("cosine")).not.toHaveProperty("steps");
  });

  it("takes its options", async () => {
    const ends = async (...argv: string[]): Promise<(number | undefined)[]> => {
      const { betas } = await printed(...argv);
      return [betas[0], betas.at(-1)];
    };
    expect(await ends("linear", "--beta-start", "0.01", "--beta-end", "0.3")).toEqual([0.01, 0.3]);
    expect(await ends("linear", "--timesteps", "100", "--rescale-betas")).toEqual([0.001, 0.2]);
    const { snr } = await printed("geometric", "--sigma-min", "0.1", "--sigma-max", "10", "--timesteps", "9");
    expect(snr[0]).toBeCloseTo(100, 8);
    expect(snr[8]).toBeCloseTo(0.01, 12);
  });
});

describe("from a file of betas", () => {
  it("reads what --json prints, .csv and .npy", async () => {
    const { betas, alphasCumprod } = await printed("cosine", "--timesteps", "25");
    await writeFile(file("own.json"), JSON.stringify({ betas }));
    await writeFile(file("plain.json"), JSON.stringify(betas));
    await writeFile(file("own.csv"), `beta\n${betas.join("\n")}\n`);
    for (const name of ["own.json", "plain.json", "own.csv"]) {
      const again = await printed(file(name));
      expect([again.schedule, again.alphasCumprod]).toEqual(["custom", alphasCumprod]);
    }
    await writeFile(file("own.npy"), encodeNpy(floatTensor(betas, [25])));
    expect((await printed(file("own.npy"), "--timesteps", "25")).betas).toEqual(betas.map(Math.fround));
  });

  it("can be rescaled, and says when its betas fall", async () => {
    await writeFile(file("falling.json"), "[0.1, 0.2, 0.1, 0.95, 0.999]");
    const { findings, alphaCumprodT } = await printed(
      file("falling.json"),
      "--zero-terminal-snr",
      "--prediction",
      "x0",
    );
    expect([findings, alphaCumprodT]).toEqual([[expect.stringContaining("from 0.201 (t = 2) to 0.101 (t = 3)")], 0]);
    const plain = await runHere(["schedule", file("falling.json")]);
    expect(plain.stderr).toMatch(/warning: .*clipped at 0\.999[^\n]*\nwarning: .*betas decrease at 1 of 4 steps/);
  });
});

describe("as a figure", () => {
  it("draws SVG and PNG", async () => {
    expect(await runHere(["schedule", "jsd", "--out", file("jsd.svg"), "--prediction", "v"])).toMatchObject({
      code: 0,
      stdout: "",
      stderr: `${file("jsd.svg")}: jsd with 1,000 timesteps\n`,
    });
    const svg = await readFile(file("jsd.svg"), "utf8");
    for (const text of ["β (forward)", "β̃ (posterior)", "ᾱ", "√ᾱ (signal)", "log SNR (nats)", "L_T = 0 bits"]) {
      expect(svg).toContain(text);
    }
    expect(svg).not.toMatch(/NaN|Infinity/);
    expect(await runHere(["schedule", "karras", "--out", file("karras.png")])).toMatchObject({ code: 0 });
    expect((await readFile(file("karras.png"))).subarray(1, 4).toString()).toBe("PNG");
  });

  it("goes to stdout, and replaces a file only when asked", async () => {
    const { code, stdout } = await runHere(["schedule", "linear", "--out", "-"]);
    expect([code, stdout.startsWith("<svg")]).toEqual([0, true]);
    await writeFile(file("there.svg"), "mine");
    expect(await runHere(["schedule", "linear", "--out", file("there.svg")])).toMatchObject({ code: 2 });
    expect(await readFile(file("there.svg"), "utf8")).toBe("mine");
    expect(await runHere(["schedule", "linear", "--out", file("there.svg"), "--overwrite"])).toMatchObject({ code: 0 });
  });
});
