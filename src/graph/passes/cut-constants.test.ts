import { describe, expect, it } from "vitest";
import { at } from "../../math/error.ts";
import { constant, input, matmul, reshape, split } from "../builders.ts";
import { evaluate } from "../evaluate.ts";
import { isOp, type Node } from "../node.ts";
import { cutConstants } from "./cut-constants.ts";

const table = constant(
  Float64Array.from({ length: 24 }, (_, i) => i),
  [6, 4],
);
const valuesOf = (node: Node): number[] => [...at(evaluate([node]), 0).data];

describe("cutConstants", () => {
  const parts = split(table, 0, [1, 3, 2]);
  const reshaped = parts.map((part) => reshape(part, [2, (part.shape[0] ?? 0) * 2]));

  it("turns parts of a constant into constants of the same values", () => {
    const cut = cutConstants([...parts, ...reshaped]);
    expect(cut.every((node) => isOp(node, "constant"))).toBe(true);
    expect(cut.map(valuesOf)).toEqual([...parts, ...reshaped].map(valuesOf));
  });

  it("copies nothing", () => {
    const second = at(cutConstants(parts), 1) as Node<"constant">;
    expect(second.attributes.data.buffer).toBe((table as Node<"constant">).attributes.data.buffer);
  });

  it("leaves parts along other axes, and what is no constant, as they are", () => {
    const columns = split(table, 1, [1, 3]);
    const rows = split(input("x", [6, 4]), 0, [2, 4]);
    const product = matmul(table, table, { transposeB: true });
    expect(cutConstants([...columns, ...rows, product])).toEqual([...columns, ...rows, product]);
  });
});
