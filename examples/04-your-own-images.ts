/**
 * Trains on a folder of pictures of your own: PNG, and with the package sharp also JPEG and WebP; folders in it are classes. Without a
 * folder it draws one first: discs and squares.
 * Run: npx tsx examples/04-your-own-images.ts [folder]
 */
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ddpm, encodePng, imageGrid, openImages, repaint, sampleImages, train } from "unnoise";

const iterations = Number(process.env["ITERATIONS"] ?? 1500);
const SIDE = 16;

/** A white disc or square somewhere on black. */
function shape(kind: string, i: number): Uint8Array {
  const [x, y, radius] = [5 + ((i * 7) % 6), 5 + ((i * 11) % 6), 2.5 + (i % 3)];
  const data = new Uint8Array(4 * SIDE * SIDE).fill(255);
  for (let pixel = 0; pixel < SIDE * SIDE; pixel++) {
    const [dx, dy] = [(pixel % SIDE) - x, Math.floor(pixel / SIDE) - y];
    const inside = kind === "discs" ? Math.hypot(dx, dy) <= radius : Math.max(Math.abs(dx), Math.abs(dy)) <= radius;
    data.fill(inside ? 255 : 0, 4 * pixel, 4 * pixel + 3);
  }
  return data;
}

async function drawShapes(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "shapes-"));
  for (const kind of ["discs", "squares"]) {
    await mkdir(join(folder, kind));
    for (let i = 0; i < 108; i++) {
      const png = encodePng({ width: SIDE, height: SIDE, data: shape(kind, i) });
      await writeFile(join(folder, kind, `${i}.png`), png);
    }
  }
  return folder;
}

const images = await openImages(process.argv[2] ?? (await drawShapes()), { size: SIDE, channels: 1 });
console.log(`${images.count} images; classes: ${images.classes?.join(", ") ?? "none"}`);
const model = await train(images, {
  iterations,
  network: "unet-tiny",
  batchSize: 16,
  learningRate: 2e-3,
  timesteps: 250,
});

const samples = await sampleImages(model, { count: 16, seed: 1 });
// The upper half of one sample is kept, the lower drawn anew, eight times.
const known = { ...samples, shape: samples.shape.slice(1), data: samples.data.slice(0, SIDE * SIDE) };
const mask = { ...known, data: known.data.map((_, pixel) => (pixel < (SIDE * SIDE) / 2 ? 1 : 0)) };
const completed = await sampleImages(model, { count: 8, sampler: repaint({ known, mask, resamples: 5 }), steps: 50 });

const folder = new URL("./out/", import.meta.url);
await mkdir(folder, { recursive: true });
await writeFile(new URL("shapes.png", folder), encodePng(imageGrid(samples, { columns: 8, scale: 4 })));
await writeFile(new URL("shapes-completed.png", folder), encodePng(imageGrid(completed, { columns: 8, scale: 4 })));
console.log(`wrote shapes.png and shapes-completed.png to ${folder.pathname}; the default sampler is ${ddpm.name}`);
