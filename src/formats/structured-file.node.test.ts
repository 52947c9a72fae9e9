import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { UnnoiseError } from "../math/error.ts";
import { fileBounds, parseJsonText } from "./json-text.ts";
import { readStructuredFile } from "./structured-file.node.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unnoise-structured-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const keysOf = (count: number, end: string): string => Array.from({ length: count }, (_, i) => `"k${i}": 1`).join(end);
const laughs = "bcdefghijkl".split("").reduce((text, name, i) => {
  const before = "abcdefghijkl"[i] ?? "";
  return `${text}${name}: &${name} [${`*${before},`.repeat(9)}0]\n`;
}, "a: &a [x,x,x,x,x,x,x,x,x]\n");

test.each([
  ["keys.json", `{${keysOf(300_000, ",")}}`, /at most 200000 keys/],
  ["keys.yaml", keysOf(300_000, "\n"), /at most 2000000 bytes.*write it as JSON/],
  ["some-keys.yaml", keysOf(100_000, "\n"), /at most 5000 keys/],
  ["deep.json", `{"a":${"[".repeat(100_000)}`, /at most 64 levels of nesting/],
  ["flow.yaml", `a: ${"[".repeat(100_000)}`, /at most 5000 keys|at most 32 levels/],
  ["dashes.yaml", `${"- ".repeat(20_000)}1`, /levels of nesting/],
  ["questions.yaml", `${"? ".repeat(20_000)}1`, /levels of nesting/],
  ["ends.yaml", "]".repeat(100_000), /at most 5000 keys/],
  ["tags.yaml", `a: ${"!x ".repeat(100_000)}1`, /at most 5000 keys/],
  ["laughs.yaml", laughs, /cannot be read/],
  ["values.json", `{"a":[${"0,".repeat(6_000_000)}0]}`, /at most 5000000 values/],
])("%s ends in words, and soon", { timeout: 10_000 }, async (name, text, message) => {
  const path = join(folder, name);
  await writeFile(path, text);
  const error = await readStructuredFile(path).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(UnnoiseError);
  expect((error as Error).message).toMatch(message);
  await rm(path);
});

test("a text is counted as JSON reads it: what stands in quotes is no structure", () => {
  const place = { where: "x", code: "format", bounds: { ...fileBounds, depth: 1, keys: 1, values: 3 } } as const;
  expect(parseJsonText(String.raw`{"[[{{::,,\"\\": [],"b":"\\" }`, { ...place, bounds: fileBounds })).toEqual({
    '[[{{::,,"\\': [],
    b: "\\",
  });
  expect(parseJsonText(String.raw`["[[\"[[", ":,:,"]`, place)).toEqual(['[["[[', ":,:,"]);
  expect(() => parseJsonText("[[]]", place)).toThrow("at most 1 levels");
  expect(() => parseJsonText('{"a":1,"b":2}', place)).toThrow("at most 1 keys");
});
