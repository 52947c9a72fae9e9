import type { OpName } from "./node.ts";
import type { Operators } from "./operator.ts";
import { convOperators } from "./operators/conv.ts";
import { elementwiseOperators } from "./operators/elementwise.ts";
import { gatherOperators } from "./operators/gather.ts";
import { identityOperators } from "./operators/identity.ts";
import { leafOperators } from "./operators/leaf.ts";
import { matmulOperators } from "./operators/matmul.ts";
import { normaliseOperators } from "./operators/normalise.ts";
import { reduceOperators } from "./operators/reduce.ts";
import { resampleOperators } from "./operators/resample.ts";
import { shapeOperators } from "./operators/shape.ts";

/** Every operator: shape rule, float64 reference, derivative and ONNX lowering. Complete by type. */
export const operators: Operators<OpName> = {
  ...leafOperators,
  ...elementwiseOperators,
  ...identityOperators,
  ...matmulOperators,
  ...reduceOperators,
  ...gatherOperators,
  ...shapeOperators,
  ...convOperators,
  ...normaliseOperators,
  ...resampleOperators,
};
