import { describe, expect, it } from "vitest";
import { OverlapCheck } from "./overlap.ts";

const memory = new ArrayBuffer(64);
const part = (first: number, count: number): Float32Array => new Float32Array(memory, 4 * first, count);
const fresh = (): OverlapCheck => new OverlapCheck(["a", "b"], ["p", "q"]);

describe("overlapping arrays", () => {
  it("are refused where one of them is a result, with both names", () => {
    expect(() => fresh().check({ a: part(0, 4), b: part(8, 4) }, { p: part(3, 2) })).toThrow(
      "result p shares memory with input a; give each result an array of its own",
    );
    expect(() => fresh().check({}, { p: part(0, 4), q: part(3, 2) })).toThrow(
      /result [pq] shares memory with result [pq]/,
    );
    const same = new Float32Array(4);
    expect(() => fresh().check({ b: same }, { q: same })).toThrow("result q shares memory with input b");
  });

  it("may be feeds, which are only read", () => {
    expect(() => fresh().check({ a: part(0, 4), b: part(0, 4) }, { p: part(4, 4) })).not.toThrow();
  });

  it("are not those that lie side by side in one buffer, or at the same place of two", () => {
    expect(() => fresh().check({ a: part(0, 4), b: part(4, 4) }, { p: part(8, 4), q: part(12, 4) })).not.toThrow();
    expect(() => fresh().check({ a: new Float32Array(4) }, { p: new Float32Array(4) })).not.toThrow();
  });

  it("are found when one array of a loop changes, and again after that", () => {
    const check = fresh();
    const [feeds, results] = [{ a: part(0, 4), b: part(4, 4) }, { p: part(8, 4) }];
    check.check(feeds, results);
    check.check(feeds, results);
    const moved = { ...feeds, b: part(10, 4) };
    for (let i = 0; i < 2; i++) expect(() => check.check(moved, results)).toThrow(/result p .* input b/);
    expect(() => check.check(feeds, { p: part(2, 2) })).toThrow(/result p .* input a/);
    expect(() => check.check(feeds, results)).not.toThrow();
  });

  it("do not hinder arrays that take turns as input and output", () => {
    const check = new OverlapCheck(["now"], ["next"]);
    let [now, next] = [part(0, 4), part(4, 4)];
    for (let i = 0; i < 4; i++) {
      expect(() => check.check({ now }, { next })).not.toThrow();
      [now, next] = [next, now];
    }
  });
});
