import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UnnoiseError } from "../src/math/error.ts";
import { corpus, filesOfCase } from "./fuzz/corpus.ts";
import { kinds, type Kind } from "./fuzz/kinds.ts";
import { mutantOf, tryFiles, type Outcome } from "./fuzz/mutant.ts";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "unnoise-fuzz-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const MUTANTS = 20;

describe.each(Object.entries(kinds))("%s", (name, kind) => {
  test("whole files are read", async () => {
    const outcome = await tryFiles(kind, await kind.files(), join(root, "whole"), 0);
    expect(outcome).toMatchObject({ accepted: true });
    expect(outcome.fault).toBeUndefined();
  });

  test("mutants end in words, and enough of them get past the header", async () => {
    const whole = await kind.files();
    const outcomes: Outcome[] = [];
    for (let index = 0; index < (kind.slow === true ? 4 : MUTANTS); index++) {
      outcomes.push(await tryFiles(kind, mutantOf(kind, name, whole, index, 1), join(root, "mutant"), index));
    }
    expect(outcomes.filter(({ fault }) => fault !== undefined)).toEqual([]);
    expect(outcomes.filter(({ isDeep }) => isDeep).length).toBeGreaterThanOrEqual(outcomes.length / 5);
  });
});

test.each(corpus)("$kind: $name ends in words", async (each) => {
  const kind = kinds[each.kind] as Kind;
  const outcome = await tryFiles(kind, await filesOfCase(each), join(root, "case"), 0);
  expect(outcome.fault).toBeUndefined();
});

test.each<[string, () => unknown, RegExp]>([
  ["another error", () => (null as unknown as string).length, /no UnnoiseError: TypeError/],
  [
    "a long message",
    () => Promise.reject(Object.assign(new UnnoiseError("data", ""), { message: "x".repeat(2000) })),
    /2000 bytes/,
  ],
  [
    "a control character",
    () => Promise.reject(Object.assign(new UnnoiseError("data", ""), { message: "\u001b[31m" })),
    /control/,
  ],
])("the control: %s is flagged", async (_, read, fault) => {
  const control: Kind = {
    files: () => Promise.resolve({}),
    targets: [],
    header: /never/,
    read: () => Promise.resolve().then(read),
  };
  expect((await tryFiles(control, {}, join(root, "control"), 0)).fault).toMatch(fault);
});

test("the control: a file that is left is flagged", async () => {
  const control: Kind = {
    files: () => Promise.resolve({}),
    targets: [],
    header: /never/,
    read: (folder) => writeFile(join(folder, "left.tmp"), ""),
  };
  expect((await tryFiles(control, {}, join(root, "control"), 0)).fault).toMatch(/left files/);
});
