/**
 * Trains a small denoiser on the swiss roll, samples it by DDPM (1000 steps) and DDIM (50 steps), and measures how far the samples
 * are from the data beside how far two fresh draws of the data are from each other.
 * Run: npx tsx examples/01-swiss-roll.ts
 */
import { mkdir, writeFile } from "node:fs/promises";
import { ddim, ddpm, sample, toyDataset, train, wasserstein2, type FloatTensor } from "unnoise";
import { scatterFigure } from "unnoise/figures";

const iterations = Number(process.env["ITERATIONS"] ?? 4000);
const folder = new URL("./out/", import.meta.url);

const data = toyDataset("swiss-roll", { seed: 1 });
const model = await train(data, {
  iterations,
  seed: 1,
  onStep: ({ iteration, loss }) => {
    if (iteration % 1000 === 0) console.log(`iteration ${iteration}: loss ${loss.toFixed(4)}`);
  },
});

const count = 1000;
const [reference, other] = [2, 3].map((seed) => toyDataset("swiss-roll", { count, seed }).points) as [
  FloatTensor,
  FloatTensor,
];
const samplers = {
  "DDPM, 1000 steps": await sample(model, { count, sampler: ddpm({ variance: "large" }), seed: 1 }),
  "DDIM, 50 steps": await sample(model, { count, sampler: ddim({ eta: 0 }), steps: 50, seed: 1 }),
};

const floor = wasserstein2(reference, other);
console.log(`W2 between two draws of the data: ${floor.toFixed(4)}`);
await mkdir(folder, { recursive: true });
for (const [name, points] of Object.entries(samplers)) {
  const distance = wasserstein2(points, reference);
  console.log(`W2 of ${name}: ${distance.toFixed(4)}, ${(distance / floor).toFixed(2)} × floor`);
  const file = new URL(`swiss-roll-${name.slice(0, 4).toLowerCase()}.svg`, folder);
  await writeFile(file, scatterFigure({ points, reference, title: `Swiss roll by ${name}`, columns: data.columns }));
  console.log(`wrote ${file.pathname}`);
}
