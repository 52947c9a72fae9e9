import { expect, test } from "vitest";
import { toyDataset } from "../data/dataset.ts";
import { train, type TrainOptions } from "./train.ts";

const data = toyDataset("moons", { count: 100 });
const small = { batchSize: 8, width: 8, depth: 1, threads: 1 } as const;

test("a timer can stop training on a provider that answers without turning the event loop", async () => {
  const stop = new AbortController();
  setTimeout(() => {
    stop.abort();
  }, 100);
  const training = train(data, { ...small, device: "wasm", iterations: 1_000_000, signal: stop.signal });
  await expect(training).rejects.toMatchObject({ code: "interrupted" });
});

test("a last update that overflows gives an error, not a model", async () => {
  const training = train(data, {
    ...small,
    device: "cpu",
    iterations: 1,
    warmup: 0,
    learningRate: 1e38,
    weightDecay: 1e10,
  });
  await expect(training).rejects.toMatchObject({ code: "not-finite" });
});

test("a function weights the loss of each step", async () => {
  const lossOf = async (weighting: NonNullable<TrainOptions["weighting"]>): Promise<number> => {
    let first = Number.NaN;
    const onStep = ({ loss }: { loss: number }): void => void (first = loss);
    await train(data, { ...small, device: "cpu", iterations: 1, weighting, onStep });
    return first;
  };
  const plain = await lossOf("uniform");
  expect(await lossOf(() => 3)).toBeCloseTo(3 * plain, 5);
  expect(await lossOf((_, step) => (step < 0 ? 1 : 0))).toBe(0);
  expect(plain).toBeGreaterThan(0.1);
  await expect(lossOf(() => -1)).rejects.toThrow(/weighting: expected a weight ≥ 0/);
  const learning = train(data, { ...small, device: "cpu", iterations: 1, schedule: "learned", weighting: () => 1 });
  await expect(learning).rejects.toThrow(/the bound has weights of its own/);
});
