import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { memoryImages } from "../data/images.ts";
import { decodePng } from "../formats/png.ts";
import { UnnoiseError } from "../math/error.ts";
import { parseTrainingConfig, type TrainingConfig } from "./config.ts";
import { DenoiserSession } from "./model.ts";
import { RunFolder } from "./run-folder.node.ts";
import type { LogEvent } from "./run-log-event.ts";
import { checkMeasures } from "./run-samples.ts";
import { writeImages } from "./test-image-files.node.ts";
import { trainRun, type TrainRunOptions } from "./train-run.node.ts";

let root: string;
let images: string;
const home = process.env["HOME"];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "unnoise-measures-"));
  // Decoded images are kept in a folder of the user.
  process.env["HOME"] = root;
  images = await writeImages(join(root, "shapes"), { train: 40, test: 9 });
});
afterAll(async () => {
  process.env["HOME"] = home;
  await rm(root, { recursive: true });
});

const network = {
  _class_name: "UNet2DModel",
  sample_size: 8,
  in_channels: 1,
  out_channels: 1,
  block_out_channels: [8],
  layers_per_block: 1,
  norm_num_groups: 4,
  add_attention: false,
  down_block_types: ["DownBlock2D"],
  up_block_types: ["UpBlock2D"],
  dropout: 0.1,
  num_class_embeds: 4,
};
function configOf(options: Partial<TrainingConfig> = {}, data = images): TrainingConfig {
  const small = { iterations: 9, batchSize: 4, timesteps: 20, checkpointEvery: 4, logEvery: 2, warmup: 2 };
  const where = { device: "cpu", threads: 1 } as const;
  return parseTrainingConfig({ data, kind: "images", network, conditional: true, ...small, ...where, ...options });
}
const measuring = { sampleEvery: 4, boundEvery: 3, tensorboard: true };

const eventsOf = (run: string): Promise<LogEvent[]> => new RunFolder(run).events();
const kindsOf = (events: readonly LogEvent[]): string[] =>
  events.map((event) => ("iteration" in event ? `${event.event} ${event.iteration}` : event.event));
const only = (events: readonly LogEvent[], kind: string): LogEvent[] => events.filter(({ event }) => event === kind);

async function errorOf(failing: Promise<unknown>): Promise<UnnoiseError> {
  const error: unknown = await failing.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UnnoiseError)) throw new Error(`expected an UnnoiseError, got ${String(error)}`);
  expect(error.message).not.toContain("\n");
  return error;
}

async function interruptAt(stopAfter: number, options: Omit<TrainRunOptions, "signal">): Promise<void> {
  const stop = new AbortController();
  const onStep: TrainRunOptions["onStep"] = ({ iteration }) => {
    if (iteration === stopAfter) stop.abort();
  };
  await trainRun({ ...options, signal: stop.signal, onStep });
}

/** Tags and steps of an event file's records, found by the bytes that their numbers and names have there. */
function recordsOf(bytes: Buffer): Buffer[] {
  const records: Buffer[] = [];
  for (let start = 0; start < bytes.length;) {
    const length = Number(bytes.readBigUInt64LE(start));
    records.push(bytes.subarray(start + 12, start + 12 + length));
    start += length + 16;
  }
  return records;
}

