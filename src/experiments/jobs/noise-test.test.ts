import { expect, it } from "vitest";
import { at } from "../../math/error.ts";
import type { JobContext } from "../job.ts";
import { processOf } from "../process.node.ts";
import { noiseTestKind, noiseTestNullKind } from "./noise-test.node.ts";

const context = (needs: JobContext["needs"] = []): JobContext => ({
  folder: "",
  needs,
  signal: new AbortController().signal,
  onShare: () => undefined,
});

it("tells data from noise early, and late as often as its level says", async () => {
  const [count, repetitions, level] = [60, 400, 0.1];
  const none = await noiseTestNullKind.run({ count, width: 2, repetitions: 4000, level }, context());
  const process = processOf({ source: { data: "moons", digest: null }, seed: 0, scale: "quick" });
  const test = async (threshold: number): Promise<readonly number[]> => {
    const limit = { ...none, values: { threshold }, folder: "" };
    const options = { process, count, times: [1, 1000], repetitions };
    return (await noiseTestKind.run(options, context([limit]))).values.rejections;
  };
  const rejections = await test(none.values.threshold);
  // Both the limit, from 4000 repetitions, and the share, from 400, scatter.
  const tolerance = 4 * Math.sqrt(level * (1 - level) * (1 / 4000 + 1 / repetitions));
  expect(Math.abs(at(rejections, 1) / repetitions - level)).toBeLessThan(tolerance);
  expect(at(rejections, 0) / repetitions).toBeGreaterThan(level + tolerance);
  const lower = await test(0.75 * none.values.threshold);
  expect(at(lower, 1) / repetitions - level).toBeGreaterThan(tolerance);
});

it("stops when it is asked to", async () => {
  const stopped = { ...context(), signal: AbortSignal.abort() };
  const options = { count: 10, width: 2, repetitions: 5, level: 0.05 };
  await expect(noiseTestNullKind.run(options, stopped)).rejects.toThrow("stopped after 0 of 5");
});
