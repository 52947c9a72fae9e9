/**
 * Trains on a table of your own: here four measurements of 342 penguins (Gorman, Williams & Fraser 2014). Any number of columns
 * works; a CSV file would be read by `loadPoints("penguins.csv")`.
 * Run: npx tsx examples/02-your-own-points.ts
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { ddim, energyDistance, fitStandardiser, floatTensor, sample, standardise, train, type Dataset } from "unnoise";
import { scatterFigure } from "unnoise/figures";

const iterations = Number(process.env["ITERATIONS"] ?? 4000);
const columns = ["Beak Length (mm)", "Beak Depth (mm)", "Flipper Length (mm)", "Body Mass (g)"];

const file = new URL("../node_modules/vega-datasets/data/penguins.json", import.meta.url);
const penguins = JSON.parse(await readFile(file, "utf8")) as Record<string, number | null>[];
const rows = penguins.map((penguin) => columns.map((column) => penguin[column] ?? Number.NaN));
const complete = rows.filter((row) => row.every(Number.isFinite));
const points = floatTensor(complete.flat(), [complete.length, columns.length]);
const data: Dataset = { name: "penguins", columns, points };
console.log(`${complete.length} penguins, ${rows.length - complete.length} left out for missing values`);

const model = await train(data, { iterations, batchSize: 256, seed: 1 });
const samples = await sample(model, { count: complete.length, sampler: ddim({ eta: 0 }), steps: 50, seed: 1 });

// Means side by side, and the energy distance in standard deviations: 0 means equal distributions.
const mean = (data: Float32Array, column: number): number =>
  data.filter((_, i) => i % columns.length === column).reduce((sum, value) => sum + value, 0) / complete.length;
columns.forEach((column, i) => {
  console.log(
    `${column}: mean ${mean(points.data, i).toFixed(1)} in the data, ${mean(samples.data, i).toFixed(1)} in the samples`,
  );
});
const standardiser = fitStandardiser(points);
const distance = energyDistance(standardise(samples, standardiser), standardise(points, standardiser));
console.log(`energy distance ${distance.toFixed(3)}`);

const folder = new URL("./out/", import.meta.url);
await mkdir(folder, { recursive: true });
const figure = scatterFigure({
  points: samples,
  reference: points,
  columns,
  title: "Penguins, sampled by DDIM in 50 steps",
});
await writeFile(new URL("penguins.svg", folder), figure);
console.log(`wrote ${new URL("penguins.svg", folder).pathname}`);
