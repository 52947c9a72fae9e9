import { at, invariant } from "../../math/error.ts";
import { sameShape, shapeText, type Shape } from "../../tensor/tensor.ts";
import { broadcastData, broadcastShapes, broadcastStrides, walk } from "../broadcasting.ts";
import type { Node, ValueType } from "../node.ts";
import { Mismatch, type HostValue, type Operator, type Operators } from "../operator.ts";

interface Transposes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

const batchOf = (shape: Shape): Shape => shape.slice(0, -2);

/** Rows, columns and inner extent of op(A)·op(B), after checking that the inner extents agree. */
function productExtents(a: Shape, b: Shape, { transposeA, transposeB }: Transposes): [number, number, number] {
  if (a.length < 2 || b.length < 2) throw new Mismatch("both factors need at least 2 axes");
  const [aRows, aColumns] = [at(a, a.length - 2), at(a, a.length - 1)];
  const [bRows, bColumns] = [at(b, b.length - 2), at(b, b.length - 1)];
  const [rows, inner] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const [innerB, columns] = transposeB ? [bColumns, bRows] : [bRows, bColumns];
  if (inner !== innerB) throw new Mismatch(`inner extents differ: ${inner} against ${innerB}`);
  return [rows, columns, inner];
}

function inferProduct([a, b]: readonly ValueType[], attributes: Transposes): ValueType {
  invariant(a && b, "matmul needs two inputs");
  if (a.dtype !== "float32" || b.dtype !== "float32") throw new Mismatch(`element types ${a.dtype} and ${b.dtype}`);
  const [rows, columns] = productExtents(a.shape, b.shape, attributes);
  return { dtype: "float32", shape: [...broadcastShapes(batchOf(a.shape), batchOf(b.shape)), rows, columns] };
}

/** Offsets of each matrix of a batch inside `value`, broadcast to `batch`. */
function matrixOffsets({ shape }: HostValue, batch: Shape): number[] {
  const size = at(shape, shape.length - 1) * at(shape, shape.length - 2);
  const offsets: number[] = [];
  walk(batch, broadcastStrides(batchOf(shape), batch), (_, offset) => offsets.push(offset * size));
  return offsets;
}

function evaluateProduct(a: HostValue, b: HostValue, attributes: Transposes, shape: Shape): Float64Array {
  const [rows, columns, inner] = productExtents(a.shape, b.shape, attributes);
  const batch = batchOf(shape);
  const [aOffsets, bOffsets] = [matrixOffsets(a, batch), matrixOffsets(b, batch)];
  const [aRow, aInner] = attributes.transposeA ? [1, rows] : [inner, 1];
  const [bInner, bColumn] = attributes.transposeB ? [1, inner] : [columns, 1];
  const out = new Float64Array(aOffsets.length * rows * columns);
  for (let m = 0, o = 0; m < aOffsets.length; m++) {
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++, o++) {
        let sum = 0;
        for (let k = 0; k < inner; k++) {
          sum +=
            (a.data[at(aOffsets, m) + i * aRow + k * aInner] ?? 0) *
            (b.data[at(bOffsets, m) + k * bInner + j * bColumn] ?? 0);
        }
        out[o] = sum;
      }
    }
  }
  return out;
}

const flags = ({ transposeA, transposeB }: Transposes): Record<string, { readonly int: number }> => ({
  transA: { int: Number(transposeA) },
  transB: { int: Number(transposeB) },
});

/** With C = op(A)·op(B): dA = dC·op(B)ᵀ and dB = op(A)ᵀ·dC, themselves transposed where A or B was. */
const productDerivative: NonNullable<Operator<"matmul">["derivative"]> = (dy, node, build) => {
  const [a, b] = [at(node.inputs, 0), at(node.inputs, 1)];
  const { transposeA, transposeB } = node.attributes;
  const product = (x: Node, y: Node, tx: boolean, ty: boolean): Node =>
    build.matmul(x, y, { transposeA: tx, transposeB: ty });
  const da = transposeA ? product(b, dy, transposeB, true) : product(dy, b, false, !transposeB);
  const db = transposeB ? product(dy, a, true, transposeA) : product(a, dy, !transposeA, false);
  return [build.sumTo(da, a.shape), build.sumTo(db, b.shape)];
};

const matmul: Operator<"matmul"> = {
  infer: inferProduct,
  evaluate: ([a, b], attributes, { shape }) => {
    invariant(a && b, "matmul needs two inputs");
    return evaluateProduct(a, b, attributes, shape);
  },
  derivative: productDerivative,
  lower: (emit, inputs, node) => {
    const { transposeA, transposeB } = node.attributes;
    if (!transposeA && !transposeB) return emit.node("MatMul", inputs);
    if (node.inputs.every((input) => input.shape.length === 2))
      return emit.node("Gemm", inputs, flags(node.attributes));
    const flipped = [transposeA, transposeB].map((flip, i) => {
      const rank = at(node.inputs, i).shape.length;
      const order = [...Array(rank - 2).keys(), rank - 1, rank - 2];
      return flip ? emit.node("Transpose", [at(inputs, i)], { perm: { ints: order } }) : at(inputs, i);
    });
    return emit.node("MatMul", flipped);
  },
};

/** op(A)·op(B) + C in one kernel, for matrices: made by the `fuseGemm` pass, which runs after differentiation. */
const gemm: Operator<"gemm"> = {
  infer: (inputs, attributes) => {
    const product = inferProduct(inputs, attributes);
    const addend = at(inputs, 2);
    if (product.shape.length !== 2) throw new Mismatch("gemm multiplies matrices");
    if (addend.dtype !== "float32") throw new Mismatch(`expected float32, got ${addend.dtype}`);
    if (!sameShape(broadcastShapes(product.shape, addend.shape), product.shape)) {
      throw new Mismatch(`addend ${shapeText(addend.shape)} is larger than the product`);
    }
    return product;
  },
  evaluate: ([a, b, c], attributes, { shape }) => {
    invariant(a && b && c, "gemm needs three inputs");
    const addend = broadcastData(c, shape);
    return evaluateProduct(a, b, attributes, shape).map((value, i) => value + (addend[i] ?? 0));
  },
  derivative: (dy, node, build) => {
    const [a, b, c] = [at(node.inputs, 0), at(node.inputs, 1), at(node.inputs, 2)];
    const product = build.matmul(a, b, node.attributes);
    return [...productDerivative(dy, product, build), build.sumTo(dy, c.shape)];
  },
  lower: (emit, inputs, node) => emit.node("Gemm", inputs, flags(node.attributes)),
};

export const matmulOperators: Operators<"matmul" | "gemm"> = { matmul, gemm };
