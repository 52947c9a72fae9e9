import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildProgram } from "../src/cli/program.ts";
import { recordedIo } from "../src/cli/test-io.ts";
import { prepareFolder, stopLines, stopped } from "./stopping.ts";

/** Generous: the machine may be busy. */
const MOST_SECONDS = 10;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "unnoise-stop-"));
  prepareFolder(folder);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("every command of the program is tried", () => {
  const { commands } = buildProgram(recordedIo());
  const tried = [...Object.keys(stopLines.long), ...Object.keys(stopLines.short)];
  expect(commands.map((command) => command.name()).sort()).toEqual(tried.sort());
});

describe("a command at work", () => {
  const cases = Object.values(stopLines.long).flat();
  it.each(cases.map((line, i) => [line, (["SIGINT", "SIGTERM", "SIGHUP"] as const)[i % 3] ?? "SIGINT"] as const))(
    "%s ends soon at %s, with 130 and nothing half-written",
    async (line, signal) => {
      const { code, seconds, early, stderr, left } = await stopped(folder, line, { signal, after: 900 });
      expect([early, code, left]).toEqual([false, 130, []]);
      expect(seconds).toBeLessThan(MOST_SECONDS);
      expect(stderr).toMatch(/stopped/);
    },
    60_000,
  );

  it("ends at once at the second signal", async () => {
    const [line = ""] = stopLines.long["train"] ?? [];
    const { code, seconds, stderr } = await stopped(folder, line, { signal: "SIGTERM", after: 1500, again: 1 });
    expect([code, stderr]).toEqual([130, expect.stringMatching(/stopped by SIGTERM|stopped after iteration/)]);
    expect(seconds).toBeLessThan(MOST_SECONDS);
  }, 60_000);
});

it.each(Object.values(stopLines.short).flat())(
  "%s ends or is done, and leaves nothing half-written",
  async (line) => {
    const { code, left } = await stopped(folder, line, { signal: "SIGTERM", after: 300 });
    expect([0, 130]).toContain(code);
    expect(left).toEqual([]);
  },
  60_000,
);
