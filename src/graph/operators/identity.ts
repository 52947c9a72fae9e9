import { at, invariant } from "../../math/error.ts";
import type { GraphDType, ValueType } from "../node.ts";
import { Mismatch, type Emitter, type HostValue, type Operator, type Operators } from "../operator.ts";

function requireFloat(value: ValueType | undefined): ValueType {
  invariant(value, "an identity needs an input");
  const expected: GraphDType = "float32";
  if (value.dtype !== expected) throw new Mismatch(`expected ${expected}, got ${value.dtype}`);
  return value;
}

const itself = ([x]: readonly HostValue[]): Float64Array => (x as HostValue).data;

/** A value that no gradient crosses. It is gone in ONNX. */
const detach: Operator<"detach"> = {
  infer: ([x]) => requireFloat(x),
  evaluate: itself,
  derivative: null,
  lower: (_emit, inputs) => at(inputs, 0),
};

/** A border between segments that `grad` can compute again. It is gone in ONNX. */
const checkpoint: Operator<"checkpoint"> = {
  infer: ([x]) => requireFloat(x),
  evaluate: itself,
  derivative: (dy) => [dy],
  lower: (_emit, inputs) => at(inputs, 0),
};

/** Gates behind the same values share the number that they add. */
const GATES = {};

/**
 * The first input, available only after the others: what is computed from it cannot run earlier, nor be merged with what is
 * computed from the first input itself. In ONNX it adds −0, which leaves every float32 as it is, made from one element of each of the
 * others: (a > 0) is 0 or 1, and either times −0 is −0.
 */
const gate: Operator<"gate"> = {
  infer: (inputs) => {
    if (inputs.length < 2) throw new Mismatch("a value and at least one other to wait for are needed");
    inputs.slice(1).forEach(requireFloat);
    return requireFloat(inputs[0]);
  },
  evaluate: itself,
  derivative: (dy) => [dy],
  lower: (emit, [value, ...others]) => {
    const zero = emit.once(GATES, others.join(), () => [lowerZero(emit, others)]);
    return emit.node("Add", [value ?? "", ...zero]);
  },
};

/** −0, a scalar, known only after `values`. */
function lowerZero(emit: Emitter, values: readonly string[]): string {
  const [start, end] = [emit.ints([0]), emit.ints([1])];
  const elements = values.map((value) =>
    emit.node("Slice", [emit.node("Reshape", [value, emit.ints([-1])]), start, end]),
  );
  const all = elements.length === 1 ? at(elements, 0) : emit.node("Concat", elements, { axis: { int: 0 } });
  const one = emit.node("ReduceMax", [all, start], { keepdims: { int: 0 } });
  const positive = emit.node("Cast", [emit.node("Greater", [one, emit.float(0)])], { to: { dtype: "float32" } });
  return emit.node("Mul", [positive, emit.float(-0)]);
}

export const identityOperators: Operators<"detach" | "checkpoint" | "gate"> = { detach, checkpoint, gate };
