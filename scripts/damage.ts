/**
 * Damages files of runs and models and counts what becomes of it: npx tsx scripts/damage.ts --count 1000
 * Each number is one damage, so that a run that was cut short goes on with --from; --control takes the checksums away first.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { takeSumsAway, tryDamage } from "../test/damage.ts";
import { parseTrainingConfig } from "../src/train/config.ts";
import { trainRun } from "../src/train/train-run.node.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "1000" },
    from: { type: "string", default: "0" },
    seed: { type: "string", default: "1" },
    control: { type: "boolean", default: false },
  },
});
const config = parseTrainingConfig({
  data: "moons",
  ...{ iterations: 30, batchSize: 8, width: 8, depth: 1, dataSize: 60, timesteps: 4 },
  ...{ checkpointEvery: 10, timestepDraw: "importance", device: "cpu", threads: 1 },
});

const root = await mkdtemp(join(tmpdir(), "unnoise-damage-"));
try {
  await trainRun({ config, out: join(root, "whole") });
  const whole = await readFile(join(root, "whole/model/unet/diffusion_pytorch_model.safetensors"));
  const stop = new AbortController();
  const onStep = ({ iteration }: { iteration: number }): void => {
    if (iteration === 25) stop.abort();
  };
  await trainRun({ config, out: join(root, "half"), signal: stop.signal, onStep });
  if (values.control) for (const run of ["half", "whole"]) await takeSumsAway(join(root, run));
  const counts = new Map<string, number>();
  for (let i = Number(values.from); i < Number(values.count); i++) {
    const run = i % 2 === 0 ? "half" : "whole";
    const { file, damage, outcome, message } = await tryDamage(join(root, run), whole, i, Number(values.seed));
    const row = `${run === "half" ? "going on" : "model"} | ${damage} | ${outcome}`;
    counts.set(row, (counts.get(row) ?? 0) + 1);
    if (outcome === "accepted" && !values.control)
      process.stdout.write(`accepted: ${file}, ${damage}, ${i}: ${message ?? ""}\n`);
  }
  const rows = [...counts].sort().map(([row, count]) => `| ${row} | ${count} |\n`);
  process.stdout.write(`| run | damage | outcome | count |\n|---|---|---|---|\n${rows.join("")}`);
} finally {
  await rm(root, { recursive: true, force: true });
}
