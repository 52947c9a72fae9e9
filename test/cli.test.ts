import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random } from "../src/math/random.ts";

/** How often a run is killed; the suite does a few, a release check does 20. */
const KILLS = Number(process.env["UNNOISE_TEST_KILLS"] ?? 5);
const PROGRAM = new URL("../bin/unnoise.js", import.meta.url).pathname;
const WEIGHTS = "model/unet/diffusion_pytorch_model.safetensors";
const TRAINING =
  "train moons --iterations 600 --checkpoint-every 20 --log-every 10 --width 16 --depth 2 --batch-size 64 --data-size 2000 --quiet";

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let folder: string;
const file = (name: string): string => join(folder, name);
const weights = (run: string): Buffer => readFileSync(file(`${run}/${WEIGHTS}`));

function unnoise(line: string, env: Record<string, string> = {}): Ended {
  const argv = [PROGRAM, ...line.split(" ")];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, ...env },
    // The usual 1 MiB would end a program whose loads are traced.
    maxBuffer: 1 << 28,
  });
  return { code: status, stdout, stderr };
}

function start(line: string): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [PROGRAM, ...line.split(" ")], { cwd: folder });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<Ended>((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
  return { child, ended };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(met: () => boolean): Promise<void> {
  while (!met()) await pause(5);
}

const checkpointCount = (run: string): number =>
  existsSync(file(`${run}/checkpoints`)) ? readdirSync(file(`${run}/checkpoints`)).length : 0;

let wholeSeconds: number;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "unnoise-program-"));
  const began = performance.now();
  expect(unnoise(`${TRAINING} --out whole`)).toEqual({ code: 0, stdout: "", stderr: "" });
  wholeSeconds = (performance.now() - began) / 1000;
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("the program", () => {
  it("exits 0 when done, 1 when it failed, 2 for usage", () => {
    expect(unnoise("info whole").code).toBe(0);
    expect(unnoise("train missing.csv")).toMatchObject({ code: 1, stdout: "" });
    expect(unnoise("trian")).toEqual({
      code: 2,
      stdout: "",
      stderr: "unnoise: unknown command 'trian'; did you mean train?\n",
    });
  });

  it("shows the stack of a failure only when asked", () => {
    expect(unnoise("train missing.csv").stderr).toMatch(/^unnoise: [^\n]+\n$/);
    expect(unnoise("train missing.csv", { UNNOISE_DEBUG: "1" }).stderr).toMatch(/\n {4}at .*\ncaused by /s);
  });

  it("gives the same bytes for the same seed", () => {
    const draw = (): string => unnoise("sample whole --sampler ddim --steps 10 --count 20 --seed 3 --out -").stdout;
    expect(draw()).toBe(draw());
    expect(draw().split("\n")).toHaveLength(22);
  });

  it("does not load plots to sample numbers", () => {
    const loadedBy = (line: string): string => {
      const { code, stderr } = unnoise(line, { NODE_DEBUG: "esm,module" });
      expect([code, line]).toEqual([0, line]);
      return stderr;
    };
    const trace = loadedBy("sample whole --sampler ddim --count 5 --out -");
    expect(trace).toContain("onnxruntime");
    expect(loadedBy("data moons --out moons.png")).toMatch(/@observablehq.*resvg/s);
    for (const heavy of ["@observablehq", "resvg", "modern-gif", "yaml/"])
      expect([heavy, trace.includes(heavy)]).toEqual([heavy, false]);
  });

  it.skipIf(!existsSync("/dev/full"))("reports a full disk in one line", () => {
    const { code, stderr } = unnoise("data moons --format npy --out /dev/full");
    expect([code, stderr]).toEqual([1, "unnoise: cannot write /dev/full: no space left on the disk\n"]);
    const line = `"${process.execPath}" "${PROGRAM}" data moons --out - > /dev/full`;
    const piped = spawnSync("sh", ["-c", line], { encoding: "utf8" });
    expect([piped.status, piped.stderr]).toEqual([1, "unnoise: cannot write stdout: no space left on the disk\n"]);
  });

  it.skipIf(process.platform === "win32")("leaves no half-written checkpoint where the disk refuses", () => {
    // A limit on the size of files stops the write in its middle, as a full disk does.
    const line = `ulimit -f 16; "${process.execPath}" "${PROGRAM}" ${TRAINING} --out full`;
    const { status, stderr } = spawnSync("sh", ["-c", line], { cwd: folder, encoding: "utf8" });
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^unnoise: cannot write full\/checkpoints\/[^\n]*\n$/)]);
    expect(readdirSync(file("full/checkpoints"))).toEqual([]);
  });

  it("ends in peace when its reader goes away", () => {
    const line = `"${process.execPath}" "${PROGRAM}" data moons --count 2000000000 --out - | head -n 1; echo done`;
    const { stdout, stderr } = spawnSync("sh", ["-c", line], { encoding: "utf8" });
    expect([stdout, stderr]).toEqual(["x,y\ndone\n", ""]);
  });
});

