import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeNpy } from "../formats/npy.ts";
import { levelsOf } from "../formats/pixels.ts";
import { decodePng, encodePlainPng, encodePng } from "../formats/png.ts";
import { at } from "../math/error.ts";
import { runHere, type Ended } from "./test-io.ts";

const SIDE = 8;
const PIXELS = SIDE * SIDE;
const TRAINING = "--network unet-tiny --iterations 40 --batch-size 8 --timesteps 20 --warmup 5 --conditional".split(
  " ",
);
const PLACE = ["--device", "cpu", "--threads", "1"];
let folder: string;
let run: string;
const file = (name: string): string => join(folder, name);

/** A grey picture: a bright bar across or upright, somewhere. */
function bar(index: number, upright: boolean): Uint8Array {
  const place = 1 + (index % 5);
  const data = Uint8Array.from({ length: PIXELS }, (_, i) => {
    const along = upright ? i % SIDE : Math.floor(i / SIDE);
    return along === place || along === place + 1 ? 240 : 20;
  });
  return encodePlainPng({ width: SIDE, height: SIDE, channels: 1, data });
}

const ok = async (...argv: string[]): Promise<Ended> => {
  const ended = await runHere([...argv]);
  expect([ended.code, ended.stderr]).toEqual([0, expect.not.stringContaining("unnoise:")]);
  return ended;
};
/** Samples of the run, or of another model. */
const sample = (out: string, options = "", model = run): Promise<Ended> => {
  const words = options.split(" ").filter((word) => word !== "");
  return ok("sample", model, "--out", out, "--steps", "5", ...PLACE, ...words);
};
const values = async (name: string): Promise<Float64Array> => decodeNpy(await readFile(file(name)), name).data;
const drawn = async (options: string, name = "drawn.npy"): Promise<Float64Array> => {
  await sample(file(name), `${options} --overwrite`);
  return values(name);
};
const furthest = (a: Float64Array, b: Float64Array): number => Math.max(...a.map((x, i) => Math.abs(x - at(b, i))));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unnoise-images-"));
  run = file("run");
  for (const name of ["across", "upright"]) {
    await mkdir(join(file("data"), name), { recursive: true });
    for (let i = 0; i < 8; i++) await writeFile(join(file("data"), name, `${i}.png`), bar(i, name === "upright"));
  }
  await ok("train", file("data"), "--out", run, "--more-ema-decays", "0.5", ...TRAINING, ...PLACE);
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("files of images", () => {
  it("are a grid in which each pixel can be seen", async () => {
    const { stderr } = await sample(file("grid.png"), "--count 6");
    expect(stderr).toMatch(/grid\.png: 6 images by DDPM, 5 steps, /);
    const { width, height, data } = decodePng(await readFile(file("grid.png")), "grid.png");
    expect([width, height]).toEqual([3 * 66 - 2, 2 * 66 - 2]);
    expect(data[4 * 64]).toBe(255);
    const levels = levelsOf(Float32Array.from(await drawn("--count 6")));
    expect(data[4 * (4 * width + 4)]).toBe(levels[0]);
    expect(data[4 * (4 * width + 66 + 12)]).toBe(levels[PIXELS + 1]);
  });

  it("are float32 numbers [count, channels, height, width] in [−1, 1]", async () => {
    await sample(file("numbers.npy"));
    const { shape, dtype, data } = decodeNpy(await readFile(file("numbers.npy")), "numbers.npy");
    expect([shape, dtype]).toEqual([[16, 1, SIDE, SIDE], "<f4"]);
    expect(data.every((x) => x >= -1 && x <= 1)).toBe(true);
    const free = await drawn("--clip none");
    expect(free.some((x) => Math.abs(x) > 1)).toBe(true);
  });

  it("are single pictures in a folder, which nobody else's files share", async () => {
    await sample(`${file("pictures")}/`, "--count 3");
    const names = ["00000.png", "00001.png", "00002.png"];
    expect(await readdir(file("pictures"))).toEqual(names);
    const { width, data } = decodePng(await readFile(join(file("pictures"), "00002.png")), "picture");
    expect(width).toBe(SIDE);
    const levels = levelsOf(Float32Array.from(await drawn("--count 3")));
    expect(data[4 * 5]).toBe(levels[2 * PIXELS + 5]);
    const again = await runHere(["sample", run, "--out", file("pictures"), "--count", "2", "--steps", "2"]);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("already holds pictures")]);
    await sample(file("pictures"), "--count 2 --overwrite --format pngs");
    expect(await readdir(file("pictures"))).toEqual(names.slice(0, 2));
    await writeFile(join(file("pictures"), "notes.txt"), "mine");
    const taken = await runHere(["sample", run, "--out", file("pictures"), "--overwrite", "--steps", "2"]);
    expect([taken.code, taken.stderr]).toEqual([2, expect.stringContaining("holds other files, such as notes.txt")]);
    expect((await readdir(folder)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("are an animation of the process, or of what it is taken for", async () => {
    await sample(file("xt.gif"), "--count 4");
    await sample(file("x0.gif"), "--count 4 --show x0");
    const [xt, x0] = [await readFile(file("xt.gif")), await readFile(file("x0.gif"))];
    expect(xt.subarray(0, 6).toString("latin1")).toBe("GIF89a");
    const frames = xt.toString("latin1").split("\x21\xf9\x04").length - 1;
    expect(frames).toBe(6);
    expect(x0.equals(xt)).toBe(false);
  });
});

describe("classes", () => {
  it("go by name, by number, or all in turn as the columns of a grid", async () => {
    const upright = await drawn("--class upright --count 4");
    expect(furthest(await drawn("--class 1 --count 4"), upright)).toBe(0);
    const all = await drawn("--class all --count 4");
    expect(furthest(all.slice(PIXELS, 2 * PIXELS), upright.slice(PIXELS, 2 * PIXELS))).toBeLessThan(1e-5);
    expect(furthest(all.slice(0, PIXELS), upright.slice(0, PIXELS))).toBeGreaterThan(1e-3);
    expect(furthest(await drawn("--class upright --count 4 --guidance 4"), upright)).toBeGreaterThan(1e-3);
    await sample(file("classes.png"), "--class all");
    const { width, height } = decodePng(await readFile(file("classes.png")), "classes.png");
    expect([width, height]).toEqual([2 * 66 - 2, 8 * 66 - 2]);
  });
});

describe("inpainting", () => {
  const rgba = (pixel: (i: number) => readonly number[]): Uint8Array => {
    const data = Uint8Array.from(Array.from({ length: PIXELS }, (_, i) => pixel(i)).flat());
    return encodePng({ width: SIDE, height: SIDE, data });
  };
  const isRight = (i: number): boolean => i % SIDE >= 4;
  const level = (i: number): number => (i * 37) % 256;
  const levels = async (options: string): Promise<Uint8Array> =>
    levelsOf(Float32Array.from(await drawn(`${options} --count 2 --resamples 2 --jump 2`)));

  it("keeps what is black in the mask, to the level, and draws what is white", async () => {
    await writeFile(
      file("kept.png"),
      rgba((i) => [level(i), level(i), level(i), 255]),
    );
    await writeFile(
      file("mask.png"),
      rgba((i) => (isRight(i) ? [255, 255, 255, 255] : [0, 0, 0, 255])),
    );
    const got = await levels(`--inpaint ${file("kept.png")} --mask ${file("mask.png")}`);
    const kept = [...got].filter((_, i) => !isRight(i));
    expect(kept).toEqual([...got.keys()].filter((i) => !isRight(i)).map((i) => level(i % PIXELS)));
    const changed = [...got].filter((x, i) => isRight(i) && x !== level(i % PIXELS)).length;
    expect(changed).toBeGreaterThan(PIXELS / 2);
  });

  it("draws what is transparent where there is no mask", async () => {
    await writeFile(
      file("hole.png"),
      rgba((i) => [level(i), level(i), level(i), isRight(i) ? 0 : 255]),
    );
    await writeFile(
      file("mask.png"),
      rgba((i) => (isRight(i) ? [255, 255, 255, 255] : [0, 0, 0, 255])),
    );
    const byHole = await levels(`--inpaint ${file("hole.png")}`);
    expect([...byHole]).toEqual([...(await levels(`--inpaint ${file("kept.png")} --mask ${file("mask.png")}`))]);
  });

  it("says how many transitions it makes", async () => {
    const { stderr } = await sample(
      file("painted.png"),
      `--inpaint ${file("hole.png")} --count 1 --jump 2 --resamples 3`,
    );
    expect(stderr).toContain("1 image by RePaint, 5 steps, 17 transitions in all");
  });
});

describe("interpolation", () => {
  it("goes from the images of one seed to those of the next", async () => {
    const rows = await drawn("--interpolate 3 --count 2 --seed 4");
    const [from, to] = [
      await drawn("--sampler ddim --count 2 --seed 4"),
      await drawn("--sampler ddim --count 2 --seed 5"),
    ];
    expect(rows).toHaveLength(6 * PIXELS);
    const image = (of: Float64Array, i: number): Float64Array => of.slice(i * PIXELS, (i + 1) * PIXELS);
    expect(furthest(image(rows, 0), image(from, 0))).toBeLessThan(1e-4);
    expect(furthest(image(rows, 5), image(to, 1))).toBeLessThan(1e-4);
    expect(furthest(image(rows, 1), image(from, 0))).toBeGreaterThan(1e-3);
  });
});

describe("weights", () => {
  it("are those of the model, the optimiser or a further average", async () => {
    const [usual, ema, raw, other] = [
      await drawn("--count 2"),
      await drawn("--count 2 --weights 0.999"),
      await drawn("--count 2 --weights raw"),
      await drawn("--count 2 --weights 0.5"),
    ] as const;
    expect(furthest(usual, ema)).toBe(0);
    expect(furthest(usual, raw)).toBeGreaterThan(1e-4);
    expect(furthest(raw, other)).toBeGreaterThan(1e-4);
  });
});

it("samples a folder in diffusers' layout as its scheduler asks, or as flags do", async () => {
  const model = join(run, "model");
  const { stderr } = await sample(file("theirs.npy"), "--count 2 --class all", model);
  expect(stderr).toContain("2 images by DDPM, 5 steps, as DDPMScheduler");
  const ours = await sample(file("ours.npy"), "--count 2 --class all --sampler ddim", model);
  expect(ours.stderr).toContain("DDIM, 5 steps");
  const [a, b] = [await values("theirs.npy"), await values("ours.npy")];
  expect(a).toHaveLength(2 * PIXELS);
  expect(furthest(a, b)).toBeGreaterThan(1e-3);
});

describe("plots", () => {
  const plot = (kind: string, out: string, options = ""): Promise<Ended> =>
    ok("plot", run, kind, "--out", file(out), ...options.split(" ").filter((word) => word !== ""));

  it("show the process of images, the schedule and the losses", async () => {
    await plot("forward", "forward.svg", "--count 3");
    await plot("reverse", "reverse.svg", "--count 3 --steps 4 --device cpu");
    const [forward, reverse] = [
      await readFile(file("forward.svg"), "utf8"),
      await readFile(file("reverse.svg"), "utf8"),
    ];
    const pictures = (svg: string): number => svg.split("data:image/png").length - 1;
    expect([pictures(forward), pictures(reverse)]).toEqual([7, 5]);
    expect(reverse).toMatch(/t = 20<.*t = 0</s);
    await plot("forward", "forward.gif", "--count 3");
    await plot("reverse", "reverse.gif", "--count 3 --steps 3 --device cpu");
    for (const name of ["forward.gif", "reverse.gif"]) {
      expect((await readFile(file(name))).subarray(0, 6).toString("latin1")).toBe("GIF89a");
    }
    await plot("schedule", "schedule.svg");
    expect(await readFile(file("schedule.svg"), "utf8")).toContain("T = 20");
  });

  it("are not of trajectories", async () => {
    const { code, stderr } = await runHere(["plot", run, "trajectories", "--out", file("t.svg")]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("only runs on points have it")]);
  });
});

it("a run on points takes other weights, but nothing that only images have", async () => {
  const points = file("points");
  const sizes = "--iterations 20 --width 8 --depth 1 --batch-size 16 --data-size 100 --timesteps 10 --warmup 5";
  await ok("train", "moons", "--out", points, ...sizes.split(" "), ...PLACE);
  const drawnPoints = async (...words: string[]): Promise<Float64Array> => {
    const { stdout } = await ok("sample", points, "--out", "-", "--format", "npy", "--count", "5", ...PLACE, ...words);
    return decodeNpy(Buffer.from(stdout, "latin1"), "stdout").data;
  };
  expect(furthest(await drawnPoints("--weights", "raw"), await drawnPoints())).toBeGreaterThan(1e-4);
  for (const flag of ["--class", "--guidance", "--inpaint", "--mask", "--resamples", "--jump", "--interpolate"]) {
    const { code, stderr } = await runHere(["sample", points, "--out", file("p.csv"), flag, "2"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`${flag}: only runs on images have it`)]);
  }
});

