import { contentKey } from "../content-key.ts";
import { isOp, type Node } from "../node.ts";
import { rewrite } from "../traverse.ts";

/** Merges nodes that apply the same operator with the same attributes to the same inputs. */
export function mergeCommonSubexpressions(outputs: readonly Node[]): Node[] {
  const ids = new Map<Node, number>();
  const known = new Map<string, Node>();
  return rewrite(outputs, (node) => {
    const key = keyOf(node, ids);
    const twin = known.get(key);
    if (twin) return twin;
    known.set(key, node);
    ids.set(node, ids.size);
    return node;
  });
}

function keyOf(node: Node, ids: ReadonlyMap<Node, number>): string {
  const inputs = node.inputs.map((input) => ids.get(input)).join();
  if (isOp(node, "constant")) return `constant ${node.dtype} ${node.shape.join()}: ${contentKey(node.attributes.data)}`;
  return `${node.op} ${inputs} ${JSON.stringify(node.attributes)}`;
}
