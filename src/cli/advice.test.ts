import { readFileSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { recordedIo, runHere } from "./test-io.ts";
import { buildProgram } from "./program.ts";

const TINY = "--iterations 4 --width 8 --depth 1 --batch-size 8 --data-size 100 --timesteps 20 --quiet".split(" ");
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unnoise-advice-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("a process that ends in pure noise", () => {
  it.each([["--zero-terminal-snr"], ["--schedule", "jsd"]])(
    "is refused for ε, and what is advised can be sampled: %s",
    async (...process) => {
      const out = join(folder, process.join(""));
      const refused = await runHere(["train", "moons", "--out", out, ...TINY, ...process]);
      expect(refused.code).toBe(2);
      const advised = [...refused.stderr.matchAll(/(--prediction) (\w+)/g)].map(([, flag, value]) => [
        String(flag),
        String(value),
      ]);
      expect(advised).toHaveLength(2);
      for (const flags of advised) {
        expect(
          await runHere(["train", "moons", "--out", out, ...TINY, ...process, ...flags, "--overwrite"]),
        ).toMatchObject({ code: 0 });
        expect(await runHere(["sample", out, "--count", "2", "--out", "-"])).toMatchObject({ code: 0 });
      }
    },
  );
});

it("every command that a message names exists", () => {
  const known = buildProgram(recordedIo()).commands.map((command) => command.name());
  const root = new URL("..", import.meta.url).pathname;
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) =>
    /(?<!\.test)\.ts$/.test(name),
  );
  const named = files.flatMap((name) =>
    [...readFileSync(join(root, name), "utf8").matchAll(/with: unnoise ([a-z]+)/g)].map(([, command]) => command),
  );
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((command) => !known.includes(String(command)))).toEqual([]);
});
