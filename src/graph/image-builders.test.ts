import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { at } from "../math/error.ts";
import { sizeOf, type Shape } from "../tensor/tensor.ts";
import {
  add,
  apply,
  attention,
  averagePool,
  constant,
  conv2d,
  convInputGrad,
  convWeightGrad,
  dropout,
  groupNorm,
  input,
  inverseDeviation,
  layerNorm,
  mul,
  normalise,
  sum,
  upsampleNearest,
} from "./builders.ts";
import { evaluate } from "./evaluate.ts";
import { grad } from "./grad.ts";
import { GraphError, type Convolution, type Node } from "./node.ts";
import { countFlops } from "./work.ts";

const image = input("x", [2, 4, 5, 6]);
const kernel = input("w", [6, 4, 3, 3]);
const ids = input("ids", [2], "int32");
const valuesOf = (node: Node, feeds: Record<string, ArrayLike<number>> = {}): number[] => [
  ...at(evaluate([node], feeds), 0).data,
];

/** sin 1, sin 2, … as a constant: no two alike. */
function waves(shape: Shape, phase = 0): Node {
  return constant(
    Float64Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i + 1 + phase)),
    shape,
  );
}

describe("conv2d", () => {
  it("moves the kernel without flipping it, one bias for each kernel", () => {
    const x = constant([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 1, 3, 3]);
    const w = constant([1, 10, 100, 1000], [1, 1, 2, 2]);
    expect(valuesOf(conv2d(x, w, constant([0.5], [1])))).toEqual([5421.5, 6532.5, 8754.5, 9865.5]);
  });

  it("pads top, left, bottom, right in this order", () => {
    expect(conv2d(image, kernel, undefined, { padding: [1, 2, 3, 4] }).shape).toEqual([2, 6, 5 + 4 - 2, 6 + 6 - 2]);
    const one = constant([1], [1, 1, 1, 1]);
    expect(valuesOf(conv2d(one, one, undefined, { padding: [0, 1, 0, 0] }))).toEqual([0, 1]);
    expect(valuesOf(conv2d(one, one, undefined, { padding: [0, 0, 1, 0] }))).toEqual([1, 0]);
  });

  it("halves an image with stride 2, as a U-Net does", () => {
    const half = { stride: 2, padding: [0, 0, 1, 1] } as const;
    expect(conv2d(input("a", [1, 4, 32, 32]), kernel, undefined, half).shape).toEqual([1, 6, 16, 16]);
  });

  it("keeps groups apart", () => {
    const x = constant([3, 5], [1, 2, 1, 1]);
    const w = constant([7, 11], [2, 1, 1, 1]);
    expect(valuesOf(conv2d(x, w, undefined, { groups: 2 }))).toEqual([21, 55]);
  });

  it("has its two gradients as adjoints for every stride, padding and grouping", () => {
    const count = fc.integer({ min: 1, max: 3 });
    const padding = fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2));
    const size = fc.tuple(fc.integer({ min: 3, max: 6 }), fc.integer({ min: 3, max: 6 }));
    const shapes = fc.record({ n: count, ci: count, co: count, groups: count, kh: count, kw: count, size });
    fc.assert(
      fc.property(shapes, count, padding, ({ n, ci, co, groups, kh, kw, size: extents }, stride, around) => {
        const movement: Convolution = { stride, padding: around, groups };
        const x = waves([n, ci * groups, ...extents]);
        const w = waves([co * groups, ci, kh, kw], 0.3);
        const y = apply("conv", [x, w], movement);
        const dy = waves(y.shape, 0.7);
        const dx = convInputGrad(dy, w, { ...movement, size: extents });
        const dw = convWeightGrad(x, dy, { ...movement, kernel: [kh, kw] });
        const [a, b, c] = [mul(y, dy), mul(x, dx), mul(w, dw)].map((node) => at(valuesOf(sum(node)), 0));
        expect(b).toBeCloseTo(a ?? NaN, 9);
        expect(c).toBeCloseTo(a ?? NaN, 9);
      }),
      { numRuns: 200 },
    );
  });
});

