import { describe, expect, it } from "vitest";
import { at } from "../math/error.ts";
import {
  abs,
  add,
  apply,
  broadcastTo,
  cast,
  checkpoint,
  concat,
  constant,
  equal,
  gate,
  gather,
  greater,
  input,
  matmul,
  mean,
  mul,
  pad,
  reduceMax,
  reshape,
  scatterAdd,
  sin,
  slice,
  softmax,
  split,
  sub,
  sum,
  transpose,
  where,
} from "./builders.ts";
import { evaluate } from "./evaluate.ts";
import { grad } from "./grad.ts";
import { GraphError, scope, type Node } from "./node.ts";
import { topologicalOrder } from "./traverse.ts";
import { countFlops } from "./work.ts";

const x = input("x", [2, 3]);
const ids = input("ids", [2], "int32");
const valuesOf = (node: Node, feeds: Record<string, number[]>): number[] => [...at(evaluate([node], feeds), 0).data];

/** The error that `build` throws. */
function errorOf(build: () => unknown): GraphError {
  try {
    build();
  } catch (error) {
    if (error instanceof GraphError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("an error in a graph", () => {
  it("names operator, shapes, reason and path", () => {
    const error = errorOf(() => scope("mlp", () => scope("block0", () => matmul(x, x))));
    expect(error.message).toBe("mlp/block0/matmul: matmul of [2, 3] and [2, 3]: inner extents differ: 3 against 2");
    expect(error).toMatchObject({ code: "graph", path: "mlp/block0/matmul" });
  });

  it("leaves no scope behind", () => {
    expect(() => scope("broken", () => matmul(x, x))).toThrow(GraphError);
    expect(sin(x).path).toBe("sin");
  });

  it("names the forward node in whose derivative it lies", () => {
    const loss = scope("net", () => sum(sin(x)));
    const paths = topologicalOrder(grad(loss, [x])).map(({ path }) => path);
    expect(paths).toContain("grad(net/sin)/cos");
  });

  it.each<[string, () => unknown, RegExp]>([
    ["shapes that do not broadcast", () => add(x, input("y", [2])), /add of \[2, 3\] and \[2\]: extents 3 and 2/],
    ["mixed element types", () => add(x, ids), /element types float32 and int32/],
    ["arithmetic on bools", () => add(equal(x, 0), equal(x, 1)), /element types bool and bool/],
    ["a condition that is no bool", () => where(x, x, x), /expected bool, got float32/],
    ["int32 where float32 is needed", () => abs(ids), /expected float32, got int32/],
    ["a sum of int32", () => sum(ids), /expected float32, got int32/],
    ["an axis that is not there", () => sum(x, { axes: [2] }), /axis 2 outside 0…1/],
    ["a negative axis", () => reduceMax(x, { axes: [-1] }), /axis -1 outside 0…1/],
    ["an axis twice", () => sum(x, { axes: [1, 1] }), /axes \[1, 1\]: expected one or more, each once/],
    ["no axes", () => apply("sum", [x], { axes: [] }), /axes \[\]: expected one or more/],
    ["softmax over no axis", () => softmax(x, 2), /axis 2 outside/],
    ["vectors multiplied as matrices", () => matmul(x, input("v", [3])), /both factors need at least 2 axes/],
    ["batches that do not broadcast", () => matmul(input("a", [2, 1, 1]), input("b", [3, 1, 1])), /extents 2 and 3/],
    ["float indices", () => gather(x, input("i", [2])), /indices must be int32/],
    ["a table without rows", () => gather(constant(1), ids), /needs at least one axis/],
    ["more updates than indices", () => scatterAdd(input("u", [3]), ids, 5), /as many updates as indices/],
    ["a reshape of another size", () => reshape(x, [4]), /6 elements do not fill \[4\]/],
    ["a broadcast to less", () => broadcastTo(x, [3]), /does not broadcast to \[3\]/],
    ["a broadcast of unequal extents", () => broadcastTo(x, [4, 3]), /extents 2 and 4/],
    ["an order that is no permutation", () => transpose(x, [0, 0]), /is no permutation/],
    ["a window outside", () => slice(x, [0, 1], [2, 4]), /does not lie inside/],
    ["an empty window", () => slice(x, [1, 0], [1, 3]), /does not lie inside/],
    ["a window with too few axes", () => slice(x, [0], [1]), /does not lie inside/],
    ["negative padding", () => pad(x, [-1, 0], [0, 0]), /does not fit/],
    ["parts that differ", () => concat([x, input("y", [2, 2])], 0), /parts differ outside axis 0/],
    ["a concat axis outside", () => concat([x], 2), /axis 2 outside/],
    ["no parts", () => concat([], 0), /^concat: at least one part is needed$/],
    ["half an axis", () => sum(x, { axes: [0.5] }), /axis 0.5 outside 0…1/],
    ["a concat along half an axis", () => concat([x, x], 0.5), /axis 0.5 outside 0…1/],
    ["an input of negative extent", () => input("a", [2, -1]), /^input: extents \[2, -1\]: expected integers ≥ 0$/],
    ["an input of half an extent", () => input("a", [1.5]), /extents \[1.5\]/],
    ["an input without a name", () => input("", [1]), /^input: the name is empty$/],
    ["a constant of negative extents", () => constant([1, 2, 3, 4], [-2, -2]), /extents \[-2, -2\]/],
    ["a constant of half an extent", () => constant([1], [0.5, 2]), /extents \[0.5, 2\]/],
    ["a reshape to negative extents", () => reshape(x, [-2, -3]), /extents \[-2, -3\]/],
    ["a reshape to half an extent", () => reshape(x, [1.5, 4]), /extents \[1.5, 4\]/],
    ["a broadcast to a negative extent", () => broadcastTo(constant(1), [-1]), /extents \[-1\]/],
    ["a window between elements", () => slice(x, [0, 0.5], [2, 2]), /does not lie inside/],
    ["a window that ends nowhere", () => slice(x, [0, 0], [2, Number.NaN]), /does not lie inside/],
    ["half a zero of padding", () => pad(x, [0.5, 0], [0, 0]), /does not fit/],
    ["negative sizes", () => split(x, 1, [4, -1]), /extents \[4, -1\]/],
    ["half a row", () => scatterAdd(x, ids, 2.5), /extents \[2.5\]/],
    ["sizes that do not add up", () => split(x, 1, [1, 1]), /do not add up to axis 1/],
    ["too few constant values", () => constant([1, 2], [3]), /shape \[3\] needs 3 values, got 2/],
    ["a fraction as int32", () => add(ids, 0.5), /expected int32 values, got 0.5/],
    ["a border of int32", () => checkpoint(ids), /expected float32, got int32/],
    ["a gate of int32", () => gate(ids, [x]), /expected float32, got int32/],
    ["a gate behind int32", () => gate(x, [ids]), /expected float32, got int32/],
    ["a gate behind nothing", () => gate(x, []), /at least one other to wait for/],
    ["a gradient of no scalar", () => grad(x, [x]), /grad needs a float32 scalar loss, got float32 \[2, 3\]/],
    ["a gradient of an int32", () => grad(input("n", [], "int32"), []), /got int32 \[\]/],
    ["a gradient with respect to int32", () => grad(sum(x), [ids]), /float32 values, got int32/],
  ])("is thrown for %s", (_, build, message) => {
    const error = errorOf(build);
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain("\n");
  });
});

describe("evaluate", () => {
  it("refuses a missing input and one of the wrong size", () => {
    expect(() => evaluate([x])).toThrow("input x: expected [2, 3], got nothing");
    expect(() => evaluate([x], { x: [1] })).toThrow("input x: expected [2, 3], got 1 values");
  });

  it("refuses rows that a table does not have", () => {
    const rows = gather(constant([1, 2], [2]), ids);
    expect(() => evaluate([rows], { ids: [0, 2] })).toThrow("row index 2 outside 0…1");
    expect(() => evaluate([rows], { ids: [-1, 0] })).toThrow("row index -1 outside 0…1");
  });
});

describe("builders", () => {
  it("reduce away or keep axes", () => {
    expect(sum(x).shape).toEqual([]);
    expect(sum(x, { axes: [0] }).shape).toEqual([3]);
    expect(mean(x, { axes: [1], keepDims: true }).shape).toEqual([2, 1]);
    expect(sum(constant(3))).toMatchObject({ op: "constant" });
  });

  it("mean divides by the number of elements", () => {
    const feeds = { x: [1, 2, 3, 4, 5, 9] };
    expect(valuesOf(mean(x), feeds)).toEqual([4]);
    expect(valuesOf(mean(x, { axes: [0] }), feeds)).toEqual([2.5, 3.5, 6]);
  });

  it("give a number the element type of the other operand", () => {
    expect(add(ids, 1).dtype).toBe("int32");
    expect(sub(1, ids).dtype).toBe("int32");
    expect(where(greater(x, 0), 1, 0).dtype).toBe("float32");
    expect(cast(ids, "int32")).toBe(ids);
  });
});

describe("grad", () => {
  it("is zero for what the loss does not depend on", () => {
    const [unused] = grad(sum(x), [input("other", [4])]);
    expect(unused).toMatchObject({ shape: [4] });
    expect(valuesOf(unused as Node, {})).toEqual([0, 0, 0, 0]);
  });

  it("is zero across operators that no gradient crosses", () => {
    const counted = sum(cast(greater(x, 0), "float32"));
    expect(valuesOf(grad(counted, [x])[0] as Node, { x: [1, 2, 3, 4, 5, 6] })).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it("is one for the loss itself", () => {
    const loss = sum(x);
    expect(valuesOf(grad(loss, [loss])[0] as Node, {})).toEqual([1]);
  });

  it("adds up over every use of a shared value", () => {
    const w = input("w", []);
    const shared = mul(w, w);
    const loss = add(add(shared, mul(shared, shared)), w);
    // d(w² + w⁴ + w)/dw = 2w + 4w³ + 1.
    expect(valuesOf(grad(loss, [w])[0] as Node, { w: [3] })).toEqual([6 + 108 + 1]);
  });

  it("gives gradients of values in the middle, and of several at once", () => {
    const w = input("w", []);
    const middle = mul(w, 3);
    const [dMiddle, dw] = grad(mul(middle, w), [middle, w]) as [Node, Node];
    expect(valuesOf(dMiddle, { w: [5] })).toEqual([5]);
    expect(valuesOf(dw, { w: [5] })).toEqual([30]);
  });

  it("differentiates 10,000 operators in a row", () => {
    let deep: Node = input("w", []);
    const w = deep;
    for (let i = 0; i < 10_000; i++) deep = add(deep, 1e-3);
    const [slope] = grad(mul(deep, deep), [w]) as [Node];
    expect(valuesOf(slope, { w: [0] })[0]).toBeCloseTo(20, 9);
  });

  it("stays linear in the size of a graph whose values are used twice each", () => {
    let shared: Node = input("w", []);
    const w = shared;
    for (let i = 0; i < 40; i++) shared = add(shared, shared);
    const [slope] = grad(shared, [w]) as [Node];
    expect(topologicalOrder([slope]).length).toBeLessThan(100);
    expect(valuesOf(slope, { w: [1] })).toEqual([2 ** 40]);
  });
});

describe("countFlops", () => {
  it("counts 2·rows·columns·inner for products and one for each other element", () => {
    const a = input("a", [4, 5]);
    expect(countFlops([matmul(a, input("b", [5, 3]))])).toBe(2 * 4 * 5 * 3);
    expect(countFlops([matmul(a, input("b", [4, 3]), { transposeA: true })])).toBe(2 * 5 * 4 * 3);
    expect(countFlops([add(sin(a), 1)])).toBe(40);
    expect(countFlops([sum(a)])).toBe(20);
  });
});
