import { expect, test } from "vitest";
import { UnnoiseError } from "../math/error.ts";
import { checkReadable, readableBytes } from "./machine-memory.node.ts";

test("what takes more memory than is free is refused in one line; what fits is not", () => {
  const most = readableBytes();
  expect(most).toBeGreaterThan(0);
  expect(() => checkReadable(0.5 * most, "x")).not.toThrow();
  const act = (): void => checkReadable(3 * most + 1e9, "x");
  expect(act).toThrow(UnnoiseError);
  expect(act).toThrow(/^x: reading it takes about [\d.]+ [MGT]B of memory, expected at most [\d.]+ [kMG]?B as this/);
});