describe("normalisation", () => {
  const x = waves([2, 6, 3, 2]);

  it("gives each group mean 0 and variance 1, then scale and shift by channel", () => {
    const plain = groupNorm(x, 3, 0, constant(new Float64Array(6).fill(1), [6]), constant(new Float64Array(6), [6]));
    const values = valuesOf(plain);
    for (let row = 0; row < 6; row++) {
      const group = values.slice(row * 12, (row + 1) * 12);
      expect(group.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 12);
      expect(group.reduce((a, b) => a + b * b, 0) / 12).toBeCloseTo(1, 12);
    }
    const moved = valuesOf(groupNorm(x, 3, 0, waves([6]), waves([6], 1)));
    moved.forEach((value, i) => {
      const channel = Math.floor(i / 6) % 6;
      expect(value).toBeCloseTo(at(values, i) * Math.sin(channel + 1) + Math.sin(channel + 2), 12);
    });
  });

  it("divides by √(variance + ε)", () => {
    const row = constant([1, 3], [1, 2]);
    expect(valuesOf(normalise(row, 1, 3))).toEqual([-0.5, 0.5]);
    expect(valuesOf(inverseDeviation(row, 1, 3))).toEqual([0.5]);
    expect(valuesOf(layerNorm(row, 3))).toEqual([-0.5, 0.5]);
    expect(valuesOf(layerNorm(row, 3, constant([2, 4], [2]), constant([1, 1], [2])))).toEqual([0, 3]);
  });

  it("does not change when its input is shifted and scaled", () => {
    const shifted = valuesOf(normalise(add(mul(x, 3), 5), 1, 0));
    valuesOf(normalise(x, 1, 0)).forEach((value, i) => {
      expect(at(shifted, i)).toBeCloseTo(value, 10);
    });
  });
});

