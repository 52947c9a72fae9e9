import type { Attributes, Convolution, GraphDType, Node, OpName } from "../src/graph/node.ts";
import { apply, input } from "../src/graph/builders.ts";
import { at } from "../src/math/error.ts";
import { Random } from "../src/math/random.ts";
import { sizeOf, type Shape } from "../src/tensor/tensor.ts";

/** A value that a case feeds: float32 values are exact in float32, so that only the operator itself rounds. */
export interface CaseValue {
  readonly dtype: GraphDType;
  readonly shape: Shape;
  readonly data: readonly number[];
}

/** One application of an operator. */
export interface Case<A = Attributes[OpName]> {
  readonly name: string;
  readonly values: readonly CaseValue[];
  readonly attributes: A;
  /** The function has a kink where the case feeds it, so central differences say nothing. */
  readonly kink?: boolean;
}

type CaseTable = { readonly [K in OpName]: readonly Case<Attributes[K]>[] };

/** A case as a graph: its inputs are named a, b, c, … after `prefix`. */
export function build<K extends OpName>(op: K, { values, attributes }: Case<Attributes[K]>, prefix = ""): BuiltCase {
  const inputs = values.map(({ shape, dtype }, i) => input(nameOf(prefix, i), shape, dtype));
  const feeds = Object.fromEntries(values.map(({ data }, i) => [nameOf(prefix, i), data]));
  return { inputs, result: apply(op, inputs, attributes), feeds };
}

export interface BuiltCase {
  readonly inputs: readonly Node[];
  readonly result: Node;
  readonly feeds: Readonly<Record<string, readonly number[]>>;
}

function nameOf(prefix: string, index: number): string {
  return prefix + String.fromCharCode("a".charCodeAt(0) + index);
}

let drawn = 0;

/** Uniform values in [low, high): every call has its own. */
function floats(shape: Shape, low = -2, high = 2): CaseValue {
  const data = new Float64Array(sizeOf(shape));
  new Random(11, "metric").uniforms(data, 1, 0, drawn++);
  return { dtype: "float32", shape, data: Array.from(data, (u) => Math.fround(low + (high - low) * u)) };
}

const listed = (dtype: GraphDType, shape: Shape, data: readonly number[]): CaseValue => ({ dtype, shape, data });
const ints = (shape: Shape, ...data: number[]): CaseValue => listed("int32", shape, data);
const bools = (shape: Shape, ...data: number[]): CaseValue => listed("bool", shape, data);
const exactly = (shape: Shape, ...data: number[]): CaseValue => listed("float32", shape, data.map(Math.fround));

type None = Readonly<Record<string, never>>;
const none: None = {};
const of = <A>(name: string, values: readonly CaseValue[], attributes: A): Case<A> => ({ name, values, attributes });
const kinked = <A>(one: Case<A>): Case<A> => ({ ...one, kink: true });

/** Shapes for an operator of one input, and the values where it is most delicate. */
function unary(low: number, high: number, ...delicate: number[]): readonly Case<None>[] {
  const extra = delicate.length === 0 ? [] : [of("delicate", [exactly([delicate.length], ...delicate)], none)];
  return [
    of("scalar", [floats([], low, high)], none),
    of("matrix", [floats([3, 5], low, high)], none),
    of("four axes", [floats([2, 1, 3, 7], low, high)], none),
    of("one element", [floats([1, 1], low, high)], none),
    ...extra,
  ];
}

/** Broadcasting both ways, scalars and equal shapes for an operator of two inputs. */
function binary(low = -2, high = 2, lowB = low): readonly Case<None>[] {
  const pair = (name: string, a: Shape, b: Shape): Case<None> =>
    of(name, [floats(a, low, high), floats(b, lowB, high)], none);
  return [
    pair("same shape", [3, 5], [3, 5]),
    pair("row into matrix", [3, 5], [5]),
    pair("matrix over column", [3, 1], [3, 5]),
    pair("both broadcast", [4, 1, 3], [2, 1]),
    pair("scalar first", [], [2, 3]),
    pair("scalar second", [7], []),
    pair("two scalars", [], []),
    pair("ones in front", [1, 1, 3], [3]),
  ];
}

const wholeNumbers: readonly Case<None>[] = [
  of("int32", [ints([2, 3], 7, -3, 0, 100_000, -5, 1), ints([3], 2, -2, 3)], none),
];

