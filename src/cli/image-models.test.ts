import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { encodePlainPng } from "../formats/png.ts";
import { runHere, type Ended } from "./test-io.ts";

const SIDE = 8;
const PLACE = ["--device", "cpu", "--threads", "1"];
let folder: string;
let run: string;
const file = (name: string): string => join(folder, name);

/** A bright bar across or upright. */
function bar(index: number, upright: boolean): Uint8Array {
  const data = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => {
    const along = upright ? i % SIDE : Math.floor(i / SIDE);
    return along === 1 + (index % 5) ? 240 : 20 + (index % 7);
  });
  return encodePlainPng({ width: SIDE, height: SIDE, channels: 1, data });
}

const ok = async (...argv: string[]): Promise<Ended> => {
  const ended = await runHere([...argv]);
  expect([ended.code, ended.stderr]).toEqual([0, expect.not.stringContaining("unnoise:")]);
  return ended;
};
const evaluated = (...flags: string[]): Promise<Ended> => ok("evaluate", run, ...flags, ...PLACE);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unnoise-models-"));
  vi.stubEnv("XDG_CACHE_HOME", file("cache"));
  run = file("run");
  for (const name of ["across", "upright"]) {
    await mkdir(join(file("data"), name), { recursive: true });
    for (let i = 0; i < 60; i++) await writeFile(join(file("data"), name, `${i}.png`), bar(i, name === "upright"));
  }
  const training = "--network unet-tiny --iterations 6 --batch-size 8 --timesteps 12 --hold-out 0.5 --conditional";
  await ok("train", file("data"), "--out", run, ...training.split(" "), ...PLACE);
}, 60_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

describe("evaluate of a run on images", () => {
  it("prints scores beside their floor, with all that they depend on", async () => {
    const { stdout } = await evaluated("--count", "60", "--steps", "2", "--weights", "raw");
    expect(stdout).toMatch(/samples +floor/);
    for (const score of ["FID", "KID × 1000", "precision", "recall"]) expect(stdout).toContain(score);
    expect(stdout).toMatch(/60 samples against 60 images of the test part of data; weights: raw/);
    expect(stdout).toMatch(/features: classifier of data \([0-9a-f]{8}\), \d+ of them, right on [\d.]+ % of the test/);
    expect(stdout).toContain("floor: as many real training images");
    expect(await readdir(file("cache/unnoise"))).toEqual(["classifiers", "images"]);
  }, 60_000);

  it("refuses too few samples", async () => {
    const { code, stderr } = await runHere(["evaluate", run, "--count", "20", "--steps", "2", ...PLACE]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("expected 50 generated images at least, got 20")]);
  });

  it("has bits per dimension as the sum of the terms", async () => {
    const { stdout } = await evaluated("--bound", "--count", "5", "--json");
    const { bound, split, weights } = JSON.parse(stdout) as {
      split: string;
      weights: string;
      bound: Record<"total" | "prior" | "transitions" | "reconstruction", { mean: number }>;
    };
    expect([split, weights]).toEqual(["test", "EMA"]);
    const parts = bound.prior.mean + bound.transitions.mean + bound.reconstruction.mean;
    expect(bound.total.mean).toBeCloseTo(parts, 9);
    expect((await evaluated("--bound", "--count", "5", "--steps-per-image", "4")).stdout).toMatch(/4 steps of each/);
  });

  it.each([
    [["--bound", "--features", "net.onnx"], "--features: --bound needs no features"],
    [["--steps-per-image", "3"], "--steps-per-image: it belongs to --bound"],
    [["--oracle"], "--oracle: only runs on points have it"],
    [["--features", "net.onnx"], "add --feature-range"],
  ])("refuses %j", async (flags, message) => {
    const { code, stderr } = await runHere(["evaluate", run, ...flags]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe("export and import", () => {
  it("keep what a model draws", async () => {
    await ok("export", run, "--to", "diffusers", "--out", file("out"));
    await ok("import", file("out"), "--out", file("in"));
    const drawn = async (model: string): Promise<Buffer> => {
      const flags = ["--sampler", "ddim", "--steps", "3", "--count", "2", "--class", "1", "--overwrite"];
      await ok("sample", model, "--out", file("drawn.npy"), ...flags, ...PLACE);
      return readFile(file("drawn.npy"));
    };
    const own = await drawn(run);
    expect((await drawn(file("out"))).equals(own)).toBe(true);
    expect((await drawn(file("in"))).equals(own)).toBe(true);
  });

  it("write ONNX and safetensors, never over a file that is there", async () => {
    for (const [kind, name] of [
      ["onnx", "net.onnx"],
      ["safetensors", "net.safetensors"],
    ] as const) {
      await ok("export", run, "--to", kind, "--out", file(name));
      expect((await readFile(file(name))).length).toBeGreaterThan(10_000);
      const again = await runHere(["export", run, "--to", kind, "--out", file(name)]);
      expect(again.code).not.toBe(0);
      expect(again.stderr).toContain(name);
    }
  });

  it.each([
    [["export", "@", "--to", "diffusers"], /--out/],
    [["export", "@", "--out", "x"], /--to/],
    [["import", "nowhere", "--json"], /nowhere/],
  ])("refuse %j in one line", async (argv, message) => {
    const { code, stderr } = await runHere(argv.map((word) => (word === "@" ? run : word)));
    expect(code).not.toBe(0);
    expect(stderr).toMatch(message);
    expect(stderr.trim()).toMatch(/^[^\n]+$/);
  });
});
