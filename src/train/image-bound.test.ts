import { describe, expect, test } from "vitest";
import { memoryImages } from "../data/images.ts";
import { scheduleConfig } from "../diffusion/schedules/schedule-config.ts";
import { gaussianLogDensity } from "../diffusion/decoder.ts";
import { Random } from "../math/random.ts";
import { networkPreset } from "../nn/network-presets.ts";
import { initialise } from "../nn/parameters.ts";
import { denoiserParameters } from "./denoiser-spec.ts";
import { imageBound } from "./image-bound.ts";
import { namedWeights, type ImageModel } from "./model.ts";

const levels = new Uint8Array(40 * 64).map((_, i) => (i * 7919 + (i >> 5) * 131) % 256);
const facts = { name: "noise", shape: [1, 8, 8], count: 40, fingerprint: "noise" } as const;
const images = memoryImages(facts, levels);

/** A network whose weights are all 0 says 0: x̂_0 = x_t/√ᾱ_t, whatever it is asked. */
function silentModel(timesteps: number): ImageModel {
  const denoiser = networkPreset("unet-tiny", { sampleSize: 8, channels: 1, outputs: 1, classes: 0 });
  const weights = initialise(denoiserParameters(denoiser), new Random(0, "init")).fill(0);
  return {
    kind: "images",
    denoiser,
    schedule: scheduleConfig("linear", { timesteps, betaStart: 0.01, betaEnd: 0.4 }),
    prediction: "eps",
    variance: "large",
    firstLogVariance: "second",
    weights: namedWeights(weights, denoiser),
  };
}

/** A network of two classes and none, with random weights. */
function classModel(): ImageModel {
  const denoiser = networkPreset("unet-tiny", { sampleSize: 8, channels: 1, outputs: 1, classes: 3 });
  const weights = initialise(denoiserParameters(denoiser), new Random(0, "init"));
  const normals = new Float32Array(weights.length);
  new Random(1, "noise").normals(normals, normals.length, 0, 0);
  weights.forEach((weight, i) => (weights[i] = weight + 0.05 * (normals[i] ?? 0)));
  return { ...silentModel(8), denoiser, classes: ["a", "b"], weights: namedWeights(weights, denoiser) };
}

test("of a network that says nothing is the closed form, in bits per dimension", async () => {
  const model = silentModel(12);
  const { terms, total, prior, transitions, reconstruction } = await imageBound(model, images, {
    clip: null,
    device: "cpu",
  });
  expect(total.mean).toBeCloseTo(prior.mean + transitions.mean + reconstruction.mean, 9);
  // ε̂ = 0 for ε of length √D: L_{t−1} = β_t²/(2σ_t² α_t (1 − ᾱ_t)) · D nats on average, with σ_t² = β_t.
  const betas = Array.from({ length: 12 }, (_, i) => 0.01 + (0.39 * i) / 11);
  let kept = 1 - 0.01;
  for (let i = 1; i < betas.length; i++) {
    const beta = betas[i] ?? 0;
    const before = kept;
    kept *= 1 - beta;
    const own = ((1 - before) / (1 - kept)) * beta;
    const variances = 0.5 * (Math.log(beta / own) + own / beta - 1);
    const expected = 64 * (variances + beta / (2 * (1 - beta) * (1 - kept)));
    const term = terms[i];
    expect(Math.abs((term?.mean ?? 0) - expected)).toBeLessThan(5 * (term?.standardError ?? 0));
    expect(Math.abs((term?.mean ?? 0) - 1.1 * expected)).toBeGreaterThan(2 * (term?.standardError ?? 0));
  }
});

test("some steps of each image have the expectation of all, with an honest error", async () => {
  const model = silentModel(60);
  const all = await imageBound(model, images, { clip: null, device: "cpu" });
  const some = await imageBound(model, images, { clip: null, device: "cpu", stepsPerImage: 20, seed: 3 });
  const error = Math.hypot(all.total.standardError, some.total.standardError);
  expect(Math.abs(all.total.mean - some.total.mean)).toBeLessThan(4.5 * error);
  expect(some.total.standardError).toBeLessThan(0.1 * all.total.mean);
});

test("few steps of each image, and L_0 is among those of every one", async () => {
  const { terms, reconstruction } = await imageBound(silentModel(60), images, { device: "cpu", stepsPerImage: 3 });
  const all = await imageBound(silentModel(60), images, { device: "cpu" });
  expect([terms[0]?.rows, terms[1]?.rows]).toEqual([40, expect.any(Number)]);
  expect(terms[1]?.rows).toBeLessThan(40);
  expect(reconstruction).toEqual(all.reconstruction);
});

test("a network that takes no classes is told none, though the images have some", async () => {
  const named = { ...silentModel(4), classes: ["a", "b"] };
  const labelled = memoryImages({ ...facts, labels: new Int32Array(40) }, levels);
  expect((await imageBound(named, labelled, { device: "cpu", count: 2 })).classes).toBe("absent");
});

describe("of a network that takes classes", () => {
  const model = classModel();
  /** The bounds of two images, the smaller first: from their mean and spread. */
  const bounds = async (labels: readonly number[] | undefined, stepsPerImage: number | null): Promise<number[]> => {
    const named = labels ? { labels: Int32Array.from(labels), classes: ["a", "b"] } : {};
    const two = memoryImages({ ...facts, ...named, count: 2 }, levels.subarray(0, 128));
    const { total, classes } = await imageBound(model, two, { device: "cpu", stepsPerImage });
    expect(classes).toBe(labels ? "told" : "none");
    return [total.mean - total.standardError, total.mean + total.standardError];
  };

  test.each([null, 3])("tells it the class of each image (steps of each image: %s)", async (stepsPerImage) => {
    const [none, first, second] = [
      await bounds(undefined, stepsPerImage),
      await bounds([0, 0], stepsPerImage),
      await bounds([1, 1], stepsPerImage),
    ];
    const mixed = [await bounds([0, 1], stepsPerImage), await bounds([1, 0], stepsPerImage)]
      .flat()
      .sort((a, b) => a - b);
    // Each of both images is asked as each of both classes once.
    [...first, ...second].sort((a, b) => a - b).forEach((value, i) => expect(mixed[i]).toBeCloseTo(value, 5));
    for (const other of [first, second]) expect(Math.abs((none[0] ?? 0) - (other[0] ?? 0))).toBeGreaterThan(1e-3);
    expect(await bounds([0, 1], stepsPerImage)).not.toEqual(first);
    expect(await bounds([0, 1], stepsPerImage)).not.toEqual(second);
  });
});

test("the decoder gives bins, not densities: bits stay above 0 for a sharp model", async () => {
  const { reconstruction } = await imageBound(silentModel(12), images, { device: "cpu" });
  expect(reconstruction.mean).toBeGreaterThan(0);
  expect(gaussianLogDensity(0, 0, Math.log(1e-4))).toBeGreaterThan(0);
});

test("refuses to measure on nothing", async () => {
  await expect(imageBound(silentModel(12), images, { count: 0 })).rejects.toThrow(/expected at least one image, got 0/);
});
