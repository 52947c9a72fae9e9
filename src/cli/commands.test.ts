import { existsSync } from "node:fs";
import { appendFile, cp, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { version } from "../../package.json";
import { loadPoints } from "../data/points.node.ts";
import { toyDatasets, toyNames } from "../data/toy.ts";
import { decodeCsv } from "../formats/csv.ts";
import { decodeNpy } from "../formats/npy.ts";
import { encodePng } from "../formats/png.ts";
import { machineMemory } from "../formats/machine-memory.node.ts";
import { RunFolder } from "../train/run-folder.node.ts";
import { samplerNames } from "../diffusion/sampler-table.ts";
import { run as runMain } from "./main.ts";
import { recordedIo, runHere, type Ended } from "./test-io.ts";

const TINY = "--iterations 30 --width 16 --depth 1 --batch-size 32 --data-size 500 --timesteps 20 --log-every 10".split(
  " ",
);
let folder: string;
let run: string;
const file = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unnoise-cli-"));
  run = file("run");
  const { code, stderr } = await runHere(["train", "moons", "--out", run, ...TINY, "--warmup", "5"]);
  expect([code, stderr]).toEqual([0, expect.stringContaining("next:")]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const ok = async (...argv: string[]): Promise<Ended> => {
  const ended = await runHere(argv);
  expect([ended.code, ended.stderr]).toEqual([0, expect.not.stringContaining("unnoise:")]);
  return ended;
};

const anyNumber: unknown = expect.any(Number);

describe("program", () => {
  it("prints its version and help on stdout", async () => {
    expect((await ok("--version")).stdout).toBe(`${version}\n`);
    const { stdout } = await ok("--help");
    for (const name of ["train", "sample", "evaluate", "plot", "data", "info", "demo"])
      expect(stdout).toContain(`  ${name} `);
  });

  it.each(["train", "sample", "evaluate", "plot", "data", "info", "demo"])(
    "has help with examples for %s",
    async (name) => {
      const { stdout } = await ok(name, "--help");
      expect(stdout).toMatch(new RegExp(`Examples:\\n  unnoise ${name}`));
      for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    },
  );

  it("prints its help and exits 2 without a command", async () => {
    const { code, stdout, stderr } = await runHere([]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("Commands:");
  });

  it("paints only on a terminal", async () => {
    const painted = async (options: object): Promise<boolean> =>
      (await runHere(["info"], options)).stderr.startsWith("\u001b[31munnoise:");
    expect(await painted({ terminal: true })).toBe(true);
    expect(await painted({})).toBe(false);
    expect(await painted({ terminal: true, env: { NO_COLOR: "1" } })).toBe(false);
  });
});

describe("train", () => {
  it("warns about a schedule that does not reach noise, tells where the run is, and says nothing when quiet", async () => {
    const { stderr } = await ok("train", "moons", "--out", run, "--overwrite", ...TINY);
    expect(stderr).toMatch(/warning: schedule: ᾱ_T/);
    expect(stderr).toContain(`run folder: ${run}`);
    expect((await ok("train", "moons", "--out", file("quiet"), "--quiet", ...TINY)).stderr).toBe("");
  });

  it("prints events as JSON lines that agree with the log", async () => {
    const out = file("json");
    const { stdout } = await ok("train", "cross", "--out", out, "--json", ...TINY);
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events.map(({ event }) => event)).toEqual(["start", "warning", "progress", "progress", "progress", "end"]);
    expect(events.at(-1)).toMatchObject({ status: "finished", iteration: 30, out });
    const log = (await readFile(join(out, "log.jsonl"), "utf8")).trim().split("\n");
    const logged = log
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ event }) => event === "progress");
    const told = events.filter(({ event }) => event === "progress");
    // Speed and memory are those of this moment, so the log, which is the same for the same seed, has none.
    const measured = { samplesPerSecond: anyNumber, secondsLeft: anyNumber, memory: anyNumber };
    expect(told).toEqual(logged.map((line) => ({ ...line, ...measured })));
    expect(told.at(-1)).toMatchObject({ secondsLeft: 0 });
    expect(events[0]).toMatchObject({
      memory: { needed: { total: anyNumber }, available: anyNumber, total: anyNumber },
    });
  });

  it("takes defaults, then the file, then flags", async () => {
    await writeFile(file("c.yaml"), "data: cross\niterations: 20\nbatchSize: 16\nwidth: 8\ndepth: 1\ndataSize: 300\n");
    await ok("train", "--config", file("c.yaml"), "--iterations", "10", "--out", file("merged"));
    const { stdout } = await ok("info", file("merged"), "--json");
    const expected = { data: "cross", iterations: 10, batchSize: 16, width: 8, timesteps: 1000 };
    expect(JSON.parse(stdout)).toMatchObject({ config: expected, iteration: 10, status: "finished" });
  });

  it("goes on with a run by its folder alone, and refuses to change it", async () => {
    const { stderr } = await ok("train", "--resume", "--out", run);
    expect(stderr).toContain("already trained");
    const changed = await runHere(["train", "moons", "--resume", "--out", run, "--width", "64"]);
    expect([changed.code, changed.stderr]).toEqual([2, expect.stringContaining("width was 16 in this run")]);
  });

  it("saves on Ctrl-C, says how to go on, and goes on bit for bit", async () => {
    const [whole, parts] = [file("whole"), file("parts")];
    const argv = (out: string): string[] => ["train", "moons", "--out", out, ...TINY, "--iterations", "400"];
    await ok(...argv(whole));
    const io = recordedIo();
    const timer = setInterval(() => existsSync(join(parts, "log.jsonl")) && io.interrupt(), 1);
    const code = await runMain(argv(parts), io);
    clearInterval(timer);
    expect([code, io.written.stderr]).toEqual([
      130,
      expect.stringContaining("saved; go on with: unnoise train moons --out"),
    ]);
    await ok("train", "moons", "--out", parts, "--resume");
    const weights = "model/unet/diffusion_pytorch_model.safetensors";
    expect((await readFile(join(parts, weights))).equals(await readFile(join(whole, weights)))).toBe(true);
  });
});