describe("resampling", () => {
  it("repeats pixels, and pools them back", () => {
    const x = constant([1, 2, 3, 4], [1, 1, 2, 2]);
    expect(valuesOf(upsampleNearest(x))).toEqual([1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
    expect(valuesOf(averagePool(upsampleNearest(x)))).toEqual([1, 2, 3, 4]);
    expect(valuesOf(averagePool(x))).toEqual([2.5]);
  });
});

describe("attention", () => {
  it("takes the value of the key that fits by far best", () => {
    const [q, k] = [constant([400, 0], [1, 1, 1, 2]), constant([0, 1, 1, 0], [1, 1, 2, 2])];
    expect(valuesOf(attention(q, k, constant([3, 5, 7, 11], [1, 1, 2, 2])))).toEqual([7, 11]);
  });

  it("divides by the square root of the width of the keys, before the softmax", () => {
    const [q, k] = [constant([2, 0, 0, 0], [1, 1, 1, 4]), constant([1, 0, 0, 0, 0, 0, 0, 0], [1, 1, 2, 4])];
    const [share] = valuesOf(attention(q, k, constant([1, 0], [1, 1, 2, 1])));
    expect(share).toBeCloseTo(Math.E / (Math.E + 1), 12);
  });
});

describe("dropout", () => {
  const x = input("x", [4]);
  const keep = input("keep", [4], "bool");

  it("drops values and scales the others, and their gradients", () => {
    const feeds = { x: [1, 2, 3, 4], keep: [1, 0, 1, 0] };
    const dropped = dropout(x, keep, 0.75);
    expect(valuesOf(dropped, feeds)).toEqual([4, 0, 12, 0]);
    expect(valuesOf(at(grad(sum(dropped), [x]), 0), feeds)).toEqual([4, 0, 4, 0]);
  });
});

describe("an image graph error", () => {
  const movement = { stride: 1, padding: [0, 0, 0, 0], groups: 1 };
  const bias = input("b", [4]);
  it.each<[string, () => unknown, RegExp]>([
    [
      "three axes",
      () => conv2d(input("a", [4, 5, 6]), kernel),
      /^conv: conv of \[4, 5, 6\] and \[6, 4, 3, 3\]: the image needs 4 axes/,
    ],
    ["a kernel of two axes", () => conv2d(image, input("a", [6, 4])), /the kernel needs 4 axes/],
    ["int32", () => conv2d(input("a", [1, 4, 5, 5], "int32"), kernel), /expected float32, got int32/],
    [
      "channels that differ",
      () => conv2d(image, input("w", [6, 3, 3, 3])),
      /4 channels in 1 groups against kernels of 3/,
    ],
    [
      "groups of channels",
      () => conv2d(image, kernel, undefined, { groups: 2 }),
      /4 channels in 2 groups against kernels of 4/,
    ],
    [
      "groups of kernels",
      () => conv2d(image, input("w", [3, 2, 1, 1]), undefined, { groups: 2 }),
      /3 kernels do not divide into 2/,
    ],
    ["stride 0", () => conv2d(image, kernel, undefined, { stride: 0 }), /stride 0 and groups 1: expected integers ≥ 1/],
    ["half a stride", () => conv2d(image, kernel, undefined, { stride: 1.5 }), /stride 1.5/],
    ["no groups", () => conv2d(image, kernel, undefined, { groups: 0 }), /groups 0/],
    ["negative padding", () => conv2d(image, kernel, undefined, { padding: -1 }), /padding \[-1, -1, -1, -1\]/],
    [
      "padding for two sides",
      () => conv2d(image, kernel, undefined, { padding: [1, 1] }),
      /expected \[top, left, bottom, right\]/,
    ],
    ["a kernel too large", () => conv2d(image, input("w", [1, 4, 6, 1])), /kernel \[6, 1\] does not fit/],
    ["a kernel of nothing", () => conv2d(image, input("w", [1, 4, 0, 1])), /kernel \[0, 1\] does not fit/],
    ["a bias of other size", () => conv2d(image, kernel, bias), /expected a float32 bias \[6\], got float32 \[4\]/],
    [
      "a gradient of other size",
      () => convInputGrad(image, kernel, { ...movement, size: [5, 6] }),
      /expected a gradient \[2, 6, 3, 4\]/,
    ],
    ["half a pixel", () => convInputGrad(image, kernel, { ...movement, size: [5.5, 6] }), /extents \[5.5, 6\]/],
    [
      "a weight gradient's",
      () => convWeightGrad(image, image, { ...movement, kernel: [3, 3] }),
      /expected a gradient \[2, 4, 3, 4\]/,
    ],
    ["indices to normalise", () => normalise(ids, 0, 1), /expected float32, got int32/],
    ["an axis that is not there", () => normalise(image, 4, 1), /axis 4 outside 0…3/],
    ["a negative epsilon", () => normalise(image, 1, -1), /epsilon -1: expected a number ≥ 0/],
    ["no epsilon", () => normalise(image, 1, NaN), /epsilon NaN/],
    [
      "groups that do not fit",
      () => groupNorm(image, 3, 1, bias, bias),
      /groupNorm: 4 channels do not divide into 3 groups/,
    ],
    [
      "a scale of other size",
      () => groupNorm(image, 2, 1, input("s", [3]), bias),
      /3 elements do not fill \[4, 1, 1\]/,
    ],
    ["half an upsampling", () => upsampleNearest(image, 1.5), /factor 1.5: expected an integer ≥ 1/],
    ["squares that do not fit", () => averagePool(image, 2), /an image of \[5, 6\] does not divide into squares of 2/],
    ["squares of nothing", () => averagePool(image, 0), /factor 0/],
    [
      "heads of unequal width",
      () => attention(image, input("k", [2, 4, 5, 3]), image),
      /inner extents differ: 6 against 3/,
    ],
    ["a mask that is no bool", () => dropout(image, image, 0.5), /expected bool, got float32/],
    [
      "a mask of other shape",
      () => dropout(image, input("m", [6], "bool"), 0.5),
      /dropout: expected a mask \[2, 4, 5, 6\], got \[6\]/,
    ],
    [
      "everything dropped",
      () => dropout(image, input("m", image.shape, "bool"), 1),
      /dropout: rate 1 outside \[0, 1\)/,
    ],
  ])("is thrown for %s", (_, build, message) => {
    expect(build).toThrow(GraphError);
    expect(build).toThrow(message);
  });
});

describe("countFlops of convolutions", () => {
  it("counts 2 for every product of the forward pass and of both gradients", () => {
    const options = { stride: 2, padding: [1, 1, 1, 1], groups: 2 };
    const w = input("g", [6, 2, 3, 3]);
    const y = conv2d(image, w, undefined, options);
    expect(y.shape).toEqual([2, 6, 3, 3]);
    const products = 2 * (2 * 6 * 3 * 3) * (2 * 3 * 3);
    expect(countFlops([y])).toBe(products);
    const dy = input("dy", y.shape);
    expect(countFlops([convInputGrad(dy, w, { ...options, size: [5, 6] })])).toBe(products);
    expect(countFlops([convWeightGrad(image, dy, { ...options, kernel: [3, 3] })])).toBe(products);
  });

  it("counts the pixels that pooling reads and upsampling writes", () => {
    expect(countFlops([averagePool(input("a", [1, 1, 4, 4]))])).toBe(16);
    expect(countFlops([upsampleNearest(input("a", [1, 1, 2, 2]))])).toBe(16);
  });
});
