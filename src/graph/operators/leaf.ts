import { UnnoiseError } from "../../math/error.ts";
import { Mismatch, requireExtents, type Operator, type Operators } from "../operator.ts";

/** A value fed at every run. */
const input: Operator<"input"> = {
  infer: (_, { name, type }) => {
    if (name === "") throw new Mismatch("the name is empty");
    requireExtents(type.shape);
    return type;
  },
  evaluate: (_, { name }) => {
    throw new UnnoiseError("graph", `input ${name} has no value of its own; feed it`);
  },
  derivative: null,
  lower: (_emit, _inputs, node) => node.attributes.name,
};

/** A value known when the graph is built. */
const constant: Operator<"constant"> = {
  infer: (_, { type }) => {
    requireExtents(type.shape);
    return type;
  },
  evaluate: (_, { data }) => data,
  derivative: null,
  lower: (emit, _inputs, node) => emit.constant(node.dtype, node.shape, node.attributes.data),
};

export const leafOperators: Operators<"input" | "constant"> = { input, constant };
