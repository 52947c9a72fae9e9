import fc from "fast-check";
import {
  add,
  averagePool,
  broadcastTo,
  checkpoint,
  concat,
  constant,
  conv2d,
  div,
  gate,
  input,
  less,
  matmul,
  maximum,
  mul,
  neg,
  normalise,
  reduceMax,
  reshape,
  sin,
  slice,
  softmax,
  split,
  sub,
  sum,
  tanh,
  transpose,
  upsampleNearest,
  where,
} from "../src/graph/builders.ts";
import type { Node } from "../src/graph/node.ts";
import { at } from "../src/math/error.ts";

export interface RandomGraph {
  readonly outputs: readonly Node[];
  readonly feeds: Readonly<Record<string, readonly number[]>>;
}

type Step = (a: Node, b: Node) => Node;

const asImage = (a: Node): Node => reshape(a, [1, 1, 3, 3]);

/** Each takes two [3, 3] values to one, so that any choice fits; the neutral ones are what passes remove. */
const steps: readonly Step[] = [
  add,
  sub,
  mul,
  maximum,
  (a, b) => div(a, add(mul(b, b), 1)),
  (a, b) => matmul(a, b),
  (a, b) => matmul(a, b, { transposeA: true }),
  (a, b) => matmul(a, b, { transposeB: true }),
  (a, b) => add(matmul(a, b), b),
  (a, b) => add(b, matmul(a, a)),
  (a, b) => where(less(a, b), a, b),
  (a) => sin(a),
  (a) => tanh(a),
  (a) => neg(neg(a)),
  (a) => transpose(a),
  (a) => softmax(a, 0),
  (a) => sub(a, reduceMax(a, { axes: [0], keepDims: true })),
  (a, b) => add(a, sum(b, { axes: [1] })),
  (a) => reshape(reshape(a, [9]), [3, 3]),
  (a) => concat([slice(a, [1, 0], [3, 3]), slice(a, [0, 0], [1, 3])], 0),
  (a) => concat(split(a, 1, [1, 2]).reverse(), 1),
  (a, b) => reshape(conv2d(asImage(a), asImage(b), undefined, { padding: 1 }), [3, 3]),
  (a) => reshape(averagePool(upsampleNearest(asImage(a))), [3, 3]),
  (a) => normalise(a, 1, 0.1),
  (a) => checkpoint(a),
  (a, b) => gate(a, [b]),
  (a) => add(a, 0),
  (a) => mul(1, a),
  (a) => div(a, 1),
  (a) => sub(a, constant(new Float64Array(3), [3])),
  (a) => mul(a, constant(new Float64Array(9).fill(1), [3, 3])),
  () => broadcastTo(add(constant([1, 2, 3], [3]), 0.5), [3, 3]),
  () => add(constant(new Float64Array(9), [3, 3]), 0.25),
];

const picks = fc.record({ step: fc.nat(steps.length - 1), a: fc.nat(), b: fc.nat() });
const matrix = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 9, maxLength: 9 });

/** Graphs of up to 30 steps on two inputs, with every value bounded by `tanh`, and one to four outputs. */
export const randomGraphs: fc.Arbitrary<RandomGraph> = fc
  .record({
    program: fc.array(picks, { minLength: 1, maxLength: 30 }),
    chosen: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
    x: matrix,
    y: matrix,
  })
  .map(({ program, chosen, x, y }) => {
    const values: Node[] = [input("x", [3, 3]), input("y", [3, 3])];
    const pick = (index: number): Node => at(values, index % values.length);
    for (const { step, a, b } of program) {
      const made = at(steps, step)(pick(a), pick(b));
      values.push(made, tanh(made));
    }
    return { outputs: chosen.map(pick), feeds: { x, y } };
  });
