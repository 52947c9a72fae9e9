import { at, invariant } from "../../math/error.ts";
import { shapeText, sizeOf, type Shape } from "../../tensor/tensor.ts";
import { Mismatch, areCounts, type Operator, type Operators } from "../operator.ts";
import { requireImage } from "./conv-geometry.ts";

function requireFactor(factor: number): void {
  if (!areCounts([factor]) || factor < 1) throw new Mismatch(`factor ${factor}: expected an integer ≥ 1`);
}

/** Calls `visit` for each pixel of images `fine`, with the offset of the pixel that covers it in images `factor` times smaller. */
function eachPixel(fine: Shape, factor: number, visit: (fine: number, coarse: number) => void): void {
  const [height, width] = [at(fine, 2), at(fine, 3)];
  const [rows, columns] = [height / factor, width / factor];
  for (let offset = 0; offset < sizeOf(fine); offset++) {
    const line = Math.floor(offset / width);
    const [plane, row] = [Math.floor(line / height), line % height];
    visit(offset, (plane * rows + Math.floor(row / factor)) * columns + Math.floor((offset % width) / factor));
  }
}

/** Every pixel repeated `factor` times along height and width. */
const upsample: Operator<"upsample"> = {
  infer: ([x], { factor }) => {
    invariant(x, "upsample needs an input");
    const shape = requireImage(x, "the image");
    requireFactor(factor);
    return { dtype: x.dtype, shape: shape.map((extent, axis) => (axis < 2 ? extent : extent * factor)) };
  },
  evaluate: ([x], { factor }, { shape }) => {
    invariant(x, "upsample needs an input");
    const out = new Float64Array(sizeOf(shape));
    eachPixel(shape, factor, (fine, coarse) => {
      out[fine] = x.data[coarse] ?? 0;
    });
    return out;
  },
  derivative: (dy, node, build) => {
    const { factor } = node.attributes;
    return [build.mul(build.averagePool(dy, factor), factor * factor)];
  },
  lower: (emit, inputs, node) => {
    const { factor } = node.attributes;
    const scales = emit.constant("float32", [4], Float64Array.of(1, 1, factor, factor));
    return emit.node("Resize", [at(inputs, 0), "", scales], {
      mode: { string: "nearest" },
      nearest_mode: { string: "floor" },
      coordinate_transformation_mode: { string: "asymmetric" },
    });
  },
};

/** The mean of every square of `size` × `size` pixels. */
const averagePool: Operator<"averagePool"> = {
  infer: ([x], { size }) => {
    invariant(x, "averagePool needs an input");
    const shape = requireImage(x, "the image");
    requireFactor(size);
    if (shape.slice(2).some((extent) => extent % size !== 0))
      throw new Mismatch(`an image of ${shapeText(shape.slice(2))} does not divide into squares of ${size}`);
    return { dtype: x.dtype, shape: shape.map((extent, axis) => (axis < 2 ? extent : extent / size)) };
  },
  evaluate: ([x], { size }, { shape }) => {
    invariant(x, "averagePool needs an input");
    const out = new Float64Array(sizeOf(shape));
    eachPixel(x.shape, size, (fine, coarse) => {
      out[coarse] = (out[coarse] ?? 0) + (x.data[fine] ?? 0) / (size * size);
    });
    return out;
  },
  derivative: (dy, node, build) => {
    const { size } = node.attributes;
    return [build.mul(build.upsampleNearest(dy, size), 1 / (size * size))];
  },
  lower: (emit, inputs, node) => {
    const square = { ints: [node.attributes.size, node.attributes.size] };
    return emit.node("AveragePool", inputs, { kernel_shape: square, strides: square });
  },
};

export const resampleOperators: Operators<"upsample" | "averagePool"> = { upsample, averagePool };