describe("sample", () => {
  const sampled = (...argv: string[]): Promise<Ended> => ok("sample", run, "--count", "7", ...argv);

  it("gives the same samples at a count of more than a group, whose parts are written as they come", async () => {
    const few = await sampled("--steps", "2", "--out", "-");
    const { stdout } = await ok("sample", run, "--count", "70000", "--steps", "2", "--out", "-");
    expect(stdout.startsWith(few.stdout)).toBe(true);
    expect(stdout.split("\n")).toHaveLength(70_002);
  });

  // A machine that has so much may hold them.
  it.skipIf(machineMemory().available > 2e11)("refuses more than fits, before any work", async () => {
    const most = String(2 ** 31);
    for (const argv of [
      ["sample", run, "--count", most, "--out", file("most.gif")],
      ["sample", run, "--count", most, "--out", file("most.png")],
      ["data", "moons", "--count", most, "--out", file("most.svg")],
      ["plot", run, "reverse", "--count", most, "--out", file("most.png")],
      ["evaluate", run, "--count", most],
      ["evaluate", run, "--bound", "--count", most],
      ["train", "moons", "--data-size", String(2 ** 31 - 1), "--out", file("most")],
    ]) {
      const { code, stderr } = await runHere(argv);
      expect([argv, code, stderr]).toEqual([
        argv,
        2,
        expect.stringMatching(/(--count|dataSize): .* choose at most \d/),
      ]);
    }
    expect(existsSync(file("most"))).toBe(false);
  });

  it("gives the same numbers in every format", async () => {
    await sampled("--out", file("s.csv"));
    await sampled("--out", file("s.npy"));
    await sampled("--out", file("s.json"));
    const csv = decodeCsv(await readFile(file("s.csv"), "utf8"), "s.csv");
    const npy = decodeNpy(await readFile(file("s.npy")), "s.npy");
    const json = JSON.parse(await readFile(file("s.json"), "utf8")) as { columns: string[]; points: number[][] };
    expect([csv.columns, npy.shape, json.columns]).toEqual([
      ["x", "y"],
      [7, 2],
      ["x", "y"],
    ]);
    const floats = (values: ArrayLike<number>): number[] => Array.from(values, Math.fround);
    expect(floats(csv.data)).toEqual(floats(npy.data));
    expect(floats(json.points.flat())).toEqual(floats(npy.data));
    expect((await sampled("--out", "-")).stdout).toBe(await readFile(file("s.csv"), "utf8"));
  });

  it.each([
    ["png", [0x89, 0x50, 0x4e, 0x47]],
    ["gif", [0x47, 0x49, 0x46, 0x38]],
    ["svg", [0x3c, 0x73, 0x76, 0x67]],
  ])("draws %s", async (ending, magic) => {
    await sampled("--out", file(`s.${ending}`));
    expect([...(await readFile(file(`s.${ending}`))).subarray(0, 4)]).toEqual(magic);
  });

  it("depends on seed and sampler, not on how many are drawn", async () => {
    const lines = async (...argv: string[]): Promise<string[]> =>
      (await sampled("--out", "-", ...argv)).stdout.split("\n");
    const usual = await lines();
    expect(await lines("--seed", "1")).not.toEqual(usual);
    expect(await lines("--sampler", "ddim", "--steps", "5")).not.toEqual(usual);
    expect(await lines("--variance", "small")).not.toEqual(usual);
    expect((await lines("--count", "3")).slice(0, 4)).toEqual(usual.slice(0, 4));
  });

  it("replaces a file only when told to", async () => {
    await writeFile(file("kept.csv"), "mine\n");
    const refused = await runHere(["sample", run, "--out", file("kept.csv")]);
    expect([refused.code, await readFile(file("kept.csv"), "utf8")]).toEqual([2, "mine\n"]);
    expect(refused.stderr).toContain("--overwrite");
    await sampled("--out", file("kept.csv"), "--overwrite");
    expect(await readFile(file("kept.csv"), "utf8")).toMatch(/^x,y\n/);
  });

  it("takes a reader that goes away as done, and a full disk as a failure", async () => {
    const ended = (code: string): Promise<Ended> =>
      runHere(["sample", run, "--out", "-"], { stdoutError: Object.assign(new Error(code), { code }) });
    expect((await ended("EPIPE")).code).toBe(0);
    const full = await ended("ENOSPC");
    expect([full.code, full.stderr]).toEqual([1, "unnoise: cannot write stdout: no space left on the disk\n"]);
  });

  it("does not send binary data to a terminal", async () => {
    const { code, stderr } = await runHere(["sample", run, "--out", "-", "--format", "npy"], { terminal: true });
    expect([code, stderr]).toEqual([2, expect.stringContaining("garble the terminal")]);
  });
});

