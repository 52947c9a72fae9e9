import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomGraphs } from "../../../test/random-graph.ts";
import { at } from "../../math/error.ts";
import {
  add,
  apply,
  broadcastTo,
  cast,
  constant,
  div,
  exp,
  greater,
  input,
  matmul,
  mul,
  neg,
  sin,
  sub,
  sum,
} from "../builders.ts";
import { evaluate } from "../evaluate.ts";
import { grad } from "../grad.ts";
import { isOp, type Node } from "../node.ts";
import { topologicalOrder } from "../traverse.ts";
import { mergeCommonSubexpressions } from "./common-subexpressions.ts";
import { foldConstants } from "./fold-constants.ts";
import { fuseGemm } from "./fuse-gemm.ts";
import { optimise } from "./optimise.ts";
import { simplify } from "./simplify.ts";

type Pass = (outputs: readonly Node[]) => Node[];
const passes: Readonly<Record<string, Pass>> = {
  foldConstants,
  simplify,
  mergeCommonSubexpressions,
  fuseGemm,
  optimise,
};

const ops = (outputs: readonly Node[]): string[] => topologicalOrder(outputs).map(({ op }) => op);
const count = (outputs: readonly Node[]): number => topologicalOrder(outputs).length;
const work = (outputs: readonly Node[]): number => ops(outputs).filter((op) => op !== "constant").length;

function distance(before: readonly Node[], after: readonly Node[], feeds: Record<string, readonly number[]>): number {
  const [a, b] = [evaluate(before, feeds), evaluate(after, feeds)];
  return Math.max(...a.flatMap(({ data }, i) => [...data].map((x, j) => Math.abs(x - at(at(b, i).data, j)))));
}

