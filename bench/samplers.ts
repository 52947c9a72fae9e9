/**
 * What each sampler costs outside the network, as a share of its steps: `npm run bench:samplers -- [--batch 10000] [--steps 40]
 * [--rounds 5]`. The network is the default MLP with random weights; samplers take turns, and the median of the rounds counts.
 */
import { parseArgs } from "node:util";
import { chooseSampler } from "../src/diffusion/sampler-choice.ts";
import { samplerNames, type SamplerName } from "../src/diffusion/sampler-table.ts";
import { seededNoise } from "../src/diffusion/noise.ts";
import { finalSample, type Denoiser } from "../src/diffusion/sampler.ts";
import { linearSchedule } from "../src/diffusion/schedule.ts";
import { floatTensor } from "../src/tensor/tensor.ts";
import { parseTrainingConfig } from "../src/train/config.ts";
import { DenoiserSession } from "../src/train/model.ts";
import { train } from "../src/train/train.ts";
import { toyDataset } from "../src/data/dataset.ts";

interface Cost {
  /** Milliseconds of a step. */
  readonly step: number;
  /** Share of it outside the network. */
  readonly outside: number;
}

function readSettings(): { readonly batch: number; readonly steps: number; readonly rounds: number } {
  const { values } = parseArgs({
    options: {
      batch: { type: "string", default: "10000" },
      steps: { type: "string", default: "40" },
      rounds: { type: "string", default: "5" },
    },
  });
  const [batch, steps, rounds] = [values.batch, values.steps, values.rounds].map((text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1) throw new Error(`expected an integer ≥ 1, got ${text}`);
    return value;
  }) as [number, number, number];
  return { batch, steps, rounds };
}

const schedule = linearSchedule();

async function costOf(name: SamplerName, session: DenoiserSession, batch: number, steps: number): Promise<Cost> {
  const { sampler, options } = chooseSampler({ sampler: name, steps }, { schedule });
  let inside = 0;
  const denoiser: Denoiser = async (xt, step) => {
    const began = performance.now();
    const prediction = await session.predict(xt, step);
    inside += performance.now() - began;
    return prediction;
  };
  const began = performance.now();
  await finalSample(sampler({ denoiser, schedule, shape: [batch, 2], noise: seededNoise(1), ...options }));
  const total = performance.now() - began;
  return { step: total / steps, outside: (total - inside) / total };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

async function main(): Promise<void> {
  const { batch, steps, rounds } = readSettings();
  const { width, depth } = parseTrainingConfig({ data: "moons" });
  const model = await train(toyDataset("moons", { count: 1000 }), { iterations: 1, warmup: 0 });
  const session = new DenoiserSession(model);
  await session.predict(floatTensor(new Float32Array(batch * 2), [batch, 2]), 0);
  const costs = new Map<SamplerName, Cost[]>(samplerNames.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const name of samplerNames) {
      const cost = await costOf(name, session, batch, steps);
      // The first round warms up.
      if (round > 0) costs.get(name)?.push(cost);
    }
  }
  await session.dispose();
  process.stdout.write(`batch ${batch}, ${steps} steps, MLP ${width} × ${depth}, median of ${rounds} rounds\n`);
  process.stdout.write(`${"sampler".padEnd(20)}${"ms a step".padStart(10)}${"outside the network".padStart(22)}\n`);
  for (const [name, all] of costs) {
    const step = median(all.map((cost) => cost.step)).toFixed(2);
    const outside = `${(100 * median(all.map((cost) => cost.outside))).toFixed(1)} %`;
    process.stdout.write(`${name.padEnd(20)}${step.padStart(10)}${outside.padStart(22)}\n`);
  }
}

await main();
