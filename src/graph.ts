/** Differentiable graphs: build them, differentiate, evaluate exactly, compile and run, write as ONNX. */
export * from "./graph/builders.ts";
export { evaluate } from "./graph/evaluate.ts";
export { grad, type GradOptions } from "./graph/grad.ts";
export { GraphError, scope, type GraphDType, type Node } from "./graph/node.ts";
export { toOnnx } from "./onnx/emit-model.ts";
export { compile, Executable, type CompileOptions, type Feeds } from "./runtime/executable.ts";
