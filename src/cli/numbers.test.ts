import { describe, expect, it } from "vitest";
import { choice, decimal, integer } from "./numbers.ts";

describe("integer", () => {
  const count = integer("--count", { min: 1, max: 1000 });

  it.each([
    ["1", 1],
    ["1000", 1000],
    ["1e2", 100],
    ["+7", 7],
  ])("reads %s", (text, value) => {
    expect(count(text)).toBe(value);
  });

  it.each(["abc", "1.5", "", " ", "12px", "0x10", "NaN", "Infinity", "1e400", "-5", "0", "1001", "1,000", "1_000"])(
    "refuses %j and says why",
    (text) => {
      const got = text.trim() === "" ? '""' : text;
      expect(() => count(text)).toThrow(`--count: expected an integer in 1…1000, got ${got}`);
    },
  );

  it("knows open ranges", () => {
    expect(() => integer("--n", { min: 4 })("3")).toThrow("--n: expected an integer ≥ 4, got 3");
    expect(() => integer("--n", {})("9007199254740993")).toThrow("--n: expected an integer, got");
  });
});

describe("decimal", () => {
  const share = decimal("--eta", { min: 0, below: 1 });

  it.each([
    ["0", 0],
    [".5", 0.5],
    ["1e-3", 0.001],
    ["0.999", 0.999],
  ])("reads %s", (text, value) => {
    expect(share(text)).toBe(value);
  });

  it.each(["1", "-0.1", "half", "1/2", "", "1e999"])("refuses %j", (text) => {
    expect(() => share(text)).toThrow("--eta: expected a number ≥ 0 and < 1, got ");
  });

  it("leaves out what is just too small", () => {
    expect(() => decimal("--x", { above: 0 })("0")).toThrow("--x: expected a number > 0, got 0");
    expect(decimal("--x", { above: 0 })("1e-300")).toBe(1e-300);
  });
});

describe("choice", () => {
  it("takes one of the words", () => {
    const device = choice("--device", ["auto", "cpu"]);
    expect(device("cpu")).toBe("cpu");
    expect(() => device("gpu")).toThrow("--device: expected one of auto, cpu, got gpu");
  });
});
