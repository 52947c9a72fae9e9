import fc from "fast-check";
import { expect, test } from "vitest";
import { checkCountFits } from "./count-memory.ts";

const held = { option: "--count", thing: "point", each: 800 };

test("the number that a refusal names fits, and one more does not", () => {
  const sizes = fc.record({ available: fc.integer({ min: 300e6, max: 1e12 }), each: fc.integer({ min: 1, max: 1e5 }) });
  fc.assert(
    fc.property(sizes, ({ available, each }) => {
      const check = (count: number) => (): void => {
        checkCountFits({ ...held, each, count }, { available, total: available });
      };
      expect(check(1e15)).toThrow(/choose at most [\d,]+$/);
      const most = Math.floor((available - 250e6) / each);
      expect(check(most)).not.toThrow();
      expect(check(most + 1)).toThrow(`choose at most ${most.toLocaleString("en-US")}`);
    }),
  );
});

test("tells what is needed, what there is and what to do", () => {
  const machine = { available: 1.05e9, total: 2e9 };
  const ask = (): void => checkCountFits({ ...held, count: 1e9, advice: "write numbers" }, machine);
  expect(ask).toThrow(
    "--count: 1,000,000,000 points need about 800.3 GB of memory, and 1.1 GB are available; choose at most 1,000,000, or write numbers",
  );
});
