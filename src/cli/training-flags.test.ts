import { describe, expect, it } from "vitest";
import { checkTrainingOptions, parseTrainingConfig, type TrainingConfig } from "../train/config.ts";
import { trainingFlags, trainingKeys } from "./training-flags.ts";

const defaults: TrainingConfig = parseTrainingConfig({ data: "moons" });
const probes = [
  "-1e9 -2 -1 -1e-9 0 1e-320 1e-9 0.3 0.5 0.999 0.9991 0.9999999 1 1.5 2 3 4 5 6 7",
  "32 1000 1001 1024 1025 65536 65537 1000000 1000001 2147483647 2147483648 9007199254740991 1e300",
  "auto cpu webgpu cuda wasm cosine constant abc",
  "linear karras learned eps x0 v mean score large small learned-range simple vlb hybrid uniform min-snr p2 edm l2 l1 huber",
  "sum second beta clamp antithetic importance",
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
  it("are the keys of the configuration, all but data and betas, which are files, and their kind", () => {
    const others = Object.keys(defaults).filter((key) => !["data", "betas", "kind"].includes(key));
    expect(new Set(trainingKeys)).toEqual(new Set(others));
  });

  it("without a value are the keys that are true or false", () => {
    const switches = trainingKeys.filter((_, i) => trainingFlags[i]?.parse === undefined);
    expect(switches).toEqual(trainingKeys.filter((key) => typeof defaults[key] === "boolean"));
  });

  const withValues = trainingFlags.flatMap(({ flag, parse }, i) =>
    parse ? [[flag, parse, trainingKeys[i] ?? "data"] as const] : [],
  );

  it.each(withValues)("%s takes what the configuration takes", (flag, parse, key) => {
    // Evenness, and the names of networks, which may be files, the flag leaves to the configuration.
    const left = (text: string): boolean =>
      (key === "timeFeatures" && Number(text) % 2 !== 0) || (key === "network" && !Number.isNaN(Number(text)));
    const taken = probes.filter((text) => !left(text));
    for (const text of taken) {
      const single = Number.isNaN(Number(text)) ? text : Number(text);
      const value = key === "moreEmaDecays" ? [single] : key === "drop" ? [text] : single;
      const valid = accepts(() => checkTrainingOptions({ ...defaults, [key]: value }));
      expect([flag, text, accepts(() => parse(text))]).toEqual([flag, text, valid]);
    }
  });

  it("takes a file for a schedule, and no custom one without", () => {
    const { parse } = trainingFlags[trainingKeys.indexOf("schedule")] ?? {};
    expect(parse?.("my/betas.NPY")).toBe("my/betas.NPY");
    expect(() => parse?.("custom")).toThrow(/--schedule: expected one of linear, .*or a file of betas, got custom/);
  });

  it("name the true defaults in the help", () => {
    const named = trainingFlags.flatMap(({ help }, i) => {
      const text = /\(default ([\w.]+)\)/.exec(help)?.[1];
      return text === undefined ? [] : [[trainingKeys[i], text]];
    });
    expect(named.length).toBeGreaterThan(5);
    for (const [key, text] of named)
      expect([key, JSON.stringify(defaults[key as keyof TrainingConfig]).replaceAll('"', "")]).toEqual([key, text]);
  });
});
