import { describe, expect, it } from "vitest";
import { add, cast, checkpoint, concat, constant, greater, input, matmul, reshape, sin, sum } from "./builders.ts";
import { peakMemory } from "./peak-memory.ts";
import { topologicalOrder } from "./traverse.ts";

const x = input("x", [10, 10]);
const KEPT = 400;

describe("peakMemory", () => {
  it("counts inputs and constants apart", () => {
    const y = matmul(x, constant(new Float64Array(50), [10, 5]));
    expect(peakMemory([y])).toEqual({ activations: 200, inputs: 400, constants: 200 });
  });

  it("frees a value after the last operator that reads it", () => {
    let y = matmul(x, x);
    for (let i = 0; i < 5; i++) y = matmul(y, x);
    expect(peakMemory([y]).activations).toBe(2 * KEPT);
  });

  it("keeps a value that is read again at the end", () => {
    const first = matmul(x, x);
    let y = first;
    for (let i = 0; i < 5; i++) y = matmul(y, x);
    expect(peakMemory([matmul(y, first)]).activations).toBe(3 * KEPT);
  });

  it("keeps results", () => {
    const [a, b, c] = [matmul(x, x), sin(x), matmul(x, matmul(x, x))];
    expect(peakMemory([a, b]).activations).toBe(2 * KEPT);
    expect(peakMemory([a, b, c]).activations).toBe(4 * KEPT);
  });

  it("lets an operator write over what ends with it, but not over another size, an input or a result", () => {
    const product = matmul(x, x);
    expect(peakMemory([sin(sin(product))]).activations).toBe(KEPT);
    expect(peakMemory([add(product, matmul(x, product))]).activations).toBe(2 * KEPT);
    expect(peakMemory([sin(x)]).activations).toBe(KEPT);
    expect(peakMemory([sin(product), product]).activations).toBe(2 * KEPT);
    const row = sum(x, { axes: [0], keepDims: true });
    expect(peakMemory([add(row, x)]).activations).toBe(KEPT + 40);
  });

  it("gives what only looks different no memory, and keeps it as long as it is looked at", () => {
    const flat = reshape(checkpoint(matmul(x, x)), [100]);
    expect(peakMemory([concat([flat, flat], 0)]).activations).toBe(KEPT + 2 * KEPT);
    expect(peakMemory([reshape(x, [100])]).activations).toBe(0);
  });

  it("counts a byte for each bool", () => {
    expect(peakMemory([greater(matmul(x, x), 0)]).activations).toBe(KEPT + 100);
    expect(peakMemory([cast(greater(x, 0), "int32")]).activations).toBe(100 + KEPT);
  });

  it("depends on the order of execution", () => {
    const wide = (i: number): ReturnType<typeof sum> => sum(matmul(x, add(x, i)));
    const outputs = [wide(1), wide(2), wide(3)];
    const late = topologicalOrder(outputs).toSorted(
      (a, b) => Number(a.op === "reshape" || a.op === "sum") - Number(b.op === "reshape" || b.op === "sum"),
    );
    expect(peakMemory(outputs).activations).toBeLessThan(2 * KEPT + 20);
    expect(peakMemory(outputs, late).activations).toBeGreaterThanOrEqual(3 * KEPT);
  });
});
