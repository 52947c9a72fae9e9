import { create } from "@bufbuild/protobuf";
import { NodeProtoSchema, type NodeProto } from "onnx-buf";

/**
 * Nodes as they are written: values under the names of the outputs that they are, a reshaped reshape as one, nothing that no output
 * needs. ONNX Runtime would join the reshapes itself, but puts what it joins last, and so first into its order of execution.
 * @param nodes each after those that it takes values from
 * @param outputs names of the results
 * @param names values that are outputs, with their names
 */
export function tidied(
  nodes: readonly NodeProto[],
  outputs: readonly string[],
  names: ReadonlyMap<string, string>,
): NodeProto[] {
  const sources = new Map<string, string>();
  const renamed = nodes.map((node) => {
    const named = (value: string): string => names.get(value) ?? value;
    const input = node.input.map(named);
    const output = node.output.map(named);
    const [source = "", ...shape] = input;
    if (node.opType !== "Reshape") return create(NodeProtoSchema, { ...node, input, output });
    const origin = sources.get(source) ?? source;
    for (const name of output) sources.set(name, origin);
    return create(NodeProtoSchema, { ...node, input: [origin, ...shape], output });
  });
  const needed = new Set(outputs);
  const kept = renamed.reverse().filter(({ input, output }) => {
    if (!output.some((name) => needed.has(name))) return false;
    for (const name of input) needed.add(name);
    return true;
  });
  return kept.reverse();
}
