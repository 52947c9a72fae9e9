import { sameShape } from "../../tensor/tensor.ts";
import { gemm } from "../builders.ts";
import { broadcastShapes } from "../broadcasting.ts";
import { isOp, type Node } from "../node.ts";
import { rewrite, topologicalOrder } from "../traverse.ts";

/** Turns A·B + C into one `gemm` where the product is used nowhere else: the addition then costs no pass of its own. */
export function fuseGemm(outputs: readonly Node[]): Node[] {
  const uses = new Map<Node, number>();
  const count = (node: Node): void => void uses.set(node, (uses.get(node) ?? 0) + 1);
  topologicalOrder(outputs).forEach((node) => node.inputs.forEach(count));
  outputs.forEach(count);
  return rewrite(outputs, (node, original) => {
    if (node.op !== "add") return node;
    for (const [side, other] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const product = original.inputs[side];
      const fused = product && uses.get(product) === 1 && fuse(node.inputs[side], node.inputs[other], node);
      if (fused) return fused;
    }
    return node;
  });
}

function fuse(product: Node | undefined, addend: Node | undefined, sum: Node): Node | undefined {
  if (!product || !addend || !isOp(product, "matmul") || product.shape.length !== 2) return undefined;
  const [a, b] = product.inputs;
  const fits = sameShape(broadcastShapes(product.shape, addend.shape), product.shape);
  if (!a || !b || !fits || a.shape.length !== 2 || b.shape.length !== 2) return undefined;
  return { ...gemm(a, b, addend, product.attributes), path: sum.path };
}
