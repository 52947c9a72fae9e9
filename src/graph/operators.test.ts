import { afterEach, describe, expect, it, vi } from "vitest";
import { build, cases, opNames, type BuiltCase, type Case } from "../../test/operator-cases.ts";
import { at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { sizeOf } from "../tensor/tensor.ts";
import { add, apply, constant, detach, input, mul, neg, sum } from "./builders.ts";
import { evaluate } from "./evaluate.ts";
import { grad } from "./grad.ts";
import type { Node, OpName } from "./node.ts";
import { operators } from "./operator-table.ts";
import type { Operator } from "./operator.ts";
import { optimise } from "./passes/optimise.ts";

type Feeds = BuiltCase["feeds"];

/** A constant of standard normal draws shaped like `like`. */
function random(like: Node, step: number): Node {
  const data = new Float64Array(sizeOf(like.shape));
  new Random(3, "metric").normals(data, data.length, 0, step);
  return constant(data, like.shape);
}

/** Σ x⊙c with random c: one number through which every element of x counts differently. */
const project = (x: Node, step: number): Node => sum(mul(x, random(x, step)));

function scalar(node: Node, feeds: Feeds): number {
  return at(at(evaluate([node], feeds), 0).data, 0);
}

/** dloss/d(feeds[name]) by central differences: the error is about h²·f‴/6 + 1e-16·f/h with h = 1e-5·max(1, |x|). */
function differences(loss: Node, feeds: Feeds, name: string): number[] {
  const values = feeds[name] ?? [];
  return values.map((x, i) => {
    const h = 1e-5 * Math.max(1e-2, Math.min(1, Math.abs(x)));
    const side = (moved: number): number => scalar(loss, { ...feeds, [name]: values.with(i, moved) });
    return (side(x + h) - side(x - h)) / (x + h - (x - h));
  });
}

/** Largest difference between a gradient graph and central differences, relative to the largest derivative. */
function gradientError(loss: Node, inputs: readonly Node[], feeds: Feeds): number {
  const analytic = evaluate(grad(loss, inputs), feeds);
  const errors = inputs.map((leaf, i) => {
    const name = (leaf as Node<"input">).attributes.name;
    const numeric = differences(loss, feeds, name);
    const scale = Math.max(1e-3, ...numeric.map(Math.abs));
    return Math.max(...numeric.map((value, j) => Math.abs(value - at(at(analytic, i).data, j)))) / scale;
  });
  return Math.max(...errors);
}

type Built = BuiltCase & { readonly floats: readonly Node[] };

function built(op: OpName, one: Case): Built {
  const graph = build(op, one as never);
  return { ...graph, floats: graph.inputs.filter(({ dtype }) => dtype === "float32") };
}

/** The float cases of an operator whose derivative exists there. */
function smoothCases(op: OpName): readonly Case[] {
  return (cases[op] as readonly Case[]).filter((one) => {
    const { floats, result } = built(op, one);
    return !one.kink && floats.length > 0 && result.dtype === "float32" && operators[op].derivative !== null;
  });
}

function firstOrder(op: OpName, one: Case): number {
  const { floats, result, feeds } = built(op, one);
  return gradientError(project(result, 1), floats, feeds);
}

function secondOrder(op: OpName, one: Case): number {
  const { floats, result, feeds } = built(op, one);
  // The result is squared first, so that linear operators have a second derivative too.
  const loss = project(mul(result, result), 2);
  const slopes = grad(loss, floats).map((slope, i) => project(slope, 3 + i));
  return gradientError(
    slopes.reduce((a, b) => add(a, b)),
    floats,
    feeds,
  );
}

const smooth = opNames.filter((op) => smoothCases(op).length > 0);

describe.each(smooth)("derivative of %s", (op) => {
  it.each(smoothCases(op).map((one) => [one.name, one] as const))("%s: first against central differences", (_, one) => {
    expect(firstOrder(op, one)).toBeLessThan(1e-6);
  });

  it.each(smoothCases(op).map((one) => [one.name, one] as const))(
    "%s: second against central differences",
    (_, one) => {
      expect(secondOrder(op, one)).toBeLessThan(1e-6);
    },
  );
});

describe("negative control", () => {
  afterEach(() => vi.restoreAllMocks());

  it.each(smooth)("a rule of %s that is wrong by 1 in 10,000 is caught", (op) => {
    const row = operators[op] as Operator<OpName>;
    const right = row.derivative;
    vi.spyOn(row as { derivative: NonNullable<typeof right> }, "derivative").mockImplementation((dy, node, builders) =>
      (right?.(dy, node, builders) ?? []).map((dx) => dx && mul(dx, 1.0001)),
    );
    expect(Math.max(...smoothCases(op).map((one) => firstOrder(op, one)))).toBeGreaterThan(1e-6);
  });
});

describe("operators with a derivative", () => {
  it("are all that give float32 from float32, leaves and detach apart", () => {
    const crossing = opNames.filter(
      (op) =>
        op !== "detach" &&
        (cases[op] as readonly Case[]).some((one) => {
          const { floats, result } = built(op, one);
          return floats.length > 0 && result.dtype === "float32";
        }),
    );
    expect(smooth).toEqual(crossing);
  });

  it.each(["minimum", "maximum"] as const)("%s passes the whole gradient on at a tie", (op) => {
    const [a, b] = [input("a", [3]), input("b", [3])];
    const [da, db] = evaluate(grad(sum(apply(op, [a, b], {})), [a, b]), { a: [1, 2, 3], b: [1, 5, 3] });
    expect(da?.data.map((x, i) => x + at(db?.data ?? [], i))).toEqual(Float64Array.of(1, 1, 1));
  });

  it("reduceMax shares the gradient among ties", () => {
    const a = input("a", [2, 3]);
    const loss = sum(mul(apply("reduceMax", [a], { axes: [1] }), constant([6, 9], [2, 1])));
    expect(evaluate(grad(loss, [a]), { a: [2, 2, -1, -4, -4, -4] })[0]?.data).toEqual(
      Float64Array.of(3, 3, 0, 3, 3, 3),
    );
  });

  it("abs has slope 0 at 0", () => {
    const a = input("a", [3]);
    expect(evaluate(grad(sum(apply("abs", [a], {})), [a]), { a: [0, -2, 2] })[0]?.data).toEqual(
      Float64Array.of(0, -1, 1),
    );
  });
});

describe("detach", () => {
  const a = input("a", [3]);
  const feeds = { a: [1, -2, 3] };

  it("is a constant to grad, once and along every path through it", () => {
    const loss = sum(mul(a, detach(mul(a, a))));
    expect(evaluate(grad(loss, [a]), feeds)[0]?.data).toEqual(Float64Array.of(1, 4, 9));
    expect(evaluate(grad(sum(detach(a)), [a]), feeds)[0]?.data).toEqual(new Float64Array(3));
  });

  it("stops the second derivative too", () => {
    const [slope] = grad(sum(mul(mul(a, a), a)), [a]);
    const loss = sum(mul(detach(slope ?? a), a));
    expect(evaluate(grad(loss, [a]), feeds)[0]?.data).toEqual(Float64Array.of(3, 12, 27));
  });

  it("costs nothing: passes take it out", () => {
    const loss = mul(detach(neg(a)), 2);
    expect(optimise([loss]).flatMap(({ inputs }) => inputs.map(({ op }) => op))).toEqual(["neg", "constant"]);
  });
});

describe("int32 arithmetic of the reference", () => {
  const run = (op: "add" | "sub" | "mul" | "div", a: number[], b: number[]): number[] => {
    const node = apply(op, [input("a", [a.length], "int32"), input("b", [b.length], "int32")], {});
    return [...at(evaluate([node], { a, b }), 0).data];
  };

  it("divides towards zero", () => {
    expect(run("div", [7, -7, 7, -7], [2, 2, -2, -2])).toEqual([3, -3, -3, 3]);
  });

  it("wraps around as 32-bit integers do", () => {
    expect(run("add", [2 ** 31 - 1], [1])).toEqual([-(2 ** 31)]);
    expect(run("sub", [-(2 ** 31)], [1])).toEqual([2 ** 31 - 1]);
    expect(run("mul", [123_456_789], [987_654_321])).toEqual([Math.imul(123_456_789, 987_654_321)]);
  });
});
