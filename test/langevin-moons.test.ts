import { beforeAll, describe, expect, it } from "vitest";
import { toyDataset } from "../src/data/dataset.ts";
import { logSnrSteps } from "../src/diffusion/noise-level-steps.ts";
import { langevin, type LangevinOptions } from "../src/diffusion/samplers/langevin.ts";
import { meanOf } from "../src/math/running-mean.ts";
import { wasserstein2 } from "../src/metrics/wasserstein.ts";
import { scheduleOf, type PointModel } from "../src/train/model.ts";
import { sample } from "../src/train/sample.ts";
import { train } from "../src/train/train.ts";
import type { FloatTensor } from "../src/tensor/tensor.ts";

const COUNT = 1000;
const seeds = [1, 2, 3];
const moons = toyDataset("moons", { seed: 1 });

/** Points that the network never saw. */
function fresh(seed: number): FloatTensor {
  if (!moons.draw) throw new Error("moons have a generator");
  return moons.draw(COUNT, seed);
}

describe("annealed Langevin dynamics with a network trained by L_simple on the moons", () => {
  let model: PointModel;
  let floor: number;
  beforeAll(async () => {
    model = await train(moons, { iterations: 6000, width: 96, depth: 3, device: "cpu", threads: 1 });
    floor = meanOf(seeds.map((seed) => wasserstein2(fresh(10 * seed), fresh(10 * seed + 1)))).mean;
  });

  /** Mean W2 to fresh points over the seeds, as a multiple of what fresh points reach against each other. */
  async function ratioOf(options: LangevinOptions = {}): Promise<number> {
    const distances: number[] = [];
    for (const seed of seeds) {
      const steps = logSnrSteps(scheduleOf(model), 20);
      const points = await sample(model, { count: COUNT, sampler: langevin(options), steps, seed, threads: 1 });
      distances.push(wasserstein2(points, fresh(10 * seed)));
    }
    return meanOf(distances).mean / floor;
  }

  it("is within 1.6 of the floor of W2", async () => {
    expect(await ratioOf()).toBeLessThan(1.6);
  });

  it("is not, where each level has one update instead of five", async () => {
    expect(await ratioOf({ innerSteps: 1 })).toBeGreaterThan(1.6);
  });
});
