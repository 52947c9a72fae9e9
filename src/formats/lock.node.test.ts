import { fork } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkUnlocked, lockFolder } from "./lock.node.ts";
import { thisProcess, type ProcessMark } from "./process-mark.node.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "unnoise-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const NOBODY = 2 ** 30;
function leave(mark: Partial<ProcessMark>, machine = hostname()): void {
  const owner = { ...thisProcess, ...mark, machine, since: "2026-01-01T00:00:00.000Z" };
  writeFileSync(join(folder, "in-use"), `${JSON.stringify(owner)}\n`);
}

test("a folder is one writer's until that gives it free, of this process too", async () => {
  const unlock = await lockFolder(join(folder, "new"));
  expect(readdirSync(join(folder, "new"))).toEqual(["in-use"]);
  await expect(lockFolder(join(folder, "new"))).rejects.toThrow(
    /in-use: process \d+ is at work here since "20.*; wait for it/,
  );
  await unlock();
  expect(readdirSync(join(folder, "new"))).toEqual([]);
});

test("a process that is at work keeps others out, here and on other machines", async () => {
  leave({ pid: process.ppid, start: 0 });
  await expect(lockFolder(folder)).rejects.toMatchObject({ code: "usage" });
  await expect(checkUnlocked(folder)).rejects.toThrow(`process ${process.ppid} is at work here`);
  leave({ pid: NOBODY, host: "00000000" }, "else\u001bwhere");
  await expect(lockFolder(folder)).rejects.toThrow(/on "else\\u001bwhere" is at work here since .*delete this file/);
});

test("following the advice to delete the file gives the folder free", async () => {
  writeFileSync(join(folder, "in-use"), "of another time");
  await expect(lockFolder(folder)).rejects.toThrow(/delete this file/);
  rmSync(join(folder, "in-use"));
  await (
    await lockFolder(folder)
  )();
});

test("what a killed process left does not count, nor that of one whose number is used again", async () => {
  leave({ pid: NOBODY });
  await (
    await lockFolder(folder)
  )();
  if (process.platform === "linux") {
    leave({ pid: process.ppid, start: 1 });
    await (
      await lockFolder(folder)
    )();
  }
  expect(readdirSync(folder)).toEqual([]);
});

/** Takes the lock as soon as it is told to, and says whether it got it. */
const CONTENDER = `
import { lockFolder } from ${JSON.stringify(new URL("./lock.node.ts", import.meta.url).href)};
process.send("ready");
process.on("message", async () => {
  try { await lockFolder(process.argv[2]); process.send("mine"); } catch (error) { process.send(error.code); }
});
`;

test("of many that find a stale lock at the same moment one has it", { timeout: 60_000 }, async () => {
  const script = join(folder, "contender.mts");
  writeFileSync(script, CONTENDER);
  const children = Array.from({ length: 4 }, () =>
    fork(script, [join(folder, "run")], { execArgv: ["--import", "tsx"] }),
  );
  const said = (): Promise<unknown[]> =>
    Promise.all(children.map((child) => new Promise((resolve) => child.once("message", resolve))));
  try {
    expect(await said()).toEqual(children.map(() => "ready"));
    for (let round = 0; round < 8; round++) {
      // Even rounds find nothing, odd ones what a killed process left.
      rmSync(join(folder, "run"), { recursive: true, force: true });
      if (round % 2 === 1) {
        const unlock = await lockFolder(join(folder, "run"));
        const text = readFileSync(join(folder, "run/in-use"), "utf8");
        await unlock();
        writeFileSync(join(folder, "run/in-use"), text.replace(`"pid":${process.pid}`, `"pid":${NOBODY}`));
      }
      const answers = said();
      children.forEach((child) => child.send("go"));
      expect((await answers).filter((answer) => answer === "mine")).toHaveLength(1);
      expect(readdirSync(join(folder, "run"))).toEqual(["in-use"]);
    }
  } finally {
    children.forEach((child) => child.kill("SIGKILL"));
  }
});
