import { ddim, sample, toyDataset, train, type Device } from "unnoise";

/** What a run gives, in arrays that pass between a page and Node. */
export interface MoonsRun {
  readonly losses: readonly number[];
  /** Points of DDIM in 20 steps, row by row, in the units of the data. */
  readonly samples: readonly number[];
}

/** Trains a small model on the moons and samples it: the same program in Node and in a page. */
export async function runMoons(device: Device, iterations: number, threads: number, seed = 0): Promise<MoonsRun> {
  const losses: number[] = [];
  const model = await train(toyDataset("moons", { count: 2000 }), {
    ...{ device, iterations, threads, seed },
    ...{ width: 64, depth: 3, batchSize: 128, timesteps: 1000, warmup: 50 },
    onStep: ({ loss }) => losses.push(loss),
  });
  const points = await sample(model, { device, threads, count: 200, sampler: ddim(), steps: 20 });
  return { losses, samples: [...points.data] };
}
