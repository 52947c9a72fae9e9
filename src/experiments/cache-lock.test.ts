import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockCache } from "./cache-lock.node.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "unnoise-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const leave = (pid: number, host = hostname()): void => writeFileSync(join(folder, "in-use"), `${pid} ${host}\n`);

test("a folder is one process's until that gives it free", async () => {
  const unlock = await lockCache(join(folder, "new"));
  expect(readdirSync(join(folder, "new"))).toEqual(["in-use"]);
  await unlock();
  expect(readdirSync(join(folder, "new"))).toEqual([]);
});

test("a process that is at work keeps others out, here and on other machines", async () => {
  leave(process.ppid);
  await expect(lockCache(folder)).rejects.toThrow(
    `process ${process.ppid} on ${hostname()} is at work here; wait for it`,
  );
  leave(2 ** 30, "elsewhere");
  await expect(lockCache(folder)).rejects.toThrow("on elsewhere is at work here");
});

test("what a killed process left does not count", async () => {
  leave(2 ** 30);
  await (
    await lockCache(folder)
  )();
  expect(readdirSync(folder)).toEqual([]);
});
