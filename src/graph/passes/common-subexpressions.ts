import { contentKey } from "../content-key.ts";
import { isOp, type Node } from "../node.ts";
import { rewrite } from "../traverse.ts";

/** Merges nodes that apply the same operator with the same attributes to the same inputs. */
export function mergeCommonSubexpressions(outputs: readonly Node[]): Node[] {
  const ids = new Map<Node, number>();
  const known = new Map<string, Node>();
  return rewrite(outputs, (node) => {
    ids.set(node, ids.size);
    const key = keyOf(node, ids);
    const twin = key === undefined ? undefined : known.get(key);
    if (twin) return twin;
    if (key !== undefined) known.set(key, node);
    return node;
  });
}

/** What is equal for equal values; nothing for a constant too large to compare. */
function keyOf(node: Node, ids: ReadonlyMap<Node, number>): string | undefined {
  if (isOp(node, "constant")) {
    const content = contentKey(node.attributes.data);
    return content === undefined ? undefined : `constant ${node.dtype} ${node.shape.join()}: ${content}`;
  }
  const inputs = node.inputs.map((input) => ids.get(input)).join();
  return `${node.op} ${inputs} ${JSON.stringify(node.attributes)}`;
}
