import { scope, type Node } from "../graph/node.ts";
import { concat, reshape, split } from "../graph/builders.ts";
import { at } from "../math/error.ts";
import type { Random } from "../math/random.ts";
import { sizeOf, type Shape } from "../tensor/tensor.ts";

/** How a weight starts: uniform in start ± bound, or with a deviation normal about start. */
export interface Parameter {
  readonly name: string;
  readonly shape: Shape;
  readonly bound: number;
  /** 0 if absent. */
  readonly start?: number;
  /** Standard deviation of a normal start, which then stands for the bound. */
  readonly deviation?: number;
}

/** The weights of a network by name, as graph nodes. */
export type Weights = Readonly<Record<string, Node>>;

/** Total number of weights. */
export function parameterCount(parameters: readonly Parameter[]): number {
  return parameters.reduce((total, { shape }) => total + sizeOf(shape), 0);
}

/** Cuts one flat vector [P] into named weights: training state is one vector, so that an optimiser is a dozen operators. */
export function unflatten(flat: Node, parameters: readonly Parameter[]): Weights {
  return scope("parameters", () => {
    const parts = split(
      flat,
      0,
      parameters.map(({ shape }) => sizeOf(shape)),
    );
    return Object.fromEntries(parameters.map(({ name, shape }, i) => [name, reshape(at(parts, i), shape)]));
  });
}

/** Joins nodes of any shape into one flat vector: the inverse of `unflatten`. */
export function flatten(nodes: readonly Node[]): Node {
  return concat(
    nodes.map((node) => reshape(node, [sizeOf(node.shape)])),
    0,
  );
}

/** Draws starting weights [P], each parameter addressed by its position in the list. */
export function initialise(parameters: readonly Parameter[], random: Random): Float32Array {
  const flat = new Float32Array(parameterCount(parameters));
  let offset = 0;
  parameters.forEach(({ shape, bound, start = 0, deviation }, index) => {
    const part = flat.subarray(offset, offset + sizeOf(shape));
    offset += part.length;
    if (deviation !== undefined) {
      random.normals(part, part.length, 0, index);
      part.forEach((z, i) => (part[i] = start + z * deviation));
    } else if (bound === 0) {
      part.fill(start);
    } else {
      random.uniforms(part, part.length, 0, index);
      part.forEach((u, i) => (part[i] = start + (2 * u - 1) * bound));
    }
  });
  return flat;
}
