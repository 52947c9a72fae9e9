import { at } from "../../math/error.ts";
import { shapeText, sizeOf, type Shape } from "../../tensor/tensor.ts";
import type { Convolution, ValueType } from "../node.ts";
import { Mismatch, areCounts } from "../operator.ts";

/** The three arrays that a convolution ties together: y = x ⊛ w, with x and y as images [N, C, H, W] and w [Co, Ci/groups, kh, kw]. */
export interface ConvShapes {
  readonly x: Shape;
  readonly w: Shape;
  readonly y: Shape;
}

/** Refuses a value that is not float32 with four axes. */
export function requireImage(value: ValueType, name: string): Shape {
  if (value.dtype !== "float32") throw new Mismatch(`expected float32, got ${value.dtype}`);
  if (value.shape.length !== 4) throw new Mismatch(`${name} needs 4 axes, got ${shapeText(value.shape)}`);
  return value.shape;
}

function requireConvolution({ stride, padding, groups }: Convolution): void {
  if (!areCounts([stride, groups]) || stride < 1 || groups < 1)
    throw new Mismatch(`stride ${stride} and groups ${groups}: expected integers ≥ 1`);
  if (!areCounts(padding) || padding.length !== 4)
    throw new Mismatch(`padding ${shapeText(padding)}: expected [top, left, bottom, right], integers ≥ 0`);
}

/** Extents of the result along height and width. */
function resultSize(size: readonly number[], kernel: readonly number[], { stride, padding }: Convolution): number[] {
  return size.map((extent, axis) => {
    const padded = extent + at(padding, axis) + at(padding, axis + 2);
    if (at(kernel, axis) < 1 || padded < at(kernel, axis))
      throw new Mismatch(`kernel ${shapeText(kernel)} does not fit into the padded image`);
    return Math.floor((padded - at(kernel, axis)) / stride) + 1;
  });
}

/** Shape of y for an image and a kernel, after checking that channels and groups agree. */
export function resultShape(x: Shape, w: Shape, convolution: Convolution): Shape {
  requireConvolution(convolution);
  const { groups } = convolution;
  const [channels, outputs] = [at(x, 1), at(w, 0)];
  if (channels !== at(w, 1) * groups)
    throw new Mismatch(`${channels} channels in ${groups} groups against kernels of ${at(w, 1)}`);
  if (outputs % groups !== 0) throw new Mismatch(`${outputs} kernels do not divide into ${groups} groups`);
  return [at(x, 0), outputs, ...resultSize(x.slice(2), w.slice(2), convolution)];
}

/** Products that each of the three operators sums: one for every element of y and every element of its kernel. */
export function productsOf({ w, y }: Pick<ConvShapes, "w" | "y">): number {
  return sizeOf(y) * sizeOf(w.slice(1));
}

/** Calls `visit` with the offsets of every x, w and y whose product the convolution takes. */
export function eachProduct(
  { x, w, y }: ConvShapes,
  convolution: Convolution,
  visit: (x: number, w: number, y: number) => void,
): void {
  const [channels, height, width] = x.slice(1) as [number, number, number];
  const [outputs, inner, kernelHeight, kernelWidth] = w as [number, number, number, number];
  const perGroup = outputs / convolution.groups;
  for (let n = 0; n < at(x, 0); n++) {
    for (let o = 0; o < outputs; o++) {
      for (let c = 0; c < inner; c++) {
        const image = (n * channels + Math.floor(o / perGroup) * inner + c) * height * width;
        const kernel = (o * inner + c) * kernelHeight * kernelWidth;
        const result = (n * outputs + o) * at(y, 2) * at(y, 3);
        const planes = { x: [height, width], w: [kernelHeight, kernelWidth], y: y.slice(2) };
        eachProductOfPlanes(planes, convolution, (a, b, r) => {
          visit(image + a, kernel + b, result + r);
        });
      }
    }
  }
}

/** The same for one image plane, one kernel plane and one result plane. */
function eachProductOfPlanes(
  { x, w, y }: ConvShapes,
  { stride, padding }: Convolution,
  visit: (x: number, w: number, y: number) => void,
): void {
  const [height, width] = x as [number, number];
  const [kernelHeight, kernelWidth] = w as [number, number];
  const [rows, columns] = y as [number, number];
  const [top, left] = padding as [number, number];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      for (let k = 0; k < kernelHeight; k++) {
        const row = i * stride + k - top;
        if (row < 0 || row >= height) continue;
        for (let l = 0; l < kernelWidth; l++) {
          const column = j * stride + l - left;
          if (column >= 0 && column < width) visit(row * width + column, k * kernelWidth + l, i * columns + j);
        }
      }
    }
  }
}
