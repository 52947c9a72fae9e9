import { at, invariant } from "../../math/error.ts";
import { sameShape, shapeText, sizeOf } from "../../tensor/tensor.ts";
import { Mismatch, requireExtents, type HostValue, type Operator, type Operators } from "../operator.ts";
import { eachProduct, requireImage, resultShape } from "./conv-geometry.ts";
import { lowerConv, lowerInputGrad, lowerWeightGrad } from "./conv-lowering.ts";

/*
 * ⟨x ⊛ w, y⟩ is linear in each of image x, kernel w and result y. The three operators are its derivatives with respect to y, x and
 * w, so the derivative of each is made of the other two.
 */

/** y = x ⊛ w (+ bias): a kernel moved over an image. */
const conv: Operator<"conv"> = {
  infer: ([image, kernel, bias], attributes) => {
    invariant(image && kernel, "conv needs an image and a kernel");
    const shape = resultShape(requireImage(image, "the image"), requireImage(kernel, "the kernel"), attributes);
    if (bias && (bias.dtype !== "float32" || !sameShape(bias.shape, [at(shape, 1)])))
      throw new Mismatch(`expected a float32 bias [${at(shape, 1)}], got ${bias.dtype} ${shapeText(bias.shape)}`);
    return { dtype: "float32", shape };
  },
  evaluate: ([x, w, bias], attributes, { shape }) => {
    invariant(x && w, "conv needs an image and a kernel");
    const plane = at(shape, 2) * at(shape, 3);
    const out = new Float64Array(sizeOf(shape));
    if (bias) out.forEach((_, i) => (out[i] = bias.data[Math.floor(i / plane) % at(shape, 1)] ?? 0));
    eachProduct({ x: x.shape, w: w.shape, y: shape }, attributes, (a, b, r) => {
      out[r] = (out[r] ?? 0) + (x.data[a] ?? 0) * (w.data[b] ?? 0);
    });
    return out;
  },
  derivative: (dy, node, build) => {
    const [x, w] = [at(node.inputs, 0), at(node.inputs, 1)];
    return [
      build.convInputGrad(dy, w, { ...node.attributes, size: x.shape.slice(2) }),
      build.convWeightGrad(x, dy, { ...node.attributes, kernel: w.shape.slice(2) }),
      build.sum(dy, { axes: [0, 2, 3] }),
    ];
  },
  lower: lowerConv,
};

/** dx: every element of dy times its kernel, added up where the kernel lay. */
const convInputGrad: Operator<"convInputGrad"> = {
  infer: ([gradient, kernel], attributes) => {
    invariant(gradient && kernel, "convInputGrad needs a gradient and a kernel");
    const [dy, w] = [requireImage(gradient, "the gradient"), requireImage(kernel, "the kernel")];
    requireExtents(attributes.size);
    const shape = [at(dy, 0), at(w, 1) * attributes.groups, ...attributes.size];
    const expected = resultShape(shape, w, attributes);
    if (!sameShape(expected, dy)) throw new Mismatch(`expected a gradient ${shapeText(expected)}`);
    return { dtype: "float32", shape };
  },
  evaluate: ([dy, w], attributes, { shape }) => {
    invariant(dy && w, "convInputGrad needs a gradient and a kernel");
    const out = new Float64Array(sizeOf(shape));
    eachProduct({ x: shape, w: w.shape, y: dy.shape }, attributes, (a, b, r) => {
      out[a] = (out[a] ?? 0) + (dy.data[r] ?? 0) * (w.data[b] ?? 0);
    });
    return out;
  },
  derivative: (dx, node, build) => {
    const [dy, w] = [at(node.inputs, 0), at(node.inputs, 1)];
    const { stride, padding, groups } = node.attributes;
    return [
      build.conv2d(dx, w, undefined, { stride, padding, groups }),
      build.convWeightGrad(dx, dy, { stride, padding, groups, kernel: w.shape.slice(2) }),
    ];
  },
  lower: lowerInputGrad,
};

/** dw: every element of dy times the window of x under its kernel, added up. */
const convWeightGrad: Operator<"convWeightGrad"> = {
  infer: ([image, gradient], attributes) => {
    invariant(image && gradient, "convWeightGrad needs an image and a gradient");
    const [x, dy] = [requireImage(image, "the image"), requireImage(gradient, "the gradient")];
    const { kernel, groups } = attributes;
    requireExtents(kernel);
    const shape = [at(dy, 1), Math.floor(at(x, 1) / groups), ...kernel];
    const expected = resultShape(x, shape, attributes);
    if (!sameShape(expected, dy)) throw new Mismatch(`expected a gradient ${shapeText(expected)}`);
    return { dtype: "float32", shape };
  },
  evaluate: ([x, dy], attributes, { shape }) => {
    const [image, gradient] = [x, dy] as [HostValue, HostValue];
    const out = new Float64Array(sizeOf(shape));
    eachProduct({ x: image.shape, w: shape, y: gradient.shape }, attributes, (a, b, r) => {
      out[b] = (out[b] ?? 0) + (image.data[a] ?? 0) * (gradient.data[r] ?? 0);
    });
    return out;
  },
  derivative: (dw, node, build) => {
    const [x, dy] = [at(node.inputs, 0), at(node.inputs, 1)];
    const { stride, padding, groups } = node.attributes;
    return [
      build.convInputGrad(dy, dw, { stride, padding, groups, size: x.shape.slice(2) }),
      build.conv2d(x, dw, undefined, { stride, padding, groups }),
    ];
  },
  lower: lowerWeightGrad,
};

export const convOperators: Operators<"conv" | "convInputGrad" | "convWeightGrad"> = {
  conv,
  convInputGrad,
  convWeightGrad,
};
