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

  it("refuses too few images to compare with before it draws any", async () => {
    const [data, out] = [file("few"), file("few-run")];
    await mkdir(join(data, "one"), { recursive: true });
    for (let i = 0; i < 9; i++) await writeFile(join(data, "one", `${i}.png`), bar(i, true));
    await ok("train", data, "--out", out, "--network", "unet-tiny", "--iterations", "1", "--batch-size", "2", ...PLACE);
    const { code, stderr } = await runHere(["evaluate", out, ...PLACE]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^unnoise: .*50 reference images at least, got 9/)]);
    const named = await runHere(["sample", out, "--out", file("none.png"), "--class", "0"]);
    expect([named.code, named.stderr]).toEqual([2, expect.stringContaining("was trained without classes")]);
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

  it("guides samples, and takes the part and the number of images to measure against", async () => {
    const flags = ["--count", "60", "--steps", "2", "--seed", "1"];
    const guided = async (w: string): Promise<object> => {
      const more = ["--guidance", w, "--split", "train", "--reference-count", "55", "--json"];
      return JSON.parse((await evaluated(...flags, ...more)).stdout) as object;
    };
    const [plain, strong] = [await guided("1"), await guided("5")];
    expect(plain).toMatchObject({ scores: { reference: "train", referenceCount: 55, n: 60 } });
    expect(strong).not.toMatchObject({ scores: { fid: (plain as { scores: { fid: number } }).scores.fid } });
    const { stdout } = await evaluated("--bound", "--count", "5", "--split", "train", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ split: "train", bound: { classes: "told" } });
  }, 60_000);

  it("measures a model of diffusers against images that are named", async () => {
    await ok("export", run, "--to", "diffusers", "--out", file("judged"));
    const against = ["--data", file("data"), ...PLACE];
    const bound = await ok("evaluate", file("judged"), "--bound", "--count", "5", "--json", ...against);
    expect(JSON.parse(bound.stdout)).toMatchObject({
      ...{ weights: "as saved", split: "train" },
      bound: { images: 5, classes: "told" },
    });
    const scored = await ok("evaluate", file("judged"), "--count", "60", "--steps", "2", ...against);
    expect(scored.stdout).toMatch(/60 samples against 60 images of the train part of data; weights: as saved/);
    for (const [more, message] of [
      [[], "does not say what it was trained on; name the images to measure it against with --data"],
      [["--data", file("data"), "--split", "test"], "--split test: data has no test part; take train"],
      [["--data", file("data"), "--weights", "raw"], "--weights: .* has but one set"],
    ] as const) {
      const { code, stderr } = await runHere(["evaluate", file("judged"), ...more, ...PLACE]);
      expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
    }
  }, 60_000);

  it.each([
    [["--data", "digits"], "--data: a run knows its data"],
    [["--bound", "--steps", "5"], "--steps: the bound of images is that of all steps"],
    [["--reference-count", "20"], "expected 50 reference images at least, got 20"],
    [["--reference-count", "61"], "referenceCount must be an integer in 1…60, got 61"],
    [["--bound", "--guidance", "2"], "--guidance: --bound draws no samples"],
    [["--bound", "--features", "net.onnx"], "--features: --bound draws no samples"],
    [["--steps-per-image", "3"], "--steps-per-image: it belongs to --bound"],
    [["--oracle"], "--oracle: evaluate has it for points only"],
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
      const flags = ["--sampler", "ddim", "--steps", "3", "--count", "2", "--overwrite"];
      const pictures: Buffer[] = [];
      for (const of of [["--class", "upright"], ["--class", "upright", "--guidance", "2"], []]) {
        await ok("sample", model, "--out", file("drawn.npy"), ...flags, ...of, ...PLACE);
        pictures.push(await readFile(file("drawn.npy")));
      }
      return Buffer.concat(pictures);
    };
    const own = await drawn(run);
    for (const model of [join(run, "model"), file("out")]) {
      expect((await readdir(model)).sort()).toEqual(["checksums.json", "model_index.json", "scheduler", "unet"]);
    }
    expect((await drawn(file("out"))).equals(own)).toBe(true);
    expect((await drawn(file("in"))).equals(own)).toBe(true);
  });

  it("ask for a class where nothing says which of them stands for none", async () => {
    await ok("export", run, "--to", "diffusers", "--out", file("nameless"));
    const index = join(file("nameless"), "model_index.json");
    const { _unnoise: _own, ...rest } = JSON.parse(await readFile(index, "utf8")) as Record<string, unknown>;
    await writeFile(index, JSON.stringify(rest));
    await rm(join(file("nameless"), "checksums.json"));
    const { code, stderr } = await runHere(["sample", file("nameless"), "--out", file("nameless.png"), ...PLACE]);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining(
        "--class is missing: this model draws images of a class only; add --class with a number in 0…2",
      ),
    ]);
  });

  it("write ONNX and safetensors, never over a file that is there", async () => {
    for (const [kind, name] of [
      ["onnx", "net.onnx"],
      ["safetensors", "net.safetensors"],
    ] as const) {
      await ok("export", run, "--to", kind, "--out", file(name));
      expect((await readFile(file(name))).length).toBeGreaterThan(10_000);
      const again = await runHere(["export", run, "--to", kind, "--out", file(name)]);
      expect([again.code, again.stderr]).toEqual([2, expect.stringMatching(/--out .*already exists; .*--overwrite/)]);
      expect(again.stderr).toContain(name);
    }
    await ok("export", run, "--to", "diffusers", "--out", file("twice"));
    for (const argv of [
      ["export", run, "--to", "diffusers"],
      ["import", file("twice")],
    ]) {
      const { code, stderr } = await runHere([...argv, "--out", file("twice")]);
      expect([code, stderr]).toEqual([2, expect.stringMatching(/--out .*has files already; .*--overwrite/)]);
    }
  });

  it.each([
    [["export", "@", "--to", "diffusers"], /--out/],
    [["export", "@", "--out", "x"], /--to/],
    [["import", "nowhere", "--json"], /nowhere/],
    [["import", "@", "--json"], /is a run of unnoise, which needs no import; .*unnoise export .* --to diffusers/],
  ])("refuse %j in one line", async (argv, message) => {
    const { code, stderr } = await runHere(argv.map((word) => (word === "@" ? run : word)));
    expect(code).not.toBe(0);
    expect(stderr).toMatch(message);
    expect(stderr.trim()).toMatch(/^[^\n]+$/);
  });
});
