/**
 * Trains a small U-Net on Fashion-MNIST, told the class of each image, and draws a grid: one column a class. The images are those of
 * Debian's package dataset-fashion-mnist, or a folder with its four files.
 * Run: npx tsx examples/03-fashion-mnist.ts [folder]
 */
import { mkdir, writeFile } from "node:fs/promises";
import { ddim, encodePng, imageBound, imageGrid, openImages, sampleImages, train } from "unnoise";

const iterations = Number(process.env["ITERATIONS"] ?? 3000);
const images = await openImages(process.argv[2] ?? "fashion-mnist");
console.log(`${images.count} images of ${images.shape.join("×")}, classes: ${images.classes?.join(", ")}`);

const model = await train(images, {
  iterations,
  network: "unet-tiny",
  conditional: true,
  labelDropout: 0.1,
  schedule: "cosine",
  variance: "learned-range",
  batchSize: 32,
  learningRate: 1e-3,
  seed: 1,
  onStep: ({ iteration, loss }) => {
    if (iteration % 100 === 0) console.log(`${iteration} of ${iterations}: loss ${loss.toFixed(4)}`);
  },
});

// 10 classes in turn, pulled towards their class by classifier-free guidance.
const samples = await sampleImages(model, {
  count: 50,
  labels: "all",
  guidance: 2,
  sampler: ddim(),
  steps: 25,
  seed: 1,
});
const { total } = await imageBound(model, images.test ?? images, { count: 32, stepsPerImage: 20 });
console.log(`${total.mean.toFixed(2)} ± ${total.standardError.toFixed(2)} bits/dim`);

const folder = new URL("./out/", import.meta.url);
await mkdir(folder, { recursive: true });
await writeFile(new URL("fashion-mnist.png", folder), encodePng(imageGrid(samples, { columns: 10, scale: 3 })));
console.log(`wrote ${new URL("fashion-mnist.png", folder).pathname}`);
