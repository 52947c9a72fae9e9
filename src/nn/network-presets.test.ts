import { describe, expect, it } from "vitest";
import { unetGolden } from "../../test/golden-unet.ts";
import { networkPreset, networkPresetNames, type PresetOptions } from "./network-presets.ts";
import { networks, type DenoiserConfig } from "./networks.ts";
import type { Network } from "./network.ts";
import { parameterCount } from "./parameters.ts";
import { unet2d } from "./unet-2d.ts";

const options: PresetOptions = { sampleSize: 32, channels: 3, outputs: 3, classes: 0 };
const networkOf = ({ kind }: DenoiserConfig): Network<DenoiserConfig> => networks[kind] as Network<DenoiserConfig>;
const countOf = (config: DenoiserConfig): number => parameterCount(networkOf(config).parameters(config));

describe.each(networkPresetNames)("the preset %s", (name) => {
  it.each<PresetOptions>([
    options,
    { sampleSize: 64, channels: 1, outputs: 2, classes: 11 },
    { sampleSize: [16, 24], channels: 1, outputs: 1, classes: 0 },
  ])("is fitted to %j", (fitted) => {
    const config = networkPreset(name, fitted);
    const network = networkOf(config);
    const sides = typeof fitted.sampleSize === "number" ? [fitted.sampleSize, fitted.sampleSize] : fitted.sampleSize;
    expect(network.sampleShape(config)).toEqual([fitted.channels, ...sides]);
    expect(network.outputChannels(config)).toBe(fitted.outputs);
    expect(network.classes(config)).toBe(fitted.classes);
  });

  it("takes images of any size, or says which", () => {
    for (const sampleSize of [1, 8, 27, 28, 30, 45]) {
      if (name === "ddpm-cifar10" && sampleSize % 8 !== 0) {
        expect(() => networkPreset(name, { ...options, sampleSize })).toThrow("multiples of 8, got");
      } else expect(countOf(networkPreset(name, { ...options, sampleSize }))).toBeGreaterThan(1000);
    }
  });
});

describe("presets", () => {
  it("have the published network for CIFAR-10", () => {
    const { kind, ...config } = networkPreset("ddpm-cifar10", options);
    expect(kind).toBe("UNet2DModel");
    expect(config).toEqual(unet2d.schema.parse(unetGolden.listings["cifar10"]?.config));
  });

  it("that are tiny or small have less than 5 million weights", () => {
    for (const name of networkPresetNames.filter((preset) => /tiny|small/.test(preset))) {
      for (const sampleSize of [28, 32]) {
        expect(countOf(networkPreset(name, { ...options, sampleSize, classes: 11 })), name).toBeLessThan(5e6);
      }
    }
  });

  it("are told apart by name, with a near miss", () => {
    expect(() => networkPreset("unet-smal", options)).toThrow("did you mean unet-small?");
    expect(() => networkPreset("toString", options)).toThrow("no preset is called toString");
  });
});