describe("a run that draws grids and measures the bound", () => {
  let whole: string;
  let plain: string;
  const told: string[] = [];
  let sessions: { made: number; disposed: number };
  beforeAll(async () => {
    [whole, plain] = [join(root, "whole"), join(root, "plain")];
    await trainRun({ config: configOf(), out: plain });
    const dispose = Object.getOwnPropertyDescriptor(DenoiserSession.prototype, "dispose")?.value as () => Promise<void>;
    sessions = { made: 0, disposed: 0 };
    DenoiserSession.prototype.dispose = function (this: DenoiserSession): Promise<void> {
      sessions.disposed++;
      return dispose.call(this);
    };
    try {
      const onMeasure: TrainRunOptions["onMeasure"] = (event) => told.push(`${event.event} ${event.iteration}`);
      await trainRun({ config: configOf(measuring), out: whole, onMeasure });
    } finally {
      DenoiserSession.prototype.dispose = dispose;
    }
  });

  it("trains the same, bit for bit, as one that does not", async () => {
    for (const file of ["model/unet/diffusion_pytorch_model.safetensors", "checkpoints/000000000009.safetensors"])
      expect((await readFile(join(whole, file))).equals(await readFile(join(plain, file)))).toBe(true);
    const [with_, without] = [await eventsOf(whole), await eventsOf(plain)];
    expect(only(with_, "progress")).toEqual(only(without, "progress"));
    expect(only(without, "bound").length + only(without, "samples").length).toBe(0);
  });

  it("logs them in their place and tells them, and leaves no session behind", async () => {
    const kinds = kindsOf(await eventsOf(whole)).filter((kind) => kind !== "start" && kind !== "warning");
    expect(kinds).toEqual([
      ...["progress 2", "bound 3", "progress 4", "samples 4", "progress 6", "bound 6", "progress 8", "samples 8"],
      ...["progress 9", "bound 9", "end 9"],
    ]);
    expect(told).toEqual(["bound 3", "samples 4", "bound 6", "samples 8", "bound 9"]);
    expect(sessions.disposed).toBe(5);
  });

  it("draws every class in turn, in columns, from the same noise each time", async () => {
    const names = await readdir(join(whole, "figures"));
    expect(names).toEqual(["samples-000004.png", "samples-000008.png"]);
    const [first, second] = await Promise.all(names.map((name) => readFile(join(whole, "figures", name))));
    const { width, height } = decodePng(first ?? Buffer.of(), "grid");
    // Three columns and six rows of 8 pixels, each four times as large, two pixels apart.
    expect([width, height]).toEqual([3 * 34 - 2, 6 * 34 - 2]);
    expect(first?.equals(second ?? Buffer.of())).toBe(false);
  });

  it("measures the bound on the held-out images", async () => {
    const bounds = only(await eventsOf(whole), "bound") as Extract<LogEvent, { event: "bound" }>[];
    expect(bounds.map(({ images: count }) => count)).toEqual([9, 9, 9]);
    for (const { bitsPerDimension, bitsStandardError } of bounds) {
      expect(bitsPerDimension).toBeGreaterThan(0);
      expect(bitsStandardError).toBeGreaterThan(0);
    }
  });

  it("has its numbers in log.csv", async () => {
    const [header, ...lines] = (await readFile(join(whole, "log.csv"), "utf8")).trim().split("\n");
    expect(header).toBe("iteration,loss,gradientNorm,learningRate,bitsPerDimension,bitsStandardError");
    const numbers = (await eventsOf(whole)).flatMap((event) => {
      if (event.event === "progress")
        return [`${event.iteration},${event.loss},${event.gradientNorm},${event.learningRate},,`];
      return event.event === "bound"
        ? [`${event.iteration},,,,${event.bitsPerDimension},${event.bitsStandardError}`]
        : [];
    });
    expect(lines).toEqual(numbers);
    expect(lines).toHaveLength(8);
  });

  it("has all of it in one event file of TensorBoard", async () => {
    const names = (await readdir(whole)).filter((name) => name.includes("tfevents"));
    expect(names).toEqual(["events.out.tfevents.000001.unnoise"]);
    const records = recordsOf(await readFile(join(whole, names[0] ?? "")));
    const count = (word: string): number => records.filter((record) => record.includes(word)).length;
    const tags = ["brain.Event:2", "gradientNorm", "bitsPerDimension", "samples", "PNG"];
    expect(tags.map(count)).toEqual([1, 5, 3, 2, 2]);
    expect((await readdir(plain)).filter((name) => name.includes("tfevents"))).toEqual([]);
  });

  test.each([3, 4, 7])("stopped after %d iterations and resumed, is the same", async (stopAfter) => {
    const out = join(root, `stopped-${stopAfter}`);
    const config = configOf(measuring);
    await interruptAt(stopAfter, { config, out });
    // A kill may come after lines that the checkpoint does not know of, and in the middle of one.
    for (const [name, text] of [
      ["log.jsonl", '{"event":"progress","iteration":8,"loss":5,"gradientNorm":1,"learningRate":1}\n{"event":"bo'],
      ["log.csv", "8,5,1,1,,\n9,"],
      ["events.out.tfevents.000001.unnoise", "\x18\0\0"],
    ] as const) {
      const path = join(out, name);
      const before = await readFile(path).catch(() => Buffer.of());
      if (before.length > 0) await writeFile(path, Buffer.concat([before, Buffer.from(text, "latin1")]));
    }
    await trainRun({ config, out, resume: true });
    const kept = async (run: string): Promise<LogEvent[]> =>
      (await eventsOf(run)).filter(({ event }) => event !== "resume");
    expect(await kept(out)).toEqual(await kept(whole));
    expect(await readFile(join(out, "log.csv"), "utf8")).toBe(await readFile(join(whole, "log.csv"), "utf8"));
    for (const name of await readdir(join(whole, "figures")))
      expect((await readFile(join(out, "figures", name))).equals(await readFile(join(whole, "figures", name)))).toBe(
        true,
      );
    const names = (await readdir(out)).filter((name) => name.includes("tfevents"));
    expect(names).toEqual(["events.out.tfevents.000001.unnoise", "events.out.tfevents.000002.unnoise"]);
    const [, start] = recordsOf(await readFile(join(out, names[1] ?? "")));
    // Wall time, then field 2, the step, and field 7, the start of a session.
    expect(start?.subarray(9).toString("hex")).toBe(`10${Buffer.of(stopAfter + 1).toString("hex")}3a020801`);
  });

  it("leaves nothing of itself behind when it is replaced", async () => {
    const out = join(root, "replaced");
    await trainRun({ config: configOf({ ...measuring, iterations: 4 }), out });
    await writeFile(join(out, "figures/mine.png"), "mine");
    await trainRun({ config: configOf({ iterations: 1 }), out, overwrite: true });
    expect(await readdir(join(out, "figures"))).toEqual(["mine.png"]);
    expect((await readdir(out)).filter((name) => name.includes("tfevents"))).toEqual([]);
  });
});

