import { expect, test } from "vitest";
import { benchmarkPage, type BenchmarkRun } from "./benchmark-page.ts";

const run = (
  data: string,
  setting: string,
  seed: number,
  value: number,
  bound: number | null = null,
): BenchmarkRun => ({
  data,
  setting,
  seed,
  bound,
  metrics: { w2: { value, floor: 0.1 + 0.01 * seed } },
});

const runs: readonly BenchmarkRun[] = [
  ...[0.1, 0.5, 0.13].map((value, seed) => run("moons", "DDPM, 1000 steps", seed, value, 1 + seed)),
  ...[0.3, 0.31, 0.2].map((value, seed) => run("moons", "DDIM, η = 0, 20 steps", seed, value)),
  { data: "cross", setting: "DDPM, 1000 steps", seed: 0, bound: null, metrics: {} },
];
const page = benchmarkPage(runs, { command: "npm run it", points: 2000 });

test("medians over median floors decide what is met", () => {
  // Medians 0.13 and 0.3 over the median floor 0.11.
  expect(page).toContain(
    "**moons**: DDPM-1000 1.18 × floor, asked at most 1.2: met; DDIM-20 2.73 × floor, asked at most 1.5: missed.",
  );
  const worse = [...runs, run("moons", "DDPM, 1000 steps", 1, 0.2), run("moons", "DDPM, 1000 steps", 1, 0.3)];
  expect(benchmarkPage(worse, { command: "", points: 10 })).toContain(
    "DDPM-1000 1.82 × floor, asked at most 1.2: missed",
  );
});

test("rows hold medians and quartiles, and – where there is no bound", () => {
  expect(page).toContain("| DDPM | 1000 | 0.13 [0.115, 0.315] | 1.18 | 2 [1.5, 2.5] |");
  expect(page).toContain("| DDIM, η = 0 | 20 | 0.3 [0.25, 0.305] | 2.73 | – |");
  expect(page).toContain("Floor: 0.11 [0.105, 0.115].");
  expect(page).toContain("    npm run it\n");
  expect(page).toContain("2,000 samples");
  expect(page).toContain("median over 3 seeds");
});

test("failed runs are said to have failed", () => {
  expect(page).toContain("- **cross**: DDPM-1000 not measured; DDIM-20 not measured.");
  expect(page).toContain("| DDPM | 1000 | – | failed | – |");
});