const ties = kinked(of("ties", [exactly([2, 3], 1, -1, 0, 2, 2, 5), exactly([3], 1, -1, 0)], none));

const comparisons: readonly Case<None>[] = [
  ...binary(),
  ties,
  ...wholeNumbers,
  of("equal int32", [ints([4], 1, 2, 3, -4), ints([4], 1, 3, 3, -4)], none),
];

const products: readonly Case<Attributes["matmul"]>[] = [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
].flatMap(([transposeA = false, transposeB = false]) => {
  const flip = (shape: Shape, flipped: boolean): Shape =>
    flipped ? [...shape.slice(0, -2), ...shape.slice(-2).reverse()] : shape;
  const pair = (name: string, a: Shape, b: Shape): Case<Attributes["matmul"]> =>
    of(
      `${name} ${transposeA ? "Aᵀ" : "A"}·${transposeB ? "Bᵀ" : "B"}`,
      [floats(flip(a, transposeA)), floats(flip(b, transposeB))],
      { transposeA, transposeB },
    );
  return [
    pair("matrices", [3, 5], [5, 2]),
    pair("inner extent 1", [4, 1], [1, 3]),
    pair("row by column", [1, 7], [7, 1]),
    pair("batch", [2, 3, 5], [2, 5, 4]),
    pair("batch by matrix", [2, 3, 5], [5, 4]),
    pair("matrix by batch", [3, 5], [2, 5, 4]),
    pair("batches broadcast", [2, 1, 3, 2], [3, 2, 1]),
  ];
});

const sums: readonly Case<Attributes["gemm"]>[] = [[], [1], [2], [1, 2], [3, 1], [3, 2]].flatMap((shape: Shape) =>
  [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ].map(([transposeA = false, transposeB = false]) =>
    of(
      `+ [${shape.join()}] ${transposeA ? "Aᵀ" : "A"}·${transposeB ? "Bᵀ" : "B"}`,
      [floats(transposeA ? [5, 3] : [3, 5]), floats(transposeB ? [2, 5] : [5, 2]), floats(shape)],
      { transposeA, transposeB },
    ),
  ),
);

const reductions = [
  of("rows", [floats([4, 3])], { axes: [0] }),
  of("columns", [floats([4, 3])], { axes: [1] }),
  of("all", [floats([4, 3])], { axes: [0, 1] }),
  of("middle", [floats([2, 5, 3])], { axes: [1] }),
  of("first and last", [floats([2, 5, 3])], { axes: [2, 0] }),
  of("extent 1", [floats([3, 1])], { axes: [1] }),
  of("column sum of one column", [floats([3, 1])], { axes: [0] }),
  of("vector", [floats([9])], { axes: [0] }),
  of("long column sum", [floats([300, 2])], { axes: [0] }),
];

interface ConvCase {
  readonly name: string;
  /** [N, Ci, H, W] */
  readonly x: Shape;
  /** [Co, Ci/groups, kh, kw] */
  readonly w: Shape;
  /** [N, Co, …] */
  readonly y: Shape;
  readonly stride?: number;
  readonly padding?: readonly number[];
  readonly groups?: number;
}

