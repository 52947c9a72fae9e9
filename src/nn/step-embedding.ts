import { add, silu } from "../graph/builders.ts";
import type { Node } from "../graph/node.ts";
import { UnnoiseError } from "../math/error.ts";
import { dense, parametersOf, type Layer, type Pass, type Start } from "./layer.ts";

/** A step's features through two linear layers: W₂·SiLU(W₁·x + b₁) + b₂. */
export function featureEmbedding(
  [first, second]: readonly [string, string],
  inputs: number,
  outputs: number,
  start: Start = "pytorch",
): Layer {
  const [one, two] = [dense(first, inputs, outputs, start), dense(second, outputs, outputs, start)];
  return {
    parameters: parametersOf([one, two]),
    apply: (x, pass) => two.apply(silu(one.apply(x, pass)), pass),
  };
}

/**
 * The embedding of a step [1 or B, E] plus that of its class, where the network takes classes.
 * @throws UnnoiseError `graph` when labels are missing, or given where none are taken
 */
export function withClass(
  network: string,
  ofStep: Node,
  classes: Layer | undefined,
  labels: Node | undefined,
  pass: Pass,
): Node {
  if (classes && labels) return add(ofStep, classes.apply(labels, pass));
  if (classes)
    throw new UnnoiseError("graph", `${network}: expected class labels, as it has class embeddings; got none`);
  if (labels)
    throw new UnnoiseError(
      "graph",
      `${network}: got class labels, but it has no class embeddings; set num_class_embeds`,
    );
  return ofStep;
}
