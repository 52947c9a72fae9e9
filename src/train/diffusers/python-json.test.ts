import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UnnoiseError } from "../../math/error.ts";
import { parsePythonJson, pythonJsonText } from "./python-json.ts";

describe("JSON as Python writes it", () => {
  it("has infinite numbers", () => {
    const text = '{"a": -Infinity, "b": [Infinity, 1e3], "c": "-Infinity, \\"Infinity"}';
    const value = { a: -Infinity, b: [Infinity, 1000], c: '-Infinity, "Infinity' };
    expect(parsePythonJson(text, "x")).toEqual(value);
    expect(pythonJsonText({ a: -Infinity, b: "-Infinity" })).toBe('{\n  "a": -Infinity,\n  "b": "-Infinity"\n}\n');
  });

  it("comes back as it was written", () => {
    const number = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(Infinity, -Infinity));
    const text = fc.constantFrom("Infinity", '"', "\\", "infinite ", "x", ", -Infinity", "NaN");
    const words = fc.array(text, { maxLength: 4 }).map((parts) => parts.join(""));
    const leaf = fc.oneof(number, words, fc.boolean(), fc.constant(null));
    const plain = fc.dictionary(words, fc.oneof(leaf, fc.array(leaf, { maxLength: 3 })), { maxKeys: 4 });
    fc.assert(
      fc.property(plain, (value) => {
        const back = parsePythonJson(pythonJsonText(value), "x");
        // JSON has no −0.
        expect(JSON.stringify(back, shown)).toBe(JSON.stringify(value, shown));
      }),
      { numRuns: 200 },
    );
  });

  it.each(["", "{", "[NaN]", "{'a': 1}", "[Infinityy]"])("%j is refused in one line", (text) => {
    expect(() => parsePythonJson(text, "file.json")).toThrow(UnnoiseError);
    expect(() => parsePythonJson(text, "file.json")).toThrow(/^file\.json: not JSON \([^\n]+$/);
  });
});

const shown = (_key: string, value: unknown): unknown => (typeof value === "number" ? String(value) : value);
