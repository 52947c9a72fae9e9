import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeImages } from "../src/train/test-image-files.node.ts";

const PROGRAM = new URL("../bin/unnoise.js", import.meta.url).pathname;
const WEIGHTS = "model/unet/diffusion_pytorch_model.safetensors";
const network = {
  _class_name: "UNet2DModel",
  sample_size: 8,
  in_channels: 1,
  out_channels: 1,
  block_out_channels: [8, 8],
  layers_per_block: 1,
  norm_num_groups: 4,
  add_attention: false,
  down_block_types: ["DownBlock2D", "DownBlock2D"],
  up_block_types: ["UpBlock2D", "UpBlock2D"],
  dropout: 0.2,
  num_class_embeds: 4,
};
const TRAINING = [
  ...["train", "shapes", "--network", "net.json", "--iterations", "40", "--batch-size", "6", "--timesteps", "20"],
  ...["--checkpoint-every", "4", "--log-every", "5", "--device", "cpu", "--threads", "1", "--quiet"],
  ...["--flips", "--accumulate", "2", "--more-ema-decays", "0.5,0.9", "--conditional", "--recompute"],
  ...["--sample-every", "20", "--bound-every", "20", "--tensorboard"],
];

let folder: string;
const file = (name: string): string => join(folder, name);
const options = (): { readonly cwd: string; readonly env: NodeJS.ProcessEnv } => ({
  cwd: folder,
  env: { ...process.env, HOME: folder },
});

function unnoise(...argv: readonly string[]): { readonly code: number | null; readonly stderr: string } {
  const { status, stderr } = spawnSync(process.execPath, [PROGRAM, ...argv], { ...options(), encoding: "utf8" });
  return { code: status, stderr };
}

const namesIn = (path: string): string[] => (existsSync(path) ? readdirSync(path) : []);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "unnoise-image-run-"));
  await writeImages(file("shapes"), { train: 40, test: 9 });
  writeFileSync(file("net.json"), JSON.stringify(network));
  expect(unnoise(...TRAINING, "--out", "whole")).toEqual({ code: 0, stderr: "" });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a run on images with everything on", () => {
  it.each([1, 2])("killed after checkpoint %d, then resumed, is the same bit for bit", async (count) => {
    const out = `killed-${count}`;
    const child = spawn(process.execPath, [PROGRAM, ...TRAINING, "--out", out], options());
    const ended = new Promise((resolve) => child.on("close", resolve));
    while (namesIn(file(`${out}/checkpoints`)).filter((name) => !name.startsWith(".")).length < count) await pause(5);
    child.kill("SIGKILL");
    await ended;
    expect(existsSync(file(`${out}/${WEIGHTS}`))).toBe(false);
    expect(unnoise(...TRAINING, "--out", out, "--resume")).toEqual({ code: 0, stderr: "" });
    const grids = namesIn(file("whole/figures")).map((name) => `figures/${name}`);
    expect(grids).toHaveLength(2);
    for (const name of [WEIGHTS, "log.csv", "checkpoints/000000000040.safetensors", ...grids])
      expect([name, readFileSync(file(`${out}/${name}`)).equals(readFileSync(file(`whole/${name}`)))]).toEqual([
        name,
        true,
      ]);
    expect(namesIn(file(out)).filter((name) => name.includes("tfevents")).length).toBeGreaterThan(0);
  });

  it("is a real test: another seed gives other weights", () => {
    expect(unnoise(...TRAINING, "--out", "other", "--seed", "1").code).toBe(0);
    expect(readFileSync(file(`other/${WEIGHTS}`)).equals(readFileSync(file(`whole/${WEIGHTS}`)))).toBe(false);
  });
});
