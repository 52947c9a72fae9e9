import { UnnoiseError } from "../../math/error.ts";
import type { Operator, Operators } from "../operator.ts";

/** A value fed at every run. */
const input: Operator<"input"> = {
  infer: (_, { type }) => type,
  evaluate: (_, { name }) => {
    throw new UnnoiseError("graph", `input ${name} has no value of its own; feed it`);
  },
  derivative: null,
  lower: (_emit, _inputs, node) => node.attributes.name,
};

/** A value known when the graph is built. */
const constant: Operator<"constant"> = {
  infer: (_, { type }) => type,
  evaluate: (_, { data }) => data,
  derivative: null,
  lower: (emit, _inputs, node) => emit.constant(node.dtype, node.shape, node.attributes.data),
};

export const leafOperators: Operators<"input" | "constant"> = { input, constant };
