import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeFolder } from "./make-folder.node.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "unnoise-folder-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("makeFolder", () => {
  it("makes folders within each other, and is content with those that are there", async () => {
    const path = join(folder, "a", "b", "c");
    await Promise.all([makeFolder(path), makeFolder(path), makeFolder(join(folder, "a", "d"))]);
    await makeFolder(path);
    expect((await stat(path)).isDirectory()).toBe(true);
    expect(existsSync(join(folder, "a", "d"))).toBe(true);
  });

  it("says that a file is in the way", async () => {
    await writeFile(join(folder, "file"), "");
    await expect(makeFolder(join(folder, "file"))).rejects.toThrow(/cannot create .*file: it already exists/);
    await expect(makeFolder(join(folder, "file", "under", "it"))).rejects.toThrow(/a part of the path is a file/);
  });

  it.runIf(existsSync("/proc/self"))("ends where the system makes no folder", async () => {
    await expect(makeFolder("/proc/none/of/it")).rejects.toThrow(/cannot create .*: the system makes no folder there/);
  });
});