const convolutions: readonly ConvCase[] = [
  { name: "3 × 3", x: [2, 2, 4, 3], w: [3, 2, 3, 3], y: [2, 3, 4, 3], padding: [1, 1, 1, 1] },
  { name: "1 × 1", x: [1, 3, 2, 3], w: [2, 3, 1, 1], y: [1, 2, 2, 3] },
  { name: "no padding", x: [1, 1, 4, 5], w: [2, 1, 2, 3], y: [1, 2, 3, 3] },
  { name: "whole image", x: [2, 2, 3, 2], w: [2, 2, 3, 2], y: [2, 2, 1, 1] },
  { name: "stride 2", x: [1, 2, 5, 5], w: [2, 2, 3, 3], y: [1, 2, 3, 3], stride: 2, padding: [1, 1, 1, 1] },
  {
    name: "stride 2 below and right",
    x: [2, 1, 4, 6],
    w: [2, 1, 3, 3],
    y: [2, 2, 2, 3],
    stride: 2,
    padding: [0, 0, 1, 1],
  },
  {
    name: "stride 2 that leaves a row",
    x: [1, 2, 4, 4],
    w: [1, 2, 3, 3],
    y: [1, 1, 2, 2],
    stride: 2,
    padding: [1, 1, 1, 1],
  },
  { name: "stride 3 that leaves two", x: [1, 1, 6, 5], w: [2, 1, 1, 2], y: [1, 2, 2, 2], stride: 3 },
  { name: "padding on one side", x: [1, 1, 3, 3], w: [1, 1, 2, 2], y: [1, 1, 4, 3], padding: [2, 0, 0, 1] },
  { name: "padding larger than the kernel", x: [1, 1, 2, 2], w: [1, 1, 2, 2], y: [1, 1, 4, 5], padding: [0, 3, 3, 1] },
  { name: "groups", x: [2, 4, 3, 3], w: [6, 2, 2, 2], y: [2, 6, 2, 2], groups: 2 },
  { name: "depthwise", x: [2, 3, 4, 4], w: [3, 1, 3, 3], y: [2, 3, 4, 4], padding: [1, 1, 1, 1], groups: 3 },
  {
    name: "groups with stride 2",
    x: [2, 4, 5, 4],
    w: [4, 2, 3, 3],
    y: [2, 4, 3, 2],
    stride: 2,
    padding: [1, 1, 1, 1],
    groups: 2,
  },
];

const movement = ({ stride = 1, padding = [0, 0, 0, 0], groups = 1 }: ConvCase): Convolution => ({
  stride,
  padding,
  groups,
});

/** Every case for both parts. */
const normalisations = (): readonly Case<Attributes["normalise"]>[] =>
  [
    of("rows", [floats([3, 5])], 1),
    of("last two axes", [floats([2, 2, 3, 2])], 2),
    of("everything", [floats([2, 3])], 0),
    of("far from zero", [floats([2, 6], 9, 11)], 1),
    of("very far from zero", [floats([2, 6], 999, 1001)], 1),
    of("long", [floats([2, 300])], 1),
    of("constant rows", [exactly([2, 4], 1, 1, 1, 1, 0, 0, 0, 0)], 1),
  ].flatMap(({ name, values, attributes: firstAxis }) =>
    (["value", "inverseDeviation"] as const).map((part) =>
      of(`${name}: ${part}`, values, { firstAxis, epsilon: 1e-2, part }),
    ),
  );

