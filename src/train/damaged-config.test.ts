import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { corruptions } from "../../test/corrupt.ts";
import { UnnoiseError } from "../math/error.ts";
import { networkPreset } from "../nn/network-presets.ts";
import { parseTrainingConfig } from "./config.ts";
import { denoiserFile } from "./denoiser-spec.ts";
import { jsonText } from "./json-file.node.ts";
import { RunFolder } from "./run-folder.node.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unnoise-config-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("200 damaged variants of a run's config.json: one clear line, or a configuration", async () => {
  const network = denoiserFile(networkPreset("unet-tiny", { sampleSize: 8, channels: 1, outputs: 1, classes: 0 }));
  const config = parseTrainingConfig({ data: "images", kind: "images", network, moreEmaDecays: [0.9] });
  const whole = new TextEncoder().encode(jsonText({ unnoise: "0.1.0", ...config }));
  const run = new RunFolder(folder);
  await writeFile(run.configPath, whole);
  expect(await run.config()).toEqual(config);
  let refused = 0;
  for (const bytes of corruptions(whole, 200)) {
    await writeFile(run.configPath, bytes);
    const error: unknown = await run.config().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (error === undefined) continue;
    refused++;
    expect(error).toBeInstanceOf(UnnoiseError);
    expect((error as UnnoiseError).message).not.toContain("\n");
    expect((error as UnnoiseError).message.length).toBeLessThan(2000);
  }
  expect(refused).toBeGreaterThan(100);
});
