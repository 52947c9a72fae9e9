import { UnnoiseError, at, invariant } from "../../math/error.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { Mismatch, requireExtents, type HostValue, type Operator, type Operators } from "../operator.ts";

/** The rows that `indices` name. Providers differ outside 0…rows−1 (some fail, some clamp), so the reference refuses. */
function rowsOf(indices: HostValue | undefined, rows: number): Float64Array {
  const { data } = indices as HostValue;
  const outside = data.find((index) => index < 0 || index >= rows);
  if (outside !== undefined) throw new UnnoiseError("graph", `row index ${outside} outside 0…${rows - 1}`);
  return data;
}

/** Rows of `table` [R, …] chosen by int32 `indices` [N]: result [N, …]. */
const gather: Operator<"gather"> = {
  infer: ([table, indices]) => {
    invariant(table && indices, "gather needs two inputs");
    if (indices.dtype !== "int32" || indices.shape.length !== 1)
      throw new Mismatch("indices must be int32 with one axis");
    if (table.shape.length < 1) throw new Mismatch("the table needs at least one axis");
    return { dtype: table.dtype, shape: [at(indices.shape, 0), ...table.shape.slice(1)] };
  },
  evaluate: ([table, indices], _, { shape }) => {
    const { data, shape: source } = table as HostValue;
    const row = sizeOf(shape.slice(1));
    const out = new Float64Array(sizeOf(shape));
    rowsOf(indices, at(source, 0)).forEach((index, i) => {
      out.set(data.subarray(index * row, (index + 1) * row), i * row);
    });
    return out;
  },
  derivative: (dy, node, build) => {
    const [table, indices] = [at(node.inputs, 0), at(node.inputs, 1)];
    return [build.scatterAdd(dy, indices, at(table.shape, 0)), undefined];
  },
  lower: (emit, inputs) => emit.node("Gather", inputs, { axis: { int: 0 } }),
};

/**
 * The transpose of gather: row i of `updates` [N, …] is added to row indices[i] of a zero table [rows, …]. Lowered as the product
 * of the indices' one-hot matrix [rows, N] with the updates, because ONNX Runtime's ScatterND with reduction `add` is not atomic on
 * the CPU: with more than one thread it loses updates of repeated indices, and elsewhere their order is open. The product adds in a
 * fixed order; it takes 4·rows·N bytes, and an update that is not finite makes its column NaN in every row.
 */
const scatterAdd: Operator<"scatterAdd"> = {
  infer: ([updates, indices], { rows }) => {
    invariant(updates && indices, "scatterAdd needs two inputs");
    if (indices.dtype !== "int32" || indices.shape.length !== 1)
      throw new Mismatch("indices must be int32 with one axis");
    if (updates.shape[0] !== indices.shape[0]) throw new Mismatch("as many updates as indices are needed");
    requireExtents([rows]);
    if (updates.dtype !== "float32") throw new Mismatch(`expected float32, got ${updates.dtype}`);
    return { dtype: updates.dtype, shape: [rows, ...updates.shape.slice(1)] };
  },
  evaluate: ([updates, indices], _, { shape }) => {
    const { data } = updates as HostValue;
    const row = sizeOf(shape.slice(1));
    const out = new Float64Array(sizeOf(shape));
    rowsOf(indices, at(shape, 0)).forEach((index, i) => {
      for (let k = 0; k < row; k++) out[index * row + k] = (out[index * row + k] ?? 0) + (data[i * row + k] ?? 0);
    });
    return out;
  },
  derivative: (dy, node, build) => [build.gather(dy, at(node.inputs, 1)), undefined],
  lower: (emit, [updates, indices], node) => {
    invariant(updates && indices, "scatterAdd needs two inputs");
    const [rows, count, width] = [at(node.shape, 0), at(at(node.inputs, 1).shape, 0), sizeOf(node.shape.slice(1))];
    const numbers = emit.constant(
      "int32",
      [rows, 1],
      Float64Array.from({ length: rows }, (_, row) => row),
    );
    const chosen = emit.node("Cast", [emit.node("Equal", [numbers, indices])], { to: { dtype: "float32" } });
    const flat = emit.node("Reshape", [updates, emit.ints([count, width])]);
    return emit.node("Reshape", [emit.node("MatMul", [chosen, flat]), emit.ints(node.shape)]);
  },
};

export const gatherOperators: Operators<"gather" | "scatterAdd"> = { gather, scatterAdd };
