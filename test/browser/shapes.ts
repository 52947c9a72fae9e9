import { ddim, memoryImages, sampleImages, train, type Device } from "unnoise";

/** What a run gives, in arrays that pass between a page and Node. */
export interface ShapesRun {
  readonly losses: readonly number[];
  /** Pixels of DDIM in 5 steps. */
  readonly samples: readonly number[];
}

const SIDE = 8;

/** Trains a small U-Net with classes on squares of two sizes and samples it: the same program in Node and in a page. */
export async function runShapes(device: Device, iterations: number, seed = 0): Promise<ShapesRun> {
  const losses: number[] = [];
  const model = await train(memoryImages(facts(), squares()), {
    ...{ device, iterations, seed, threads: 1 },
    ...{ network: "unet-tiny", conditional: true, batchSize: 4, warmup: 0, flips: true },
    onStep: ({ loss }) => losses.push(loss),
  });
  const images = await sampleImages(model, { device, threads: 1, count: 2, labels: "all", sampler: ddim(), steps: 5 });
  return { losses, samples: [...images.data] };
}

const COUNT = 16;

function facts(): Parameters<typeof memoryImages>[0] {
  const labels = Int32Array.from({ length: COUNT }, (_, i) => i % 2);
  return {
    name: "squares",
    shape: [1, SIDE, SIDE],
    count: COUNT,
    fingerprint: "squares",
    labels,
    classes: ["small", "large"],
  };
}

function squares(): Uint8Array {
  return Uint8Array.from({ length: COUNT * SIDE * SIDE }, (_, i) => {
    const [image, y, x] = [Math.floor(i / SIDE ** 2), Math.floor(i / SIDE) % SIDE, i % SIDE];
    const side = image % 2 === 0 ? 3 : 6;
    const first = image % 3;
    return x >= first && x < first + side && y >= first && y < first + side ? 255 : 0;
  });
}
