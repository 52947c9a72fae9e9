import { broadcastTo } from "../builders.ts";
import { isOp, type Node } from "../node.ts";
import { rewrite } from "../traverse.ts";

/** Whether `node` is a constant that holds `value` everywhere. */
function isEverywhere(node: Node | undefined, value: number): boolean {
  return node !== undefined && isOp(node, "constant") && node.attributes.data.every((element) => element === value);
}

/** What x + 0, 0 + x, x − 0, x·1, 1·x, x/1, −(−x), detach(x) and checkpoint(x) are without their operator. */
function simpler(node: Node): Node | undefined {
  const [a, b] = node.inputs;
  const neutral = node.op === "add" || node.op === "sub" ? 0 : 1;
  switch (node.op) {
    case "detach":
    case "checkpoint":
      return a;
    case "neg":
      return a?.op === "neg" ? a.inputs[0] : undefined;
    case "add":
    case "mul":
      if (isEverywhere(a, neutral)) return b;
      return isEverywhere(b, neutral) ? a : undefined;
    case "sub":
    case "div":
      return isEverywhere(b, neutral) ? a : undefined;
    default:
      return undefined;
  }
}

/** Removes arithmetic that changes nothing; what remains keeps its shape by a broadcast where one is needed. */
export function simplify(outputs: readonly Node[]): Node[] {
  return rewrite(outputs, (node) => {
    const plain = simpler(node);
    return plain ? broadcastTo(plain, node.shape) : node;
  });
}
