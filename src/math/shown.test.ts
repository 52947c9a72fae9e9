import fc from "fast-check";
import { expect, test } from "vitest";
import { UnnoiseError } from "./error.ts";
import { escaped, messageLine, shortened, shown } from "./shown.ts";

const RAW = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom("\u001b", "]", "0", ";", "\u0007", "é", "\n") }),
);

test("escaped text holds nothing that a terminal acts on", () => {
  expect(escaped("\u001b]0;title\u0007")).toBe(String.raw`\x1b]0;title\x07`);
  expect(escaped("a\u202eb")).toBe(String.raw`a\u202eb`);
  expect(escaped("ᾱ = 0.5, β̃ — plain …")).toBe("ᾱ = 0.5, β̃ — plain …");
  fc.assert(fc.property(anyText, (text) => !RAW.test(escaped(text))));
});

test("a shortened text keeps beginning and end", () => {
  expect(shortened("abcdefghij", 7)).toBe("abcd…ij");
  expect(shortened("abc", 7)).toBe("abc");
});

test("values are shown like JSON", () => {
  expect(shown('a"b')).toBe(String.raw`"a\"b"`);
  expect(shown([1, null, { a: true }])).toBe('[1,null,{"a":true}]');
  expect(shown(undefined)).toBe("undefined");
  expect(shown(Infinity)).toBe("Infinity");
  expect(shown(12n)).toBe("12n");
});

test("any value is shown in one line of bounded length", () => {
  fc.assert(
    fc.property(fc.anything(), fc.integer({ min: 10, max: 80 }), (value, most) => {
      const text = shown(value, most);
      return text.length <= most && !RAW.test(text);
    }),
  );
});

test("huge and deep values cost no more than small ones", () => {
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i++) deep = [deep];
  const wide = Object.fromEntries(Array.from({ length: 300_000 }, (_, i) => [`k${i}`, i]));
  const began = performance.now();
  for (const value of [deep, wide, "x".repeat(20_000_000), new Float32Array(1e6)])
    expect(shown(value).length).toBeLessThanOrEqual(60);
  expect(performance.now() - began).toBeLessThan(1000);
});

test("the message of any error is one line of less than 2 kB without control characters", () => {
  const texts = fc.oneof(
    anyText,
    anyText.map((text) => text.repeat(500)),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const { message } = new UnnoiseError("data", text);
      return new TextEncoder().encode(message).length <= 2000 && !RAW.test(message);
    }),
  );
  expect(messageLine("one\n  two")).toBe("one two");
  expect(messageLine("plain")).toBe("plain");
});
