import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readStudyFile } from "./study-file.node.ts";
import type { StudyOptions } from "./study.ts";

let folder: string;
const options: StudyOptions = { data: [{ data: "moons", digest: null }], scale: "quick", seed: 3, seeds: 2 };

function written(content: unknown, name = "study.json"): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "unnoise-study-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a study from a file", () => {
  const grid = { "train.batchSize": [32, 64], "sample.eta": [0, 0.5, 1] };

  it("trains every combination that changes training once for each seed, and samples all of them", async () => {
    const study = await readStudyFile(
      written({ train: { iterations: 50 }, sample: { sampler: "ddim", steps: 5 }, grid }),
    );
    const { jobs } = study.plan(options);
    const trained = new Set(jobs.flatMap(({ needs }) => needs).filter(({ kind }) => kind.name === "train"));
    const configs = [...trained].map(({ config }) => JSON.stringify(config));
    expect(new Set(configs).size).toBe(2 * 2);
    expect(configs.every((config) => config.includes('"iterations":50'))).toBe(true);
    const sampled = jobs.filter(({ kind }) => kind.name === "quality").map(({ config }) => JSON.stringify(config));
    expect(sampled).toHaveLength(2 * 3 * 2);
    expect(new Set(sampled).size).toBe(3 * 2);
    expect(sampled[0]).toContain('"steps":5');
  });

  it("may be YAML with settings by name, data and seeds", async () => {
    const yaml = `
title: Two ways
question: Which is better?
data: cross
seeds: 3
bound: 20
settings:
  - { label: small, train: { width: 16 } }
  - { label: large, train: { width: 64 }, sample: { sampler: heun } }
`;
    const study = await readStudyFile(written(yaml, "ways.yaml"));
    expect(study).toMatchObject({
      name: "ways",
      title: "Two ways",
      question: "Which is better?",
      data: ["cross"],
      seeds: 3,
    });
    expect(study.plan(options).jobs.filter(({ kind }) => kind.name === "bound")).not.toHaveLength(0);
  });

  it.each([
    [{ gird: grid }, /study.json: unknown key gird; did you mean grid\?/],
    [{}, /expected either grid or settings, got neither/],
    [{ grid, settings: [{ label: "a" }] }, /expected either grid or settings, got both/],
    [{ grid: { "train.batchSise": [32] } }, /grid: train: unknown key batchSise; did you mean batchSize\?/],
    [{ grid: { "sample.etta": [0] } }, /grid: sample: unknown key etta; did you mean eta\?/],
    [{ grid: { eta: [0] } }, /expected keys such as train.batchSize or sample.eta, got eta/],
    [{ sample: { sampler: "ddim" }, grid: { "sample.eta": [0, 2] } }, /grid: sample: eta: got 2/],
    [{ grid: { "train.batchSize": 32 } }, /study.json: grid.train.batchSize: got 32/],
    [{ sample: { sampler: "ddim" }, grid, train: { seed: 1 } }, /train: seed is not for a study; use --seed and seeds/],
    [{ grid, seeds: 0 }, /study.json: seeds: got 0/],
    [{ grid: { "sample.steps": [5000] } }, /study.json: steps 5000: --steps: expected an integer in 1…1000/],
    [{ grid: { "sample.eta": [0.5] } }, /grid: sample: --eta: ddpm has none; use it with --sampler ddim/],
    [
      { settings: [{ label: "x", train: { schedule: "cosine", betaEnd: 0.1 } }] },
      /x: betaEnd: schedule cosine has no use/,
    ],
    ["{", /study.json: not JSON/],
  ])("is refused in one line: %j", async (content, message) => {
    await expect(readStudyFile(written(content))).rejects.toMatchObject({ code: "usage" });
    await expect(readStudyFile(written(content))).rejects.toThrow(message);
  });
});
