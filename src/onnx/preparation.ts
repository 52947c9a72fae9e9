import type { NodeProto, TensorProto } from "onnx-buf";

/** Initializers of more bytes are fed to the preparation instead of being written into a model. */
const LARGEST_WRITTEN = 4096;

/** The parts of one model that is run as two: what prepares kernels from constants, once, and the rest. */
export interface Preparation {
  readonly nodes: readonly NodeProto[];
  readonly initializers: readonly TensorProto[];
  /** Initializers that are inputs of the preparation. */
  readonly fed: readonly TensorProto[];
  /** Results of the preparation, which the rest takes as inputs. */
  readonly kernels: readonly string[];
}

export interface Separated {
  readonly preparation: Preparation;
  readonly nodes: readonly NodeProto[];
  readonly initializers: readonly TensorProto[];
}

/**
 * Parts that prepare the kernels of blocked convolutions from constants, and the rest. ONNX Runtime would fold them itself when it
 * loads the model, but keeps every step between as a constant until it is done.
 * @returns undefined where there are no such kernels
 */
export function separatePreparation(
  nodes: readonly NodeProto[],
  initializers: readonly TensorProto[],
): Separated | undefined {
  const producers = constantProducers(nodes, initializers);
  const kernels = new Set(
    nodes.flatMap(({ domain, input: [, kernel = ""] }) =>
      domain === "com.microsoft.nchwc" && producers.has(kernel) ? [kernel] : [],
    ),
  );
  if (kernels.size === 0) return undefined;
  const preparing = ancestors([...kernels], (name) => producers.get(name));
  const rest = nodes.filter((node) => !preparing.has(node));
  const everyProducer = new Map(nodes.flatMap((node) => node.output.map((name) => [name, node] as const)));
  const needed = ancestors(
    rest.flatMap(({ input }) => input),
    (name) => (kernels.has(name) ? undefined : everyProducer.get(name)),
  );
  const kept = nodes.filter((node) => needed.has(node) || !preparing.has(node));
  const prepared = nodes.filter((node) => preparing.has(node));
  const used = usedBy(prepared, initializers);
  const isFed = ({ rawData, dataType }: TensorProto): boolean => dataType === 1 && rawData.length > LARGEST_WRITTEN;
  return {
    preparation: {
      nodes: prepared,
      initializers: used.filter((tensor) => !isFed(tensor)),
      fed: used.filter(isFed),
      kernels: [...kernels],
    },
    nodes: kept,
    initializers: usedBy(kept, initializers),
  };
}

/** The node behind every value that is computed of constants alone. */
function constantProducers(nodes: readonly NodeProto[], initializers: readonly TensorProto[]): Map<string, NodeProto> {
  const known = new Set(initializers.map(({ name }) => name));
  const producers = new Map<string, NodeProto>();
  for (const node of nodes) {
    if (!node.input.every((name) => known.has(name))) continue;
    for (const name of node.output) {
      known.add(name);
      producers.set(name, node);
    }
  }
  return producers;
}

function ancestors(names: readonly string[], producerOf: (name: string) => NodeProto | undefined): Set<NodeProto> {
  const found = new Set<NodeProto>();
  const open = [...names];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const producer = producerOf(name);
    if (!producer || found.has(producer)) continue;
    found.add(producer);
    open.push(...producer.input);
  }
  return found;
}

/** The initializers that nodes take. */
export function usedBy(nodes: readonly NodeProto[], initializers: readonly TensorProto[]): TensorProto[] {
  const names = new Set(nodes.flatMap(({ input }) => input));
  return initializers.filter(({ name }) => names.has(name));
}
