import { at } from "../math/error.ts";
import { sizeOf } from "../tensor/tensor.ts";
import type { Node } from "./node.ts";
import { topologicalOrder } from "./traverse.ts";

/** Floating-point operations of one run, counted: 2·rows·columns·inner for products (`scatterAdd` runs as one), one for each element of anything else. */
export function countFlops(outputs: readonly Node[]): number {
  return topologicalOrder(outputs).reduce((total, node) => total + flopsOf(node), 0);
}

function flopsOf(node: Node): number {
  const size = sizeOf(node.shape);
  switch (node.op) {
    case "matmul":
    case "gemm": {
      const { shape } = at(node.inputs, 0);
      const { transposeA } = node.attributes as Node<"matmul">["attributes"];
      return 2 * size * at(shape, shape.length - (transposeA ? 2 : 1));
    }
    case "scatterAdd":
      return 2 * size * at(at(node.inputs, 1).shape, 0);
    case "input":
    case "constant":
    case "detach":
    case "reshape":
      return 0;
    case "sum":
    case "reduceMax":
      return sizeOf(at(node.inputs, 0).shape);
    default:
      return size;
  }
}
