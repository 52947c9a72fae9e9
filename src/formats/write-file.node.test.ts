import { execFileSync } from "node:child_process";
import {
  chmod,
  mkdir,
  mkdtemp,
  open,
  readFile,
  readdir,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { UnnoiseError } from "../math/error.ts";
import { readFileBytes, writeFileAtomic, writeNewFile } from "./write-file.node.ts";

const linux = process.platform === "linux";
const ordinaryUser = process.getuid?.() !== 0;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "unnoise-test-"));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await chmod(folder, 0o700);
  await rm(folder, { recursive: true });
});

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}

/** Makes one method of every open file fail from now on. */
async function failing(method: "writeFile" | "sync", code: string): Promise<void> {
  const probe = await open(folder, "r");
  const prototype = Object.getPrototypeOf(probe) as typeof probe;
  await probe.close();
  vi.spyOn(prototype, method).mockRejectedValue(systemError(code));
}

async function failure(act: Promise<unknown>): Promise<UnnoiseError> {
  const error = await act.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UnnoiseError)) throw new Error(`expected an UnnoiseError, got ${String(error)}`);
  expect(error.code).toBe("io");
  expect(error.message).not.toContain("\n");
  return error;
}

describe("writing", () => {
  test("makes a file of bytes or text and leaves nothing else", async () => {
    await writeFileAtomic(join(folder, "a.bin"), Uint8Array.of(0, 255, 10));
    await writeFileAtomic(join(folder, "b.txt"), "ε\n");
    expect([...(await readFileBytes(join(folder, "a.bin")))]).toEqual([0, 255, 10]);
    expect(await readFile(join(folder, "b.txt"), "utf8")).toBe("ε\n");
    expect((await readdir(folder)).sort()).toEqual(["a.bin", "b.txt"]);
  });

  test("takes names as long as the file system does", async () => {
    const path = join(folder, "n".repeat(255));
    await writeFileAtomic(path, "x");
    expect(await readFile(path, "utf8")).toBe("x");
  });

  test("replaces the file behind a symbolic link, keeps the link and the permissions", async () => {
    await writeFile(join(folder, "real"), "old", { mode: 0o600 });
    await symlink("real", join(folder, "link"));
    await writeFileAtomic(join(folder, "link"), "new");
    expect(await readFile(join(folder, "real"), "utf8")).toBe("new");
    expect(await readlink(join(folder, "link"))).toBe("real");
    expect((await stat(join(folder, "real"))).mode & 0o777).toBe(0o600);
  });

  test("never shows half a file to a reader", async () => {
    const path = join(folder, "shared");
    const contents = ["a", "b"].map((letter) => letter.repeat(300_000));
    await writeFileAtomic(path, contents[0] ?? "");
    const seen = new Set<string>();
    for (let round = 0; round < 30; round++) {
      const reads = [0, 1, 2].map(() => readFile(path, "utf8"));
      await Promise.all([...reads, writeFileAtomic(path, contents[round % 2] ?? "")]);
      for (const read of reads) seen.add(await read);
    }
    expect([...seen].sort()).toEqual(contents);
  });

  test.runIf(linux)("writes into devices instead of replacing them", async () => {
    const before = await stat("/dev/null");
    await writeFileAtomic("/dev/null", "x");
    await writeNewFile("/dev/null", "x", { overwrite: false });
    expect((await stat("/dev/null")).ino).toBe(before.ino);
  });

  test.runIf(linux)("writes into a pipe", async () => {
    const path = join(folder, "pipe");
    execFileSync("/bin/sh", ["-c", 'mkfifo "$0"', path]);
    const [read] = await Promise.all([readFile(path, "utf8"), writeFileAtomic(path, "through")]);
    expect(read).toBe("through");
  });
});

describe("failing", () => {
  test.each([
    ["writeFile", "ENOSPC", "no space left on the disk"],
    ["writeFile", "EDQUOT", "the disk quota is used up"],
    ["sync", "EIO", "the disk reported an error"],
    ["sync", "ENOSPC", "no space left on the disk"],
    ["writeFile", "EWEIRD", "EWEIRD"],
  ] as const)("%s with %s keeps the old content and removes the temporary file", async (method, code, reason) => {
    const path = join(folder, "old.txt");
    await writeFile(path, "old");
    await failing(method, code);
    const error = await failure(writeFileAtomic(path, "new"));
    vi.restoreAllMocks();
    expect(error.message).toBe(`cannot write ${path}: ${reason}`);
    expect((error.cause as { code: string }).code).toBe(code);
    expect(await readdir(folder)).toEqual(["old.txt"]);
    expect(await readFile(path, "utf8")).toBe("old");
  });

  test.runIf(linux)("a device that is full", async () => {
    expect((await failure(writeFileAtomic("/dev/full", "x"))).message).toBe(
      "cannot write /dev/full: no space left on the disk",
    );
  });

  test.runIf(linux)("a folder that takes no files, even from root", async () => {
    const { message } = await failure(writeFileAtomic("/sys/unnoise-test", "x"));
    expect(message).toMatch(/^cannot write \/sys\/unnoise-test: (permission denied|the disk is read-only)$/);
  });

  test.runIf(linux && ordinaryUser)("a folder without write permission", async () => {
    await chmod(folder, 0o500);
    expect((await failure(writeFileAtomic(join(folder, "a"), "x"))).message).toMatch(/: permission denied$/);
  });

  test("a folder that does not exist, a folder as the file, a file as a folder", async () => {
    const missing = join(folder, "no", "a.csv");
    expect((await failure(writeFileAtomic(missing, "x"))).message).toBe(
      `cannot write ${missing}: the folder ${join(folder, "no")} does not exist`,
    );
    await mkdir(join(folder, "sub"));
    expect((await failure(writeFileAtomic(join(folder, "sub"), "x"))).message).toMatch(/sub: it is a folder$/);
    await writeFile(join(folder, "file"), "old");
    expect((await failure(writeFileAtomic(join(folder, "file", "a"), "x"))).message).toMatch(
      /a part of the path is a file, not a folder$/,
    );
    expect((await readdir(folder)).sort()).toEqual(["file", "sub"]);
  });
});

test("a new file refuses an existing one unless told to overwrite", async () => {
  const path = join(folder, "a.csv");
  await writeNewFile(path, "one", { overwrite: false });
  expect((await failure(writeNewFile(path, "two", { overwrite: false }))).message).toBe(
    `cannot write ${path}: it already exists; choose another name or allow overwriting`,
  );
  expect(await readFile(path, "utf8")).toBe("one");
  await writeNewFile(path, "three", { overwrite: true });
  expect(await readFile(path, "utf8")).toBe("three");
  expect((await failure(writeNewFile(folder, "x", { overwrite: false }))).message).toMatch(/it is a folder$/);
});

test("reading says in plain words what is wrong", async () => {
  const missing = join(folder, "missing.csv");
  expect((await failure(readFileBytes(missing))).message).toBe(`cannot read ${missing}: no such file`);
  expect((await failure(readFileBytes(folder))).message).toBe(`cannot read ${folder}: it is a folder`);
});