describe("samplers", () => {
  it.each([...samplerNames])("%s draws samples, the same ones by seed", async (sampler) => {
    const argv = ["sample", run, "--count", "4", "--sampler", sampler, "--out", "-"];
    const first = decodeCsv((await ok(...argv)).stdout, "first");
    expect([first.rows, first.width]).toEqual([4, 2]);
    expect([...first.data].every((value) => Math.abs(value) < 20)).toBe(true);
    expect(decodeCsv((await ok(...argv)).stdout, "again").data).toEqual(first.data);
  });

  it("take their flags", async () => {
    const draw = async (...flags: string[]): Promise<string> =>
      (await ok("sample", run, "--count", "3", "--out", "-", "--sampler", ...flags)).stdout;
    expect(await draw("ddim", "--eta", "hat")).not.toBe(await draw("ddim", "--eta", "1"));
    expect(await draw("heun", "--churn", "5")).not.toBe(await draw("heun"));
    expect(await draw("unipc", "--order", "3")).not.toBe(await draw("unipc", "--order", "1"));
    expect(await draw("langevin", "--inner-steps", "3")).not.toBe(await draw("langevin"));
    expect(await draw("predictor-corrector", "--snr", "0.3")).not.toBe(await draw("predictor-corrector"));
    expect(await draw("ddim", "--clip", "0.5")).not.toBe(await draw("ddim"));
    expect(await draw("ddim", "--steps", "5", "--preset", "openai")).not.toBe(await draw("ddim", "--steps", "5"));
  });
});

describe("evaluate", () => {
  it("measures both usual samplers beside their floor", async () => {
    const { stdout } = await ok("evaluate", run, "--count", "60", "--json");
    const { samplers, count } = JSON.parse(stdout) as {
      count: number;
      samplers: { label: string; metrics: { name: string; value: number; floor: number; ratio: number }[] }[];
    };
    expect([count, samplers.map(({ label }) => label)]).toEqual([60, ["DDPM, 20 steps", "DDIM, 20 steps"]]);
    for (const { metrics } of samplers) {
      expect(metrics.map(({ name }) => name)).toEqual(["w2", "slicedW2", "mmd", "energy", "coverage"]);
      for (const { value, floor, ratio } of metrics) expect(ratio).toBeCloseTo(value / floor, 12);
    }
  });

  it("prints an aligned table for the sampler that is asked for", async () => {
    const { stdout } = await ok("evaluate", run, "--count", "40", "--sampler", "ddim", "--steps", "5", "--eta", "0.5");
    const lines = stdout.split("\n").slice(0, 6);
    expect(lines[0]).toMatch(/^DDIM, 5 steps, η = 0.5 +value +floor +ratio$/);
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  });

  it("takes halves of the user's own points, and says so", async () => {
    const rows = Array.from({ length: 60 }, (_, i) => `${Math.cos(i)},${Math.sin(2 * i)},${i % 7}`);
    await writeFile(file("own.csv"), `a,b,c\n${rows.join("\n")}\n`);
    await ok("train", file("own.csv"), "--out", file("own"), ...TINY);
    await rm(file("own.csv"));
    const { stdout } = await ok("evaluate", file("own"), "--count", "200");
    expect(stdout).toContain("30 points a set");
    expect(stdout).toContain("random halves of the data against each other");
    expect((await ok("sample", file("own"), "--count", "2", "--out", "-")).stdout).toMatch(/^a,b,c\n/);
  });
});