describe("Ctrl-C", () => {
  it.each(["SIGINT", "SIGTERM"] as const)("%s saves, exits 130, and the run goes on bit for bit", async (signal) => {
    const out = `stopped-${signal}`;
    const { child, ended } = start(`${TRAINING} --out ${out}`);
    await until(() => checkpointCount(out) > 0);
    child.kill(signal);
    const { code, stderr } = await ended;
    expect([code, stderr]).toEqual([
      130,
      expect.stringMatching(/^unnoise: stopped after iteration \d+ of 600, saved; go on with: .*--resume\n$/),
    ]);
    expect(unnoise(`train moons --resume --out ${out} --quiet`).code).toBe(0);
    expect(weights(out).equals(weights("whole"))).toBe(true);
  });

  it("ends sampling with 130 and without a file", async () => {
    const { child, ended } = start("sample whole --count 1000000 --out late.csv");
    // It tells its progress after two seconds, well before it is done.
    await new Promise((resolve) => child.stderr?.once("data", resolve));
    child.kill("SIGINT");
    expect((await ended).code).toBe(130);
    expect(readdirSync(folder).filter((name) => /late|tmp/.test(name))).toEqual([]);
  });
});

/** Resumes a run; where there was none yet, `train` says so and then makes it. */
function goOn(out: string): void {
  const done = { code: 0, stdout: "", stderr: "" };
  const resumed = unnoise(`train moons --resume --out ${out} --quiet`);
  if (resumed.code === 0) {
    expect(resumed).toEqual(done);
    return;
  }
  const advice = `${out} is not a run of unnoise; make one with: unnoise train <data> --out ${out}`;
  expect(resumed).toEqual({ code: 2, stdout: "", stderr: `unnoise: ${advice}\n` });
  expect(unnoise(`${TRAINING} --out ${out}`)).toEqual(done);
}

describe("kill -9", () => {
  it("before anything is written: resuming says that there is no run, and training makes it", async () => {
    const { child, ended } = start(`${TRAINING} --out at-once`);
    child.kill("SIGKILL");
    await ended;
    goOn("at-once");
    expect(weights("at-once").equals(weights("whole"))).toBe(true);
  });

  it("while a run is replaced: the old run, no run or the new run is there, whole", { timeout: 600_000 }, async () => {
    expect(unnoise(`${TRAINING} --out replaced --seed 1`).code).toBe(0);
    const { child, ended } = start(`${TRAINING} --out replaced --overwrite`);
    await until(() => !existsSync(file(`replaced/${WEIGHTS}`)));
    child.kill("SIGKILL");
    await ended;
    goOn("replaced");
    expect(weights("replaced").equals(weights("whole"))).toBe(true);
  });

  it(
    `at ${KILLS} random moments, then --resume, gives the weights of an uninterrupted run`,
    { timeout: 600_000 },
    async () => {
      const moments = new Float64Array(KILLS);
      new Random(9, "figure").uniforms(moments, 1);
      let unfinished = 0;
      for (const [i, moment] of moments.entries()) {
        const out = `killed-${i}`;
        const { child, ended } = start(`${TRAINING} --out ${out}`);
        // Every other one may be killed before there is a run.
        if (i % 2 === 1) await until(() => existsSync(file(`${out}/config.json`)));
        await Promise.race([pause(moment * wholeSeconds * 1000), ended]);
        child.kill("SIGKILL");
        await ended;
        if (!existsSync(file(`${out}/${WEIGHTS}`))) unfinished++;
        goOn(out);
        expect([moment, weights(out).equals(weights("whole"))]).toEqual([moment, true]);
        const log = readFileSync(file(`${out}/log.jsonl`), "utf8").split("\n");
        const progress = (lines: readonly string[]): string[] => lines.filter((text) => text.includes('"progress"'));
        expect(progress(log)).toEqual(progress(readFileSync(file("whole/log.jsonl"), "utf8").split("\n")));
      }
      expect(unfinished).toBeGreaterThan(0);
    },
  );

  it("is a real test: another seed gives other weights", () => {
    expect(unnoise(`${TRAINING} --out other --seed 1`).code).toBe(0);
    expect(weights("other").equals(weights("whole"))).toBe(false);
  });
});
