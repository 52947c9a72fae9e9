import { UnnoiseError, at, invariant } from "../../math/error.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { Mismatch, type HostValue, type Operator, type Operators } from "../operator.ts";

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

/** The transpose of gather: row i of `updates` [N, …] is added to row indices[i] of a zero table [rows, …]. */
const scatterAdd: Operator<"scatterAdd"> = {
  infer: ([updates, indices], { rows }) => {
    invariant(updates && indices, "scatterAdd needs two inputs");
    if (indices.dtype !== "int32" || indices.shape.length !== 1)
      throw new Mismatch("indices must be int32 with one axis");
    if (updates.shape[0] !== indices.shape[0]) throw new Mismatch("as many updates as indices are needed");
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
    const count = at(at(node.inputs, 1).shape, 0);
    const wide = emit.node("Cast", [indices], { to: { int: 7 } });
    const column = emit.node("Reshape", [wide, emit.ints([count, 1])]);
    const zeros = emit.node("Expand", [emit.float(0), emit.ints(node.shape)]);
    return emit.node("ScatterND", [zeros, column, updates], { reduction: { string: "add" } });
  },
};

export const gatherOperators: Operators<"gather" | "scatterAdd"> = { gather, scatterAdd };
