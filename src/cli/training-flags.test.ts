import { describe, expect, it } from "vitest";
import { parseTrainingConfig, type TrainingConfig } from "../train/config.ts";
import { trainingFlags, trainingKeys } from "./training-flags.ts";

const defaults: TrainingConfig = parseTrainingConfig({ data: "moons" });
const probes = [
  "-1e9 -2 -1 -1e-9 0 1e-320 1e-9 0.3 0.5 0.999 0.9991 0.9999999 1 1.5 2 3 4 5 6 7",
  "32 1000 1001 1024 1025 65536 65537 1000000 1000001 2147483647 2147483648 9007199254740991 1e300",
  "auto cpu webgpu cuda wasm cosine constant abc",
].flatMap((line) => line.split(" "));

function accepts(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}

describe("flags of train", () => {
  it("are the keys of the configuration, all but data", () => {
    expect(new Set(trainingKeys)).toEqual(new Set(Object.keys(defaults).filter((key) => key !== "data")));
  });

  it.each(trainingFlags.map(({ flag, parse }, i) => [flag, parse, trainingKeys[i] ?? "data"] as const))(
    "%s takes what the configuration takes",
    (flag, parse, key) => {
      // Evenness is the one rule that the flag leaves to the configuration.
      const taken = probes.filter((text) => key !== "timeFeatures" || Number(text) % 2 === 0);
      for (const text of taken) {
        const value = Number.isNaN(Number(text)) ? text : Number(text);
        const valid = accepts(() => parseTrainingConfig({ ...defaults, [key]: value }));
        expect([flag, text, accepts(() => parse(text))]).toEqual([flag, text, valid]);
      }
    },
  );

  it("name the true defaults in the help", () => {
    const named = trainingFlags.flatMap(({ help }, i) => {
      const text = /\(default ([\w.]+)\)/.exec(help)?.[1];
      return text === undefined ? [] : [[trainingKeys[i], text]];
    });
    expect(named.length).toBeGreaterThan(5);
    for (const [key, text] of named) expect([key, String(defaults[key as keyof TrainingConfig])]).toEqual([key, text]);
  });
});
