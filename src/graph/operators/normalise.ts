import { at, invariant } from "../../math/error.ts";
import { sizeOf, type Shape } from "../../tensor/tensor.ts";
import type { Node } from "../node.ts";
import { Mismatch, requireAxis, type Emitter, type Operator, type Operators } from "../operator.ts";

/** Both parts of one normalisation come from one ONNX node. */
const PARTS = {};

/** `shape` with extent 1 from `firstAxis` on: one value for each row that is normalised. */
const statisticsShape = (shape: Shape, firstAxis: number): number[] =>
  shape.map((extent, axis) => (axis < firstAxis ? extent : 1));

interface Moments {
  readonly mean: number;
  readonly inverseDeviation: number;
}

function momentsOf(row: Float64Array, epsilon: number): Moments {
  const mean = row.reduce((sum, x) => sum + x, 0) / row.length;
  const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / row.length;
  return { mean, inverseDeviation: 1 / Math.sqrt(variance + epsilon) };
}

/** (x − mean)/√(variance + ε) over the axes from `firstAxis` on (Ba et al. 2016, arXiv 1607.06450), or 1/√(variance + ε) alone. */
const normalise: Operator<"normalise"> = {
  infer: ([x], { firstAxis, epsilon, part }) => {
    invariant(x, "normalise needs an input");
    if (x.dtype !== "float32") throw new Mismatch(`expected float32, got ${x.dtype}`);
    requireAxis(firstAxis, x.shape.length);
    if (!(epsilon >= 0 && epsilon < Infinity)) throw new Mismatch(`epsilon ${epsilon}: expected a number ≥ 0`);
    return { dtype: x.dtype, shape: part === "value" ? x.shape : statisticsShape(x.shape, firstAxis) };
  },
  evaluate: ([x], { firstAxis, epsilon, part }) => {
    invariant(x, "normalise needs an input");
    const length = sizeOf(x.shape.slice(firstAxis));
    const rows = Array.from({ length: x.data.length / length }, (_, i) =>
      x.data.subarray(i * length, (i + 1) * length),
    );
    const moments = rows.map((row) => momentsOf(row, epsilon));
    if (part === "inverseDeviation") return Float64Array.from(moments, ({ inverseDeviation }) => inverseDeviation);
    return x.data.map((value, i) => {
      const { mean, inverseDeviation } = at(moments, Math.floor(i / length));
      return (value - mean) * inverseDeviation;
    });
  },
  // With s = 1/√(variance + ε), y = (x − mean)·s and means over the row: dx = s·(dy − mean(dy) − y·mean(dy·y)); ds/dx = −s²·y/n.
  derivative: (dy, node, build) => {
    const x = at(node.inputs, 0);
    const { firstAxis, epsilon, part } = node.attributes;
    const axes = x.shape.map((_, axis) => axis).slice(firstAxis);
    const meanOf = (value: typeof dy): typeof dy => build.mean(value, { axes, keepDims: true });
    if (part === "inverseDeviation") {
      const y = build.normalise(x, firstAxis, epsilon);
      const scale = build.mul(build.mul(node, node), -1 / sizeOf(x.shape.slice(firstAxis)));
      return [build.mul(y, build.mul(dy, scale))];
    }
    const centred = build.sub(build.sub(dy, meanOf(dy)), build.mul(node, meanOf(build.mul(dy, node))));
    return [build.mul(centred, build.inverseDeviation(x, firstAxis, epsilon))];
  },
  lower: (emit, inputs, node) => {
    const outputs = emit.once(PARTS, `${at(inputs, 0)}/${node.attributes.firstAxis}/${node.attributes.epsilon}`, () =>
      lowerParts(emit, at(inputs, 0), node),
    );
    return at(outputs, node.attributes.part === "value" ? 0 : 2);
  },
};

/**
 * LayerNormalization with a scale of 1: value, mean and inverse deviation. WebGPU's takes the variance as the mean of squares less
 * the square of the mean, which loses it far from zero, so that there the mean is taken away before.
 */
function lowerParts(emit: Emitter, x: string, node: Node<"normalise">): string[] {
  const { firstAxis, epsilon } = node.attributes;
  const row = at(node.inputs, 0).shape.slice(firstAxis);
  const axes = emit.ints(row.map((_, i) => firstAxis + i));
  const centred = emit.target === "cpu" ? x : emit.node("Sub", [x, emit.node("ReduceMean", [x, axes])]);
  const ones = emit.constant("float32", row, new Float64Array(sizeOf(row)).fill(1));
  return emit.nodes("LayerNormalization", [centred, ones], 3, {
    axis: { int: firstAxis },
    epsilon: { float: epsilon },
  });
}

export const normaliseOperators: Operators<"normalise"> = { normalise };
