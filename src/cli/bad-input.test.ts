import { cp, mkdir, mkdtemp, readFile, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runHere } from "./test-io.ts";

const TINY = "--iterations 4 --width 8 --depth 1 --batch-size 8 --data-size 100 --timesteps 20 --quiet".split(" ");
const WEIGHTS = "model/unet/diffusion_pytorch_model.safetensors";
let folder: string;
const file = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unnoise-bad-"));
  expect(await runHere(["train", "moons", "--out", file("run"), ...TINY])).toMatchObject({ code: 0 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Fills in the folder for every word that starts with "@". */
const placed = (argv: readonly string[]): string[] =>
  argv.map((word) => (word.startsWith("@") ? file(word.slice(1)) : word));

/** One clear line, the right exit code, no word on stdout, and no file more or less than before. */
async function expectRefusal(argv: readonly string[], code: 1 | 2, message: string | RegExp): Promise<void> {
  const before = await readdir(folder, { recursive: true });
  const ended = await runHere(placed(argv));
  expect(ended.stderr).toMatch(/^unnoise: [^\n]+\n$/);
  expect(ended.stderr).toMatch(message);
  expect(ended).toMatchObject({ code, stdout: "" });
  expect((await readdir(folder, { recursive: true })).sort()).toEqual(before.sort());
}

describe("usage", () => {
  const out = ["--out", "@x"];
  it.each<[string[], string]>([
    [["trian", "moons"], "unknown command 'trian'; did you mean train?"],
    [["train", "moons", "--itertions", "5"], "unknown option '--itertions'; did you mean --iterations?"],
    [["sample", "@run", "--sed", "5"], "unknown option '--sed'; did you mean --seed?"],
    [["train", "moons", "cross"], "too many arguments"],
    [["train", "moons", ...out, "--threads"], "argument missing"],
    [["sample"], "missing required argument 'run'"],
    [["train", ...out], "data is missing: expected swiss-roll, moons, cross"],
    [["data", "--out", "@x.csv"], "data is missing: expected swiss-roll, moons, cross"],
    [
      ["data", "9-gaussians", "--out", "@x.csv"],
      "25-gaussians, or a .csv, .npy, .json, .png or .svg file; did you mean 8-gaussians?",
    ],
    [["data", "moons", "--list"], "--list: it names all toy sets and takes no source, got moons"],
    [["data", "shape.png", "--labels", "--out", "@x.csv"], "--labels: only the toy sets take it, a file has its own"],
    [["data", "--list", "--labels"], "option '--list' cannot be used with option '--labels'"],
    [["data", "--list", "--count", "3"], "option '--list' cannot be used with option '--count <n>'"],
    [["train", "swis-roll", ...out], "did you mean swiss-roll?"],
    [["train", "moons", ...out, "--timesteps", "0"], "--timesteps: expected an integer in 1…1000000, got 0"],
    [["train", "moons", ...out, "--iterations", "1.5"], "--iterations: expected an integer ≥ 1, got 1.5"],
    [["train", "moons", ...out, "--batch-size", "-8"], "--batch-size: expected an integer ≥ 1, got -8"],
    [["train", "moons", ...out, "--learning-rate", "fast"], "--learning-rate: expected a number > 0, got fast"],
    [["train", "moons", ...out, "--ema-decay", "1"], "--ema-decay: expected a number ≥ 0 and < 1, got 1"],
    [["train", "moons", ...out, "--device", "gpu"], "--device: expected one of auto, cpu, webgpu, cuda, wasm, got gpu"],
    [["train", "moons", ...out, "--time-features", "5"], "timeFeatures"],
    [["train", "moons", ...out, "--resume", "--overwrite"], "expected one of them, got both"],
    [["train", "--resume"], "--resume: expected the data's name or --out"],
    [["train", "moons", ...out, "--resume"], "is not a run of unnoise"],
    [["sample", "@run", "--out", "@x.csv", "--count", "-5"], "--count: expected an integer in 1…2147483648, got -5"],
    [["sample", "@run", "--out", "@x.csv", "--count", "0"], "--count: expected an integer in"],
    [
      ["sample", "@run", "--out", "@x.csv", "--seed", "-1"],
      "--seed: expected an integer in 0…9007199254740991, got -1",
    ],
    [["sample", "@run", "--out", "@x.csv", "--steps", "0"], "--steps: expected an integer ≥ 1, got 0"],
    [
      ["sample", "@run", "--out", "@x.csv", "--steps", "21"],
      "--steps: expected an integer in 1…20 (T of this run), got 21",
    ],
    [
      ["sample", "@run", "--out", "@x.csv", "--sampler", "ddim", "--eta", "1.5"],
      "--eta: expected a number in 0…1, got 1.5",
    ],
    [["sample", "@run", "--out", "@x.csv", "--eta", "1"], "--eta: ddpm has none"],
    [["sample", "@run", "--out", "@x.csv", "--sampler", "ddim", "--variance", "small"], "--variance: ddim has none"],
    [["sample", "@run", "--out", "@x.csv", "--sampler", "dpm"], "--sampler: expected one of ddpm, ddim, euler"],
    [["sample", "@run", "--out", "@x.csv", "--steps", "9,x"], "--steps: expected an integer ≥ 0, got x"],
    [["sample", "@run", "--out", "@x.csv", "--steps", "20,3"], "steps: expected integers in 0…19, got 20"],
    [["sample", "@run", "--out", "@x.csv", "--spacing", "even"], "--spacing: expected one of trailing, leading"],
    [["sample", "@run", "--out", "@x.csv", "--order", "2"], "--order: ddpm has none; use it with --sampler unipc"],
    [["sample", "@run", "--out", "@x.csv", "--clip", "1", "--threshold", "0.9"], "expected one of them, got both"],
    [["sample", "@run", "--out", "@x.csv", "--eps-after-limit", "kept"], "nothing limits x̂_0"],
    [
      ["sample", "@run", "--out", "@x.csv", "--variance", "learned"],
      "this model has learned none; choose large or small",
    ],
    [["plot", "@run", "loss", "--out", "@x.svg", "--inner-steps", "2"], "--inner-steps: plot loss has no use for it"],
    [["sample", "@run", "--out", "@x.txt"], "expected a file ending in .csv, .npy, .json, .png, .svg, .gif"],
    [
      ["sample", "@run", "--out", "-", "--format", "pdf"],
      "--format: expected one of csv, npy, json, png, svg, gif, got pdf",
    ],
    [["sample", "@run"], "--out is missing"],
    [["sample", "@run", "--out", "@run"], "--out"],
    [["sample", "@none", "--out", "@x.csv"], "is not a run of unnoise"],
    [["evaluate", "@run", "--count", "many"], "--count: expected an integer in"],
    [["data", "moons", "--noise", "-1", "--out", "@x.csv"], "--noise: expected a number ≥ 0, got -1"],
    [["experiment"], "experiment: which one? expected forward, reverse, trajectories, influence"],
    [["experiment", "influense", ...out], "unknown experiment influense: expected forward"],
    [["experiment", "influense", ...out], "did you mean influence?"],
    [["experiment", "forward", ...out, "--data", "moons,cros"], "unknown data cros"],
    [["experiment", "forward", ...out, "--data", "moons,cross,moons"], "data: moons stands there twice; name it once"],
    [["experiment", "forward", ...out, "--data", "a/x.csv,b/x.csv"], "a/x.csv and b/x.csv would have one name"],
    [["experiment", "forward", ...out, "--workers", "0"], "--workers: expected an integer in 1…256, got 0"],
    [["experiment", "forward", ...out, "--seeds", "none"], "--seeds: expected an integer in 1…1000, got none"],
    [["experiment", "study.toml", ...out], "study.toml: expected a file ending in .json, .yaml or .yml"],
    [["experiment", "--list", "--quick"], "option '--list' cannot be used with option '--quick'"],
    [["presets", "diff", "openai"], "missing required argument 'b'"],
    [["presets", "diff", "openai", "diffuser"], "did you mean diffusers?"],
    [["presets", "diff", "openai", "openai"], "expected two different ones"],
    [["schedule"], "missing required argument 'name'"],
    [["schedule", "cosin"], "did you mean cosine?"],
    [["schedule", "custom"], "unknown schedule custom: expected linear"],
    [["schedule", "learned"], "unknown schedule learned: expected linear"],
    [["schedule", ""], 'unknown schedule "": expected linear'],
    [["schedule", "betas.xml"], "expected a file that ends in .json, .csv, .txt, .npy"],
    [["schedule", "cosine", "--beta-start", "0.1"], "--beta-start: cosine has no use for it; it takes --timesteps"],
    [["schedule", "linear", "--sigma-max", "5"], "--sigma-max: linear has no use for it"],
    [["schedule", "linear", "--beta-end", "1.5"], "--beta-end: expected a number > 0 and < 1, got 1.5"],
    [["schedule", "linear", "--timesteps", "0"], "--timesteps: expected an integer in 1…1000000, got 0"],
    [["schedule", "linear", "--timesteps", "10", "--rescale-betas"], "use at least 21 timesteps"],
    [["schedule", "linear", "--timesteps", "1", "--zero-terminal-snr"], "expected at least 2 timesteps"],
    [["schedule", "karras", "--sigma-min", "90"], "sigmaMax: expected a number > sigmaMin = 90"],
    [["schedule", "linear", "--steps", "1001"], "--steps: expected an integer in 1…1000 (T), got 1001"],
    [["schedule", "linear", "--spacing", "leading"], "--spacing: only --steps has use for it"],
    [
      ["schedule", "linear", "--steps", "5", "--spacing", "odd"],
      "--spacing: expected one of trailing, leading, linspace,",
    ],
    [["schedule", "linear", "--prediction", "noise"], "--prediction: expected one of eps, x0, v, mean, score"],
    [["schedule", "linear", "--json", "--out", "@x.svg"], "expected one of them, got both"],
    [["schedule", "linear", "--out", "@x.gif"], "expected a file ending in .svg, .png, or - for stdout"],
    [["schedule", "linear", "--overwrite"], "--overwrite: only --out has use for it"],
  ])("%j", (argv, message) => expectRefusal(argv, 2, message));

  it("an output file in a folder that does not exist", () =>
    expectRefusal(["sample", "@run", "--out", "@none/x.csv"], 1, /the folder .* does not exist/));
});

describe("output folder", () => {
  it("that holds something else is never touched", async () => {
    await mkdir(file("other"));
    await writeFile(file("other/thesis.txt"), "years");
    await expectRefusal(["train", "moons", "--out", "@other"], 2, /exists and is not a run of unnoise/);
    await expectRefusal(["train", "moons", "--out", "@other", "--overwrite"], 2, /exists and is not a run of unnoise/);
    await expectRefusal(["demo", "--out", "@other", "--overwrite", "--quiet"], 2, /exists and is not a run of unnoise/);
  });

  it("that is a file", async () => {
    await writeFile(file("plain"), "");
    await expectRefusal(["train", "moons", "--out", "@plain"], 2, /is not a run/);
    await expectRefusal(["train", "moons", "--out", "@plain/run", ...TINY], 1, /a part of the path is a file/);
  });

  it("that holds a run", () => expectRefusal(["train", "moons", "--out", "@run"], 2, /--resume.*--overwrite/));
});

describe("configuration file", () => {
  it.each<[string, string, RegExp]>([
    ["a.json", '{"batchsize": 5}', /unknown key batchsize; did you mean batchSize\?/],
    ["b.yaml", "batch-size: 5", /unknown key batch-size; did you mean batchSize\?/],
    ["c.json", '{"timesteps": 0}', /timesteps: got 0/],
    ["d.yaml", "iterations: many", /iterations: got "many"/],
    ["e.json", "{iterations", /not JSON/],
    ["f.yaml", "a: [1\nb: }", /cannot be read/],
    ["g.json", "[1]", /expected keys with values, got \[1\]/],
    ["h.yaml", "", /expected keys with values, got null/],
    ["i.toml", "", /expected a file ending in .json, .yaml or .yml/],
  ])("%s: %s", async (name, text, message) => {
    await writeFile(file(name), text);
    await expectRefusal(["train", "moons", "--out", "@x", "--config", `@${name}`], 2, message);
  });

  it("that is missing", () =>
    expectRefusal(["train", "moons", "--out", "@x", "--config", "@none.json"], 1, /cannot read .*: no such file/));
});

describe("data", () => {
  const npyFile = (header: string, bytes: Uint8Array): Uint8Array => {
    const text = new TextEncoder().encode(header.padEnd(117) + "\n");
    return Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length, 0, ...text, ...bytes);
  };
  const header = (descr: string, fortran: string, shape: string): string =>
    `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`;

  it.each<[string, string, RegExp]>([
    ["text.csv", "x,y\n1,2\n3,abc\n", /text\.csv, line 3: column 2 \("y"\)/],
    ["gaps.csv", "x,y\n1,2\n3,\n", /gaps\.csv, line 3/],
    ["nan.csv", "x,y\n1,2\n3,NaN\n", /nan\.csv, line 3/],
    ["ragged.csv", "x,y\n1,2\n3,4,5\n", /ragged\.csv, line 3: expected 2 cells/],
    ["one.csv", "x,y\n1,2\n", /expected at least 2 rows/],
    ["none.csv", "x,y\n", /no rows of numbers/],
    ["empty.csv", "", /the file is empty/],
  ])("%s", async (name, text, message) => {
    await writeFile(file(name), text);
    await expectRefusal(["train", `@${name}`, "--out", "@x"], 1, message);
    await expectRefusal(["data", `@${name}`, "--out", "@x.npy"], 1, message);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ["short.npy", npyFile(header("<f4", "False", "(3, 2)"), new Uint8Array(20)), /truncated/],
    ["object.npy", npyFile(header("|O", "False", "(2, 2)"), new Uint8Array(8)), /object/],
    ["junk.npy", Uint8Array.of(1, 2, 3), /npy/],
    ["nan.npy", npyFile(header("<f4", "False", "(2, 1)"), new Uint8Array([0, 0, 192, 127, 0, 0, 0, 0])), /finite/],
  ])("%s", async (name, bytes, message) => {
    await writeFile(file(name), bytes);
    await expectRefusal(["train", `@${name}`, "--out", "@x"], 1, message);
  });

  it.each([
    ["fortran.npy", "<f8", "True", true, [1, 3, 5, 2, 4, 6]],
    ["big.npy", ">f8", "False", false, [1, 2, 3, 4, 5, 6]],
  ] as const)("%s loads", async (name, descr, fortran, little, values) => {
    const bytes = new Uint8Array(48);
    const view = new DataView(bytes.buffer);
    values.forEach((value, i) => view.setFloat64(8 * i, value, little));
    await writeFile(file(name), npyFile(header(descr, fortran, "(3, 2)"), bytes));
    const { code, stdout } = await runHere(placed(["data", `@${name}`, "--out", "-"]));
    expect([code, stdout]).toEqual([0, "column1,column2\n1,2\n3,4\n5,6\n"]);
  });

  it.each<[string[], number, RegExp]>([
    [["train", "@absent.csv", "--out", "@x"], 1, /cannot read .*: no such file/],
    [["train", "@points.xlsx", "--out", "@x"], 2, /expected a file that ends in/],
    [["data", "@few.csv", "--count", "9", "--out", "@x.csv"], 2, /--count: expected an integer in 1…2 \(the points of/],
    [["data", "@few.csv", "--noise", "1", "--out", "@x.csv"], 2, /--noise: only the toy sets take it/],
  ])("%j", async (argv, code, message) => {
    await writeFile(file("few.csv"), "1,2\n3,4\n");
    await expectRefusal(argv, code as 1 | 2, message);
  });
});

describe("a file of betas", () => {
  it.each<[string, string, RegExp]>([
    ["text.json", "[0.1, 0.2", /text\.json: not JSON/],
    ["key.json", '{"beta": [0.1]}', /key\.json: expected an array of numbers, or an object whose key betas/],
    ["words.json", '[0.1, "0.2"]', /words\.json: expected an array of numbers/],
    ["none.json", "[]", /none\.json: expected at least one beta, got none/],
    ["range.json", "[0.1, 1.5]", /range\.json: betas\[1\]: expected a number between 0 and 1 .* got 1\.5/],
    ["one.json", "[0.1, 1, 0.2]", /one\.json: betas\[1\].*only the last may be 1/],
    ["wide.csv", "0.1,0.2\n0.3,0.4\n", /wide\.csv: expected one column of betas, got 2/],
    ["word.csv", "beta\n0.1\nmany\n", /word\.csv, line 3/],
    ["junk.npy", "junk", /junk\.npy/],
  ])("%s: %s", async (name, text, message) => {
    await writeFile(file(name), text);
    await expectRefusal(["schedule", `@${name}`], 1, message);
  });

  it("that is missing, or of another length than T", async () => {
    await expectRefusal(["schedule", "@absent.json"], 1, /cannot read .*: no such file/);
    await writeFile(file("two.json"), "[0.1, 0.2]");
    const argv = ["schedule", "@two.json", "--timesteps", "3"];
    await expectRefusal(argv, 2, /timesteps: got 3, but there are 2 betas; use 2 or leave it out/);
    await expectRefusal(["schedule", "@two.json", "--beta-end", "0.5"], 2, /--beta-end: .*two\.json has no use for it/);
  });
});

describe("a run folder with", () => {
  const broken = (name: string): string => file(`broken/${name}`);
  beforeEach(async () => {
    await rm(file("broken"), { recursive: true, force: true });
    await cp(file("run"), file("broken"), { recursive: true });
  });
  const sampling = ["sample", "@broken", "--out", "@x.csv"];

  it.each([
    WEIGHTS,
    "model/unet/config.json",
    "model/scheduler/scheduler_config.json",
    "model/standardiser/config.json",
    "model/model_index.json",
  ])("missing, cut and garbled %s", async (name) => {
    await truncate(broken(name), 10);
    await expectRefusal(sampling, 1, new RegExp(name));
    await writeFile(broken(name), "garbage that is longer than a header");
    await expectRefusal(sampling, 1, new RegExp(name));
    await rm(broken(name));
    await expectRefusal(sampling, 1, name.endsWith("index.json") ? /has no model yet; finish it with/ : /no such file/);
  });

  it("no model yet", async () => {
    await rm(broken("model"), { recursive: true });
    await expectRefusal(sampling, 1, /has no model yet; finish it with: unnoise train moons --out .* --resume/);
  });

  it("a broken configuration", async () => {
    await writeFile(broken("config.json"), "{");
    await expectRefusal(sampling, 1, /config\.json: not JSON/);
    await expectRefusal(["info", "@broken"], 1, /config\.json: not JSON/);
    await writeFile(broken("config.json"), '{"unnoise": "0.1.0", "data": "moons", "timestep": 5}');
    await expectRefusal(sampling, 1, /unknown key timestep; did you mean timesteps\?/);
    await writeFile(broken("config.json"), '{"unnoise": "9.0.0", "data": "moons"}');
    await expectRefusal(sampling, 1, /config\.json: unnoise: .*got "9\.0\.0"/);
  });

  it("another program's configuration", async () => {
    await writeFile(broken("config.json"), '{"model": "llama"}');
    await expectRefusal(sampling, 2, /is not a run of unnoise; check the path/);
    await expectRefusal(["train", "moons", "--out", "@broken", "--overwrite"], 2, /exists and is not a run of unnoise/);
    await expectRefusal(["demo", "--out", "@broken", "--overwrite"], 2, /exists and is not a run of unnoise/);
  });

  it.each(["data.npy", "columns.json"])("missing, cut and garbled %s of the user's own points", async (name) => {
    await writeFile(file("own.csv"), "a,b\n1,2\n3,4\n5,7\n");
    const again = ["train", `@own.csv`, "--out", "@broken", "--overwrite", ...TINY];
    expect(await runHere(placed(again))).toMatchObject({ code: 0 });
    const resuming = ["train", "--resume", "--out", "@broken"];
    await truncate(broken(name), 6);
    await expectRefusal(resuming, 1, new RegExp(name));
    await writeFile(broken(name), "garbage\nof two lines");
    await expectRefusal(resuming, 1, new RegExp(name));
    await rm(broken(name));
    await expectRefusal(resuming, 1, /no such file/);
  });

  it("a broken log", async () => {
    await writeFile(broken("log.jsonl"), '{"event":"start"\n{"event":"end"}\n');
    await expectRefusal(["info", "@broken"], 1, /log\.jsonl: line 1 is damaged/);
    await expectRefusal(["plot", "@broken", "loss", "--out", "@x.svg"], 1, /log\.jsonl: line 1 is damaged/);
  });

  it("a broken checkpoint", async () => {
    const [name = ""] = await readdir(broken("checkpoints"));
    await truncate(broken(`checkpoints/${name}`), 100);
    await expectRefusal(
      ["train", "--resume", "--out", "@broken"],
      1,
      /checkpoint cannot be used: .*; there is none before it: delete /,
    );
  });

  it("weights that hold NaN", async () => {
    const bytes = await readFile(broken(WEIGHTS));
    bytes.fill(0xff, bytes.length - 8);
    await writeFile(broken(WEIGHTS), bytes);
    await rm(broken("model/checksums.json"));
    await expectRefusal(sampling, 1, /holds NaN or infinity/);
  });
});

describe("a device that is not here", () => {
  it("gets one line", async () => {
    // CUDA's libraries come apart from the package, so no test machine has them.
    await expectRefusal(
      ["train", "moons", "--out", "@x", "--device", "cuda", ...TINY],
      1,
      /device cuda is not available/,
    );
    await expectRefusal(["sample", "@run", "--out", "@x.csv", "--device", "cuda"], 1, /device cuda is not available/);
  });
});
