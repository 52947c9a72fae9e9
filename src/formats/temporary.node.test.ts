import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { thisProcess } from "./process-mark.node.ts";
import { isAbandoned, isTemporary, temporaryIn } from "./temporary.node.ts";
import { writeFileAtomic } from "./write-file.node.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "unnoise-temporary-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const { pid, start, host } = thisProcess;
const dead = `.unnoise-${2 ** 30}-${start}-${host}-00000000.tmp`;
const elsewhere = `.unnoise-${2 ** 30}-${start}-0badcafe-00000000.tmp`;
const old = ".unnoise-0b8cb1a4-6b62-4f0e-9d58-0d3b1d7a6c11.tmp";

test("names tell whose they are", () => {
  const own = basename(temporaryIn(folder));
  expect([own, dead, elsewhere, old].map(isTemporary)).toEqual([true, true, true, true]);
  expect([own, dead, elsewhere, old].map(isAbandoned)).toEqual([false, true, false, true]);
  expect(isTemporary("data.tmp")).toBe(false);
  if (start !== 0) expect(isAbandoned(own.replace(`-${pid}-${start}-`, `-${pid}-${start - 1}-`))).toBe(true);
});

test("who writes in a folder removes what killed processes left there, and nothing else", async () => {
  const own = basename(temporaryIn(folder));
  mkdirSync(join(folder, dead));
  writeFileSync(join(folder, dead, "00000.png"), "half");
  for (const name of [own, elsewhere, old, "notes.tmp"]) writeFileSync(join(folder, name), "x");
  await writeFileAtomic(join(folder, "a.csv"), "1");
  expect(readdirSync(folder).sort()).toEqual([elsewhere, own, "a.csv", "notes.tmp"].sort());
});