describe.each(Object.entries(passes))("%s on random graphs", (_, pass) => {
  it("keeps every output's value, type and shape", () => {
    fc.assert(
      fc.property(randomGraphs, ({ outputs, feeds }) => {
        const after = pass(outputs);
        expect(after.map(({ dtype, shape }) => ({ dtype, shape }))).toEqual(
          outputs.map(({ dtype, shape }) => ({ dtype, shape })),
        );
        expect(distance(outputs, after, feeds)).toBeLessThan(1e-9);
      }),
    );
  });

  it("never adds work", () => {
    fc.assert(
      fc.property(randomGraphs, ({ outputs }) => {
        expect(count(pass(outputs))).toBeLessThanOrEqual(count(outputs));
      }),
    );
  });

  it("finds nothing more to do the second time", () => {
    fc.assert(
      fc.property(randomGraphs, ({ outputs }) => {
        const once = pass(outputs);
        expect(ops(pass(once))).toEqual(ops(once));
      }),
    );
  });

  it("keeps gradients", () => {
    fc.assert(
      fc.property(randomGraphs, ({ outputs, feeds }) => {
        const loss = sum(sin(at(outputs, 0)));
        const wrt = topologicalOrder([loss]).filter((node) => isOp(node, "input"));
        const slopes = grad(loss, wrt);
        expect(wrt.length === 0 || distance(slopes, pass(slopes), feeds) < 1e-6).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

const x = input("x", [2, 2]);
const y = input("y", [2, 2]);

describe("foldConstants", () => {
  it("computes what is known now", () => {
    const [folded] = foldConstants([add(exp(constant([0, 1], [2])), 1)]);
    expect(folded?.op).toBe("constant");
    expect(evaluate([folded as Node])[0]?.data).toEqual(Float64Array.of(2, Math.E + 1));
  });

  it("folds comparisons and casts to their own type", () => {
    const [folded] = foldConstants([cast(greater(constant([1, -1], [2]), 0), "int32")]);
    expect(folded).toMatchObject({ op: "constant", dtype: "int32", shape: [2] });
  });

  it("leaves what would take much memory", () => {
    expect(foldConstants([broadcastTo(constant(1), [100, 100])])[0]?.op).toBe("broadcast");
  });

  it("leaves what depends on an input", () => {
    expect(ops(foldConstants([mul(x, add(1, 2))]))).toEqual(["input", "constant", "mul"]);
  });

  it("keeps the path, for messages", () => {
    const node = exp(constant(0));
    expect(foldConstants([node])[0]?.path).toBe(node.path);
  });
});

describe("simplify", () => {
  it.each([
    ["x + 0", add(x, 0)],
    ["0 + x", add(0, x)],
    ["x − 0", sub(x, 0)],
    ["x · 1", mul(x, 1)],
    ["1 · x", mul(1, x)],
    ["x / 1", div(x, 1)],
    ["−(−x)", neg(neg(x))],
    ["x + [0, 0]", add(x, constant([0, 0], [2]))],
  ])("%s is x", (_, node) => {
    expect(simplify([node])).toEqual([x]);
  });

  it.each([
    ["x − 1", sub(x, 1)],
    ["0 − x", sub(0, x)],
    ["x · 0", mul(x, 0)],
    ["1 / x", div(1, x)],
    ["x + [0, 1]", add(x, constant([0, 1], [2]))],
    ["−x", neg(x)],
  ])("%s is not x", (_, node) => {
    expect(simplify([node])).toEqual([node]);
  });

  it("keeps a shape that only the neutral operand had", () => {
    const row = input("row", [2]);
    expect(simplify([add(row, constant(new Float64Array(6), [3, 2]))])[0]).toMatchObject({
      op: "broadcast",
      shape: [3, 2],
    });
  });
});

describe("mergeCommonSubexpressions", () => {
  it("merges equal operators of equal inputs, and what follows from them", () => {
    const twice = (): Node => mul(sin(x), 2);
    expect(ops(mergeCommonSubexpressions([add(twice(), twice())]))).toEqual(["input", "sin", "constant", "mul", "add"]);
  });

  it("tells attributes, inputs and their order apart", () => {
    const different = [
      sub(x, y),
      sub(y, x),
      matmul(x, y),
      matmul(x, y, { transposeA: true }),
      sum(x, { axes: [0] }),
      sum(x, { axes: [1] }),
      constant(1),
      constant(1, [], "int32"),
      constant([1], [1]),
      constant([1, 2], [2]),
      constant([1, 3], [2]),
    ];
    expect(new Set(mergeCommonSubexpressions(different)).size).toBe(different.length);
  });

  it("tells 0 from −0, whose reciprocals differ", () => {
    const outputs = [div(1, constant(0)), div(1, constant(-0))];
    expect(evaluate(mergeCommonSubexpressions(outputs)).map(({ data }) => data[0])).toEqual([Infinity, -Infinity]);
  });

  it("merges inputs of one name", () => {
    expect(count(mergeCommonSubexpressions([add(x, input("x", [2, 2]))]))).toBe(2);
  });
});

describe("fuseGemm", () => {
  const b = input("b", [2]);

  it("makes one operator of A·B + C and of C + A·B", () => {
    expect(ops(fuseGemm([add(matmul(x, y), b)]))).toEqual(["input", "input", "input", "gemm"]);
    expect(fuseGemm([add(b, matmul(x, y, { transposeB: true }))])[0]).toMatchObject({
      op: "gemm",
      attributes: { transposeA: false, transposeB: true },
    });
  });

  it("fuses one of two products", () => {
    expect(work(fuseGemm([add(matmul(x, y), matmul(y, x))]))).toBe(4);
  });

  it.each([
    ["used by another operator", (p: Node): Node[] => [add(p, b), sin(p)]],
    ["added to itself", (p: Node): Node[] => [add(p, p)]],
    ["an output", (p: Node): Node[] => [add(p, b), p]],
  ])("leaves a product that is %s", (_, outputs) => {
    expect(ops(fuseGemm(outputs(matmul(x, y))))).not.toContain("gemm");
  });

  it("leaves batches, and addends larger than the product", () => {
    const batch = matmul(input("batch", [3, 2, 2]), y);
    expect(ops(fuseGemm([add(batch, b), add(matmul(x, y), input("c", [3, 2, 2]))]))).not.toContain("gemm");
  });
});

describe("optimise", () => {
  it("drops dead code", () => {
    const [kept] = [sin(x), exp(y)];
    expect(ops(optimise([kept]))).toEqual(["input", "sin"]);
  });

  it("keeps the number and order of outputs that turn out equal", () => {
    const after = optimise([sin(x), add(sin(x), 0), x]);
    expect(after.map(({ op }) => op)).toEqual(["sin", "sin", "input"]);
    expect(after[0]).toBe(after[1]);
  });

  it("survives 10,000 operators in a row", () => {
    let deep: Node = x;
    for (let i = 0; i < 10_000; i++) deep = apply("neg", [sin(deep)], {});
    expect(count(optimise([deep]))).toBe(20_001);
  });
});
