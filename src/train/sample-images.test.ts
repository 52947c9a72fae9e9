import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seededNoise } from "../diffusion/noise.ts";
import { finalSample, type Denoiser, type SamplerStep } from "../diffusion/sampler.ts";
import { ddim } from "../diffusion/samplers/ddim.ts";
import { scheduleConfig } from "../diffusion/schedules/schedule-config.ts";
import { at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { networkPreset } from "../nn/network-presets.ts";
import { initialise } from "../nn/parameters.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import { chunkRowsOf } from "./chunk-rows.ts";
import { denoiserParameters } from "./denoiser-spec.ts";
import type { SampleGroup } from "./draw-samples.ts";
import { DenoiserSession, namedWeights, scheduleOf, type ImageModel } from "./model.ts";
import { classCountOf, sampleImages, type SampleImagesOptions } from "./sample-images.ts";

const TIMESTEPS = 20;
const CLASSES = ["cat", "dog", "owl"];
const WIDTH = 64;

function modelOf(classes: readonly string[]): ImageModel {
  const rows = classes.length === 0 ? 0 : classes.length + 1;
  const denoiser = networkPreset("unet-tiny", { sampleSize: 8, channels: 1, outputs: 1, classes: rows });
  return {
    kind: "images",
    denoiser,
    schedule: scheduleConfig("linear", { timesteps: TIMESTEPS }),
    ...({ prediction: "eps", variance: "large", firstLogVariance: "second" } as const),
    weights: namedWeights(initialise(denoiserParameters(denoiser), new Random(3, "init")), denoiser),
    ...(classes.length > 0 && { classes }),
  };
}

const model = modelOf(CLASSES);
const plain = modelOf([]);
const session = new DenoiserSession(model, { device: "cpu", threads: 1 });
afterAll(() => session.dispose());

const draw = (options: SampleImagesOptions = {}, of: ImageModel = plain): Promise<FloatTensor> =>
  sampleImages(of, { count: 5, seed: 2, device: "cpu", threads: 1, sampler: ddim(), steps: 4, ...options });
const furthest = ({ data: a }: FloatTensor, { data: b }: FloatTensor): number =>
  Math.max(...a.map((x, i) => Math.abs(x - at(b, i))));
/** The same sampler over a denoiser made by hand. */
const byHand = (denoiser: Denoiser, count = 5): Promise<FloatTensor> =>
  finalSample(
    ddim()({
      denoiser,
      schedule: scheduleOf(model),
      shape: [count, 1, 8, 8],
      noise: seededNoise(2),
      steps: 4,
      clip: [-1, 1],
    }),
  );

let usual: FloatTensor;
beforeAll(async () => void (usual = await draw()));

describe("limits of x̂_0", () => {
  it("clips to the range of images", () => {
    expect(usual.shape).toEqual([5, 1, 8, 8]);
    expect(usual.data.every((x) => x >= -1 && x <= 1)).toBe(true);
    expect(usual.data.some((x) => Math.abs(x) === 1)).toBe(true);
  });

  it("does not where it shall not", async () => {
    const free = await draw({ clip: null });
    expect(free.data.some((x) => Math.abs(x) > 1)).toBe(true);
    expect(furthest(await draw({ clip: [-0.5, 0.5] }), free)).toBeGreaterThan(0.1);
  });

  it("gives way to thresholding", async () => {
    const limited = await draw({ threshold: { quantile: 0.9 } });
    expect(limited.data.every((x) => x >= -1 && x <= 1)).toBe(true);
    expect(furthest(limited, usual)).toBeGreaterThan(0.01);
  });
});

describe("groups sized to memory", () => {
  const seen: SampleGroup[] = [];
  const onStep = (_: SamplerStep, group: SampleGroup): void => void seen.push(group);

  it("draw the same samples, with noise in the steps too", async () => {
    const options = { sampler: ddim({ eta: 1 }), labels: "all", guidance: 1.5 } as const;
    const whole = await draw(options, model);
    const parts = await draw({ ...options, memory: 2 * WIDTH * 48, onStep }, model);
    expect(furthest(parts, whole)).toBeLessThan(1e-5);
    expect(furthest(await draw({ ...options, seed: 3 }, model), whole)).toBeGreaterThan(0.1);
    expect(seen.map(({ first }) => first)).toEqual([0, 0, 0, 0, 2, 2, 2, 2, 4, 4, 4, 4]);
    expect(seen.map(({ count }) => count)).toEqual([2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1]);
    expect(seen.at(-1)).toEqual({ first: 4, count: 1, index: 2, groups: 3 });
  });

  it("hold one sample at least, and all at most", async () => {
    const two = await draw({ count: 2 });
    expect(furthest(await draw({ memory: 1, count: 2 }), two)).toBeLessThan(1e-5);
    expect(furthest(await draw({ memory: Infinity, count: 2 }), two)).toBe(0);
  });
});

describe("classes", () => {
  it("are no class, one for all, one each, or all in turn", async () => {
    const none = await draw({}, model);
    expect(furthest(none, await byHand(session.predict))).toBeLessThan(1e-5);
    const turn = await draw({ labels: "all" }, model);
    expect(furthest(await draw({ labels: [0, 1, 2, 0, 1] }, model), turn)).toBe(0);
    const dogs = await draw({ labels: 1 }, model);
    expect(furthest(dogs, turn)).toBeGreaterThan(0.01);
    expect(dogs.data.slice(WIDTH, 2 * WIDTH)).toEqual(turn.data.slice(WIDTH, 2 * WIDTH));
    expect(furthest(dogs, none)).toBeGreaterThan(0.01);
  });

  it("are followed as far as guidance says", async () => {
    const labels = Int32Array.of(0, 1, 2, 0, 1);
    const none = Int32Array.of(3, 3, 3, 3, 3);
    const guided: Denoiser = async (xt, step) => {
      const [free, given] = [
        (await session.conditioned({ labels: none })(xt, step)) as FloatTensor,
        (await session.conditioned({ labels })(xt, step)) as FloatTensor,
      ];
      return { ...free, data: free.data.map((eps, i) => eps + 2.5 * (at(given.data, i) - eps)) };
    };
    const got = await draw({ labels, guidance: 2.5 }, model);
    expect(furthest(got, await byHand(guided))).toBeLessThan(1e-4);
    expect(furthest(await draw({ labels, guidance: 1 }, model), await draw({ labels }, model))).toBe(0);
    expect(furthest(await draw({ labels, guidance: 0 }, model), await draw({}, model))).toBe(0);
    expect(furthest(await draw({ labels }, model), got)).toBeGreaterThan(0.01);
  });
});

it("starts from given latents", async () => {
  const data = new Float32Array(5 * WIDTH);
  new Random(2, "start").normals(data, WIDTH);
  const start = floatTensor(data, [5, 1, 8, 8]);
  expect(furthest(await draw({ start, seed: 9 }), usual)).toBe(0);
  const shifted = floatTensor(
    data.map((x) => x + 1),
    [5, 1, 8, 8],
  );
  expect(furthest(await draw({ start: shifted, memory: WIDTH * 48 }), usual)).toBeGreaterThan(0.1);
});

it("stops when it is asked to", async () => {
  const controller = new AbortController();
  const stopped = draw({ signal: controller.signal, onStep: () => controller.abort() });
  await expect(stopped).rejects.toMatchObject({ code: "interrupted" });
});

it("chooses the rows of a call by the memory of one image", () => {
  const small = chunkRowsOf(plain);
  const large = networkPreset("unet-medium", { sampleSize: 256, channels: 3, outputs: 3, classes: 0 });
  expect(small).toBe(64);
  expect(chunkRowsOf({ kind: "images", denoiser: large })).toBe(1);
});

describe("wrong options", () => {
  it.each<[SampleImagesOptions, string]>([
    [{ count: 0 }, "count: expected an integer ≥ 1, got 0"],
    [{ labels: 4 }, "labels: expected integers in 0…3, got 4"],
    [{ labels: [0, 1] }, "labels: expected one for each of 5 samples, got 2"],
    [{ guidance: 2 }, "guidance: nothing to guide towards without classes; add labels, or leave it out"],
    [{ labels: 0, guidance: Number.NaN }, "guidance: expected a finite number, got NaN"],
    [{ memory: Number.NaN }, "memory: expected a number of bytes ≥ 1, got NaN"],
    [{ start: floatTensor([1], [1, 1, 1, 1]) }, "start: expected shape [5, 1, 8, 8], got [1, 1, 1, 1]"],
    [{ clip: [-1, 1], threshold: { quantile: 0.9 } }, "clip and threshold: expected one of them, got both"],
  ])("%o", async (options, message) => {
    await expect(draw(options, model)).rejects.toThrow(message);
  });

  it("refuses classes of a model without", async () => {
    await expect(draw({ labels: 0 })).rejects.toThrow("labels: this model was trained without classes; leave them out");
  });

  it("knows no classes where the images had some, but the network was not told them", async () => {
    const named = { ...plain, classes: CLASSES };
    expect([classCountOf(named), classCountOf(model)]).toEqual([0, 3]);
    await expect(draw({ labels: "all" }, named)).rejects.toThrow("this model was trained without classes");
    expect((await draw({}, named)).data).toEqual((await draw()).data);
  });
});
