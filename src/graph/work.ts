import { at } from "../math/error.ts";
import { sizeOf } from "../tensor/tensor.ts";
import type { Node } from "./node.ts";
import { productsOf } from "./operators/conv-geometry.ts";
import { topologicalOrder } from "./traverse.ts";

/** Floating-point operations of one run, counted: 2 for each product of matrix products and convolutions (`scatterAdd` runs as one matrix product), one for each element of anything else. */
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
    case "conv":
      return 2 * productsOf({ w: at(node.inputs, 1).shape, y: node.shape });
    case "convInputGrad":
      return 2 * productsOf({ w: at(node.inputs, 1).shape, y: at(node.inputs, 0).shape });
    case "convWeightGrad":
      return 2 * productsOf({ w: node.shape, y: at(node.inputs, 1).shape });
    case "input":
    case "constant":
    case "detach":
    case "checkpoint":
    case "reshape":
      return 0;
    case "sum":
    case "reduceMax":
    case "averagePool":
      return sizeOf(at(node.inputs, 0).shape);
    default:
      return size;
  }
}