describe("wrong requests are refused in one line", () => {
  it.each<[string, number, string]>([
    ["--out x.csv", 2, "expected a file ending in .png, .npy, .gif, a folder, or - for stdout"],
    ["--out @none/deep/", 1, "does not exist"],
    ["--out - --format pngs", 2, "single pictures need a folder"],
    ["--out @x.png --class updight", 2, "--class updight: the model has no such class; did you mean upright?"],
    ["--out @x.png --class 2", 2, "expected across, upright, a number in 0…1, or all"],
    ["--out @x.png --guidance 2", 2, "--guidance: it belongs to --class, which is missing"],
    ["--out @x.png --mask @data/across/0.png", 2, "--mask: it belongs to --inpaint"],
    ["--out @x.png --jump 2", 2, "--jump: it belongs to --inpaint"],
    ["--out @x.png --show x0", 2, "--show: only a .gif shows the process"],
    ["--out @x.png --inpaint @data/across/0.png", 2, "not transparent anywhere; add --mask"],
    ["--out @x.png --inpaint @big.png", 1, "expected 8 × 8 pixels as the model has, got 9 × 8"],
    ["--out @x.png --inpaint @none.png", 1, "no such file"],
    ["--out @x.png --inpaint @data/across/0.png --mask @data/across/1.png --sampler ddim", 2, "RePaint goes by ddpm"],
    ["--out @x.png --inpaint @data/across/0.png --mask @data/across/1.png --steps 5", 2, "5 steps are too few to walk"],
    ["--out @x.png --interpolate 3 --inpaint @big.png", 2, "expected one of them, got both"],
    ["--out @x.png --interpolate 3 --sampler ddpm", 2, "--sampler ddpm adds noise"],
    ["--out @x.png --interpolate 3 --eta 0.5", 2, "--eta"],
    ["--out @x.png --weights 0.9", 2, "keeps no average with decay 0.9; expected ema, raw or one of 0.999, 0.5"],
    ["--out @x.png --weights mean", 2, "--weights: expected ema, raw or a number ≥ 0 and < 1, got mean"],
    ["--out @x.png --clip 1 --threshold 0.9", 2, "expected one of them, got both"],
  ])("%s", async (line, code, message) => {
    const data = new Uint8Array(9 * 8 * 4).fill(255);
    await writeFile(file("big.png"), encodePng({ width: 9, height: 8, data }));
    const words = line.split(" ").map((word) => (word.startsWith("@") ? file(word.slice(1)) : word));
    const ended = await runHere(["sample", run, ...words, ...PLACE]);
    expect(ended.stderr).toContain(message);
    expect([ended.code, ended.stderr.trim().split("\n").length]).toEqual([code, 1]);
  });
});
