import { add, matmul } from "../graph/builders.ts";
import { scope, type Node } from "../graph/node.ts";
import { UnnoiseError } from "../math/error.ts";
import type { Parameter, Weights } from "./parameters.ts";

/** Weight [inputs, outputs] and bias of a linear layer, uniform in ±1/√inputs as in PyTorch's `nn.Linear`. */
export function linearParameters(name: string, inputs: number, outputs: number): Parameter[] {
  const bound = 1 / Math.sqrt(inputs);
  return [
    { name: `${name}.weight`, shape: [inputs, outputs], bound },
    { name: `${name}.bias`, shape: [outputs], bound },
  ];
}

/** x·W + b for x [B, inputs]. */
export function linear(name: string, x: Node, weights: Weights): Node {
  return scope(name, () => add(matmul(x, weightOf(weights, `${name}.weight`)), weightOf(weights, `${name}.bias`)));
}

/** The weight of a name. Throws UnnoiseError `graph` when the network has none. */
export function weightOf(weights: Weights, name: string): Node {
  const weight = weights[name];
  if (!weight)
    throw new UnnoiseError(
      "graph",
      `${name}: the network has no such weight; it has ${Object.keys(weights).join(", ")}`,
    );
  return weight;
}