test("refuses what cannot be measured, before anything is written", async () => {
  const folder = await writeImages(join(root, "without-test"), { train: 12 });
  const out = join(root, "refused");
  const bare = configOf({ boundEvery: 2 }, folder);
  expect((await errorOf(trainRun({ config: bare, out }))).message).toMatch(
    /boundEvery: the images have no held-out part/,
  );
  const untold = configOf({ boundEvery: 2, labelDropout: 0 });
  const unnamed = memoryImages({ name: "", shape: [1, 1, 1], count: 1, fingerprint: "" }, new Uint8Array(1));
  expect(() => checkMeasures(untold, unnamed)).toThrow(/boundEvery: .* no classes, and labelDropout 0 never trains/);
  expect(await new RunFolder(out).contents()).toBe("nothing");
  const classes = { labelDropout: 0, network: { ...network, num_class_embeds: 3 } };
  const held = configOf({ boundEvery: 2, holdOut: 0.25, iterations: 2, ...classes }, folder);
  await trainRun({ config: held, out });
  expect(only(await eventsOf(out), "bound")).toMatchObject([{ images: 3 }]);
});

test("refuses training that does not fit into memory, before anything is written", async () => {
  const out = join(root, "large");
  const memory = { available: 1e8, total: 2e8 };
  const error = await errorOf(trainRun({ config: configOf(), out, memory }));
  expect([error.code, error.message]).toEqual([
    "usage",
    expect.stringMatching(/needs about .* and 100\.0 MB are available; choose/),
  ]);
  expect(await new RunFolder(out).contents()).toBe("nothing");
});