describe("a run on a picture", () => {
  it("keeps it, is resumed without the file, and is measured by fresh points", async () => {
    const picture = { width: 2, height: 1, data: Uint8Array.of(0, 0, 0, 255, 128, 128, 128, 255) };
    await writeFile(file("dark.png"), encodePng(picture));
    const argv = ["train", file("dark.png"), "--out", file("dark"), ...TINY];
    await ok(...argv);
    expect((await readdir(file("dark"))).sort()).toEqual(
      ["checkpoints", "checksums.json", "config.json", "data.png", "log.csv", "log.jsonl", "model"].sort(),
    );
    const { points } = await new RunFolder(file("dark")).dataset(await new RunFolder(file("dark")).config());
    expect(points.shape).toEqual([500, 2]);
    expect(points.data).toEqual((await loadPoints(file("dark.png"), { count: 500 })).points.data);
    await rm(file("dark.png"));
    expect((await ok("evaluate", file("dark"), "--count", "100")).stdout).toContain("100 points a set");
    await ok("evaluate", file("dark"), "--bound", "--oracle", "--count", "20");
    await ok("train", file("dark.png"), "--out", file("dark"), "--resume");
    await ok("train", "moons", "--out", file("dark"), "--overwrite", ...TINY);
    expect(await readdir(file("dark"))).not.toContain("data.png");
  });
});