export const cases: CaseTable = {
  // An input is what every other case is fed by.
  input: [],
  constant: [
    of("scalar", [], { type: { dtype: "float32", shape: [] }, data: Float64Array.of(1.5) }),
    of("int32", [], { type: { dtype: "int32", shape: [3] }, data: Float64Array.of(-1, 0, 7) }),
    of("bool", [], { type: { dtype: "bool", shape: [1, 2] }, data: Float64Array.of(0, 1) }),
  ],
  neg: unary(-3, 3, 0),
  exp: unary(-3, 3, -20, 0, 10),
  log: unary(0.1, 5, 0.01, 1, 1e6),
  sqrt: unary(0.1, 5, 1e-4, 1e6),
  sin: unary(-3, 3, 0, Math.PI),
  cos: unary(-3, 3, 0, Math.PI),
  tanh: unary(-3, 3, -9, 0, 9),
  sigmoid: unary(-3, 3, -30, -9, 0, 9, 30),
  erf: unary(-2, 2, -4, -1e-3, 0, 0.5, 4),
  silu: unary(-3, 3, -30, -9, 0, 9, 30),
  abs: [...unary(-3, 3), kinked(of("zero", [exactly([3], 0, -1, 1)], none))],
  add: [...binary(), ...wholeNumbers],
  sub: [...binary(), ...wholeNumbers],
  mul: [...binary(), ...wholeNumbers],
  div: [...binary(0.5, 3), of("negative", [floats([3]), floats([3], -3, -0.5)], none), ...wholeNumbers],
  minimum: [...binary(), ties, ...wholeNumbers],
  maximum: [...binary(), ties, ...wholeNumbers],
  equal: comparisons,
  less: comparisons,
  greater: comparisons,
  where: [
    of("same shape", [bools([2, 2], 1, 0, 0, 1), floats([2, 2]), floats([2, 2])], none),
    of("condition broadcast", [bools([2, 1], 1, 0), floats([2, 3]), floats([3])], none),
    of("values broadcast", [bools([2, 3], 1, 0, 0, 1, 1, 0), floats([]), floats([3])], none),
    of("scalars", [bools([], 1), floats([]), floats([])], none),
    of("int32", [bools([3], 1, 0, 1), ints([3], 1, -2, 3), ints([], -9)], none),
  ],
  cast: [
    of("float32 to int32", [exactly([5], -1.7, -0.2, 0, 0.9, 12.5)], { to: "int32" }),
    of("float32 to bool", [exactly([4], -1.5, 0, 0.25, 3)], { to: "bool" }),
    of("int32 to float32", [ints([3], -7, 0, 9)], { to: "float32" }),
    of("int32 to bool", [ints([3], -7, 0, 9)], { to: "bool" }),
    of("bool to float32", [bools([3], 1, 0, 1)], { to: "float32" }),
    of("bool to int32", [bools([3], 1, 0, 1)], { to: "int32" }),
    of("float32 to float32", [floats([2])], { to: "float32" }),
  ],
  matmul: products,
  gemm: sums,
  sum: reductions,
  reduceMax: [
    ...reductions,
    kinked(of("ties", [exactly([2, 3], 2, 2, -1, -4, -4, -4)], { axes: [1] })),
    of("all negative", [floats([3, 4], -5, -1)], { axes: [0] }),
  ],
  gather: [
    of("rows", [floats([4, 3]), ints([5], 0, 3, 1, 3, 0)], none),
    of("vector", [floats([4]), ints([2], 2, 2)], none),
    of("three axes", [floats([3, 2, 2]), ints([1], 1)], none),
    of("int32 table", [ints([3], 7, -8, 9), ints([2], 2, 0)], none),
    of("bool table", [bools([3], 1, 0, 1), ints([4], 2, 1, 1, 0)], none),
  ],
  scatterAdd: [
    of("rows", [floats([5, 3]), ints([5], 0, 3, 1, 3, 0)], { rows: 4 }),
    of("vector", [floats([4]), ints([4], 2, 2, 2, 0)], { rows: 3 }),
    of("three axes", [floats([2, 2, 3]), ints([2], 1, 0)], { rows: 3 }),
  ],
  reshape: [
    of("flat", [floats([2, 3])], { shape: [6] }),
    of("to scalar", [floats([1, 1])], { shape: [] }),
    of("from scalar", [floats([])], { shape: [1, 1] }),
    of("three axes", [floats([6, 2])], { shape: [2, 3, 2] }),
    of("int32", [ints([2, 2], 1, 2, 3, 4)], { shape: [4] }),
    of("bool", [bools([2], 1, 0)], { shape: [2, 1] }),
  ],
  broadcast: [
    of("scalar", [floats([])], { shape: [2, 3] }),
    of("row", [floats([3])], { shape: [2, 3] }),
    of("column", [floats([2, 1])], { shape: [2, 3] }),
    of("outside and inside", [floats([3, 1, 2])], { shape: [2, 3, 4, 2] }),
    of("new axis", [floats([3])], { shape: [1, 3] }),
    of("int32", [ints([1], 4)], { shape: [3] }),
    of("bool", [bools([2, 1], 1, 0)], { shape: [2, 2] }),
  ],
  transpose: [
    of("matrix", [floats([2, 3])], { order: [1, 0] }),
    of("cycle", [floats([2, 3, 4])], { order: [2, 0, 1] }),
    of("four axes", [floats([2, 1, 3, 2])], { order: [3, 1, 0, 2] }),
    of("identity", [floats([2, 3])], { order: [0, 1] }),
    of("int32", [ints([2, 2], 1, 2, 3, 4)], { order: [1, 0] }),
    of("bool", [bools([1, 2], 1, 0)], { order: [1, 0] }),
  ],
  slice: [
    of("window", [floats([4, 5])], { starts: [1, 2], ends: [3, 5] }),
    of("one axis", [floats([4, 5])], { starts: [0, 1], ends: [4, 2] }),
    of("everything", [floats([2, 3])], { starts: [0, 0], ends: [2, 3] }),
    of("three axes", [floats([3, 2, 4])], { starts: [2, 0, 1], ends: [3, 1, 4] }),
    of("int32", [ints([4], 1, -2, 3, 4)], { starts: [1], ends: [3] }),
    of("bool", [bools([3], 1, 0, 1)], { starts: [1], ends: [3] }),
  ],
  pad: [
    of("around", [floats([2, 3])], { before: [1, 0], after: [2, 1] }),
    of("vector", [floats([3])], { before: [2], after: [0] }),
    of("nothing", [floats([3])], { before: [0], after: [0] }),
    of("three axes", [floats([2, 1, 2])], { before: [0, 1, 0], after: [1, 0, 3] }),
  ],
  concat: [
    of("rows", [floats([2, 3]), floats([1, 3]), floats([4, 3])], { axis: 0 }),
    of("columns", [floats([2, 3]), floats([2, 1])], { axis: 1 }),
    of("middle", [floats([2, 1, 2]), floats([2, 3, 2])], { axis: 1 }),
    of("single", [floats([3])], { axis: 0 }),
    of(
      "many",
      Array.from({ length: 12 }, (_, i) => floats([i + 1])),
      { axis: 0 },
    ),
    of("int32", [ints([2], 1, -2), ints([1], 3)], { axis: 0 }),
    of("bool", [bools([1], 1), bools([2], 0, 1)], { axis: 0 }),
  ],
  split: [
    of("first", [floats([5, 2])], { axis: 0, sizes: [1, 3, 1], part: 0 }),
    of("middle", [floats([5, 2])], { axis: 0, sizes: [1, 3, 1], part: 1 }),
    of("last", [floats([2, 5])], { axis: 1, sizes: [4, 1], part: 1 }),
    of("whole", [floats([3])], { axis: 0, sizes: [3], part: 0 }),
    of("middle axis", [floats([2, 4, 3])], { axis: 1, sizes: [2, 2], part: 1 }),
    of("many parts", [floats([30])], { axis: 0, sizes: Array<number>(15).fill(2), part: 11 }),
    of("int32", [ints([3], 5, 6, -7)], { axis: 0, sizes: [1, 2], part: 1 }),
  ],
  softmax: [
    of("rows", [floats([3, 5])], { axis: 1 }),
    of("columns", [floats([3, 5])], { axis: 0 }),
    of("middle", [floats([2, 4, 3])], { axis: 1 }),
    of("large", [exactly([2, 3], 1000, 1001, 998, -1000, -1000, -1003)], { axis: 1 }),
    of("one", [floats([3, 1])], { axis: 1 }),
  ],
  detach: unary(-3, 3, 0),
  conv: [
    ...convolutions.map((one) => of(one.name, [floats(one.x), floats(one.w)], movement(one))),
    ...convolutions
      .filter((_, i) => i % 4 === 0)
      .map((one) => of(`${one.name} with bias`, [floats(one.x), floats(one.w), floats([at(one.w, 0)])], movement(one))),
  ],
  convInputGrad: convolutions.map((one) =>
    of(one.name, [floats(one.y), floats(one.w)], { ...movement(one), size: one.x.slice(2) }),
  ),
  convWeightGrad: convolutions.map((one) =>
    of(one.name, [floats(one.x), floats(one.y)], { ...movement(one), kernel: one.w.slice(2) }),
  ),
  normalise: normalisations(),
  upsample: [
    of("twice", [floats([2, 3, 2, 3])], { factor: 2 }),
    of("three times", [floats([1, 2, 1, 4])], { factor: 3 }),
    of("once", [floats([1, 1, 2, 2])], { factor: 1 }),
  ],
  checkpoint: unary(-3, 3, 0),
  gate: [
    of("behind one", [floats([2, 3]), floats([4])], none),
    of("behind many", [floats([3]), floats([]), floats([2, 2]), floats([1, 1, 1])], none),
    of("scalar", [floats([]), floats([2])], none),
    of("zeros", [exactly([3], 0, -0, 1), exactly([2], -1, -2)], none),
  ],
  averagePool: [
    of("squares of 2", [floats([2, 3, 4, 6])], { size: 2 }),
    of("squares of 3", [floats([1, 2, 3, 6])], { size: 3 }),
    of("squares of 1", [floats([1, 1, 2, 2])], { size: 1 }),
  ],
};

/** Every operator's name. */
export const opNames: readonly OpName[] = Object.keys(cases) as OpName[];
