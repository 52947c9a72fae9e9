import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runHere } from "./test-io.ts";
import { trainingRequest } from "./training-request.ts";

let folder: string;
const file = (name: string): string => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unnoise-request-"));
  await writeFile(file("betas.csv"), "beta\n0.1\n0.2\n0.6\n");
  await writeFile(file("learned.yaml"), "variance: learned-range\nschedule: cosine\ntimesteps: null\n");
  await writeFile(file("hybrid.json"), '{ "objective": "hybrid", "flipSinToCos": true }');
  await writeFile(file("custom.json"), '{ "schedule": "custom", "betas": [0.1, 0.9] }');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("trainingRequest", () => {
  it("puts the betas of a file in the configuration", async () => {
    const { config } = await trainingRequest("moons", { schedule: file("betas.csv") as never });
    expect(config).toMatchObject({ schedule: "custom", betas: [0.1, 0.2, 0.6], timesteps: 3 });
  });

  it("takes them from a configuration too", async () => {
    const { config } = await trainingRequest("moons", { config: file("custom.json") });
    expect(config).toMatchObject({ schedule: "custom", betas: [0.1, 0.9], timesteps: 2 });
  });

  it("checks file and flags together, not the file by itself", async () => {
    const { config } = await trainingRequest("moons", { config: file("hybrid.json"), variance: "learned" });
    expect(config).toMatchObject({ objective: "hybrid", variance: "learned", flipSinToCos: true });
    await expect(trainingRequest("moons", { config: file("hybrid.json") })).rejects.toThrow(
      /hybrid teaches a variance/,
    );
    const { config: learned } = await trainingRequest("moons", { config: file("learned.yaml"), timesteps: 50 });
    expect(learned).toMatchObject({ schedule: "cosine", objective: "hybrid", timesteps: 50 });
  });
});

const tiny = "--iterations 12 --width 8 --depth 1 --batch-size 8 --data-size 100 --device cpu --threads 1".split(" ");

describe("unnoise train", () => {
  it("with options of the process trains, tells them, goes on and samples", async () => {
    const run = file("run");
    const process = ["--schedule", file("betas.csv"), "--prediction", "v", "--variance", "learned-range"];
    const rest = [
      "--weighting",
      "min-snr",
      "--weighting-gamma",
      "3",
      "--flip-sin-to-cos",
      "--timestep-draw",
      "antithetic",
    ];
    const trained = await runHere(["train", "moons", "--out", run, ...tiny, ...process, ...rest, "--quiet"]);
    expect([trained.code, trained.stderr]).toEqual([0, ""]);
    const { stdout } = await runHere(["info", run]);
    for (const line of [
      "schedule +custom",
      "betas +0.1, 0.2, 0.6",
      "prediction +v",
      "objective +hybrid",
      "flipSinToCos +true",
    ])
      expect(stdout).toMatch(new RegExp(`^ +${line}$`, "m"));
    const resumed = await runHere([
      "train",
      "moons",
      "--out",
      run,
      "--resume",
      "--schedule",
      file("betas.csv"),
      "--quiet",
    ]);
    expect([resumed.code, resumed.stderr]).toEqual([0, ""]);
    const other = await runHere(["train", "moons", "--out", run, "--resume", "--schedule", "cosine"]);
    expect([other.code, other.stderr]).toEqual([2, expect.stringMatching(/schedule was custom in this run/)]);
    const sampled = async (...flags: string[]): Promise<string> => {
      const { code, stdout: points } = await runHere([
        "sample",
        run,
        "--count",
        "4",
        "--format",
        "csv",
        "--out",
        "-",
        ...flags,
      ]);
      expect([code, points.trim().split("\n").length]).toEqual([0, 5]);
      return points;
    };
    expect(await sampled()).toBe(await sampled("--variance", "learned"));
    expect(await sampled()).not.toBe(await sampled("--variance", "small"));
  });

  it.each([
    [{ block_out_channels: [8] }, /network\.json: _class_name: is missing; expected one of .*UNet2DModel/],
    [
      { _class_name: "UNet2DModel", block_out_chanels: [8] },
      /network\.json: block_out_chanels: .*did you mean block_out_/,
    ],
    [[1], /network\.json: expected keys with values/],
  ])("the file of a network %j is refused by its name", async (content, message) => {
    await writeFile(file("network.json"), JSON.stringify(content));
    const argv = ["train", "digits", "--network", file("network.json"), "--out", file("refused")];
    const { code, stderr } = await runHere(argv);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  it.each([
    [["--objective", "hybrid"], /^unnoise: options: objective: hybrid teaches a variance.*use variance learned-range/],
    [["--schedule", "learned", "--variance", "large"], /variance: a learned schedule is trained with small, got large/],
    [["--schedule", "cosine", "--sigma-min", "0.1"], /sigmaMin: schedule cosine has no use for it/],
    [["--schedule", "none.json"], /none\.json/],
    [["--schedule", "linaer"], /--schedule: expected one of linear, .*got linaer/],
    [["--weighting", "edm", "--weighting-gamma", "2"], /weightingGamma: only the weightings min-snr and p2/],
    [["--weighting", "edm", "--zero-terminal-snr"], /schedule linear: .*--prediction v or --prediction x0/],
  ])("%j is refused in one line and leaves no folder", async (flags, message) => {
    const out = file("refused");
    const { code, stderr } = await runHere(["train", "moons", "--out", out, ...tiny, ...flags]);
    expect([code === 0, stderr]).toEqual([false, expect.stringMatching(message)]);
    expect(stderr.trim()).not.toContain("\n");
    await expect(readFile(join(out, "config.json"))).rejects.toThrow();
  });
});