describe("plot", () => {
  it.each(["forward", "reverse", "trajectories", "schedule", "loss"])("draws %s", async (kind) => {
    await ok("plot", run, kind, "--out", file(`${kind}.svg`));
    expect(await readFile(file(`${kind}.svg`), "utf8")).toMatch(/^<svg.*<\/svg>$/s);
  });

  it.each(["forward", "reverse"])("animates %s", async (kind) => {
    await ok("plot", run, kind, "--count", "20", "--out", file(`${kind}.gif`));
    expect((await stat(file(`${kind}.gif`))).size).toBeGreaterThan(1000);
  });

  it.each([
    [["schedule", "--out", "x.gif"], "--out x.gif: expected a file ending in .svg, .png"],
    [["loss", "--count", "5", "--out", "x.svg"], "--count: plot loss has no use for it"],
    [["losses", "--out", "x.svg"], "kind of plot: expected one of forward, reverse"],
  ])("refuses %j", async (argv, message) => {
    const { code, stderr } = await runHere(["plot", run, ...argv]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe("data", () => {
  it("writes toy sets, with noise and seed", async () => {
    const points = async (...argv: string[]): Promise<string> =>
      (await ok("data", "moons", "--count", "4", "--out", "-", ...argv)).stdout;
    expect((await points()).split("\n")).toHaveLength(6);
    expect(await points()).toBe(await points());
    expect(await points("--seed", "1")).not.toBe(await points());
    expect(await points("--noise", "0")).not.toBe(await points());
  });

  it("draws every toy set that it lists, and lists them with their noise", async () => {
    const { stdout } = await ok("data", "--list");
    const [header, ...rows] = stdout.trimEnd().split("\n");
    expect(header).toMatch(/^toy set +usual noise +shape$/);
    expect(rows.map((row) => row.split(" ")[0])).toEqual(toyNames);
    for (const [i, name] of toyNames.entries()) {
      expect(rows[i]).toContain(` ${toyDatasets[name].noise} `);
      expect((await ok("data", name, "--count", "3", "--out", "-")).stdout.trimEnd().split("\n")).toHaveLength(4);
    }
  });

  it("writes the class of each point as a last column, and draws it in colours", async () => {
    const plain = decodeCsv((await ok("data", "moons", "--count", "50", "--out", "-")).stdout, "plain");
    const argv = ["data", "moons", "--count", "50", "--labels", "--out"];
    const { columns, data } = decodeCsv((await ok(...argv, "-")).stdout, "labelled");
    expect(columns).toEqual(["x", "y", "label"]);
    expect(data.filter((_, i) => i % 3 < 2)).toEqual(plain.data);
    expect([...new Set(data.filter((_, i) => i % 3 === 2))].sort()).toEqual([0, 1]);
    const json = JSON.parse((await ok(...argv, "-", "--format", "json")).stdout) as { points: number[][] };
    expect(json.points.flat()).toEqual([...data]);
    await ok(...argv, file("classes.svg"));
    const drawn = await readFile(file("classes.svg"), "utf8");
    for (const name of ["upper moon", "lower moon"]) expect(drawn).toContain(name);
  });

  it("draws points from a picture and a drawing, by count and seed", async () => {
    const picture = { width: 2, height: 1, data: Uint8Array.of(0, 0, 0, 255, 255, 255, 255, 255) };
    await writeFile(file("shape.png"), encodePng(picture));
    await writeFile(
      file("line.json"),
      JSON.stringify({
        strokes: [
          [
            [0, 0],
            [-1, 0.5],
          ],
        ],
        spread: 0.01,
      }),
    );
    for (const source of ["shape.png", "line.json"]) {
      const drawn = async (...argv: string[]): Promise<string> =>
        (await ok("data", file(source), "--out", "-", ...argv)).stdout;
      expect((await drawn()).trimEnd().split("\n")).toHaveLength(1001);
      const { data } = decodeCsv(await drawn("--count", "30"), source);
      expect(data.every((value, i) => (i % 2 === 0 ? value <= 0.1 : Math.abs(value) <= 0.6))).toBe(true);
      expect(await drawn("--count", "30")).not.toBe(await drawn("--count", "30", "--seed", "1"));
    }
  });

  it("reads the points that it writes as JSON", async () => {
    await ok("data", "cross", "--count", "5", "--out", file("five.json"));
    const [before, after] = await Promise.all(
      ["cross", file("five.json")].map(async (name) => ok("data", name, "--count", "5", "--out", "-")),
    );
    expect(after?.stdout).toBe(before?.stdout);
  });

  it("converts and thins files", async () => {
    await writeFile(file("in.csv"), "1,2\n3,4\n5,6\n");
    await ok("data", file("in.csv"), "--out", file("out.npy"));
    expect([...decodeNpy(await readFile(file("out.npy")), "out.npy").data]).toEqual([1, 2, 3, 4, 5, 6]);
    expect((await ok("data", file("in.csv"), "--count", "2", "--out", "-")).stdout.split("\n")).toHaveLength(4);
  });
});

describe("info", () => {
  it("tells progress, size and files", async () => {
    const { stdout } = await ok("info", run);
    expect(stdout).toMatch(/^progress +30 of 30 iterations, finished$/m);
    expect(stdout).toContain("model/unet/diffusion_pytorch_model.safetensors");
    expect(JSON.parse((await ok("info", run, "--json")).stdout)).toMatchObject({ checkpoints: [30], device: "cpu" });
  });

  it("tells whether the files are as they were written", async () => {
    const copy = file("told");
    await cp(run, copy, { recursive: true });
    const told = async (): Promise<string> => /^checksums +(.*)$/m.exec((await ok("info", copy)).stdout)?.[1] ?? "";
    expect(await told()).toBe("run: agree; model: agree");
    await rm(join(copy, "checksums.json"));
    await appendFile(join(copy, "model/unet/config.json"), " ");
    expect(await told()).toMatch(/^run: no checksums; model: .*unet.config\.json: not the \d+ bytes/);
    await rm(join(copy, "model"), { recursive: true });
    expect(await told()).toBe("run: no checksums; model: none yet");
  });
});

describe("demo", () => {
  it("makes a page that holds all it shows, and replaces nothing else", async () => {
    const out = file("demo");
    const quick = ["demo", "--quick", "--out", out];
    const { stdout } = await ok(...quick);
    expect(stdout).toContain("DDIM, 50 steps");
    const page = await readFile(join(out, "index.html"), "utf8");
    expect(page.match(/<img src="data:/g)).toHaveLength(9);
    expect(page).not.toMatch(/src="(?!data:)|href="(?!#)/);
    expect((await readdir(join(out, "figures"))).sort()).toEqual(
      "forward.png loss.png reverse.gif reverse.png samples-ddim.png samples-ddpm.png schedule.png trajectories.png".split(
        " ",
      ),
    );
    const again = await runHere(quick);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("already holds a run; replace it")]);
    expect((await runHere(["demo", "--quick", "--out", folder])).code).toBe(2);
  });
});
