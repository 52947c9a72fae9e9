import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openSource, sourceOf } from "./data-file.node.ts";

const folder = mkdtempSync(join(tmpdir(), "unnoise-source-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a file that changes after the study began is not taken for what it was", async () => {
  const data = join(folder, "points.csv");
  writeFileSync(data, "0,1\n2,3\n4,5\n");
  const config = { ...(await sourceOf(data)), dataSize: 3, dataNoise: null, seed: 0 };
  expect((await openSource(config)).points.shape).toEqual([3, 2]);
  writeFileSync(data, "0,1\n2,3\n4,6\n");
  await expect(openSource(config)).rejects.toThrow(
    "points.csv has changed since the study began; start the study again",
  );
});

test("toy sets have no content that could change", async () => {
  expect(await sourceOf("moons")).toEqual({ data: "moons", digest: null });
});
