import { backend } from "#backend";
import type { InferenceSession } from "onnxruntime-common";
import { conv2d, convInputGrad, convWeightGrad, input } from "../graph/builders.ts";
import { toOnnx } from "../onnx/emit-model.ts";
import { sizeOf } from "../tensor/tensor.ts";
import type { Ort } from "./backend.ts";

/** Relative to the largest value; a wrong block puts whole values elsewhere. */
const TOLERANCE = 1e-5;

const x = input("x", [1, 32, 4, 4]);
const w = input("w", [32, 32, 3, 3]);
const dy = input("dy", [1, 32, 4, 4]);
const convolution = { stride: 1, padding: [1, 1, 1, 1], groups: 1 };
const outputs = {
  y: conv2d(x, w, undefined, { padding: 1 }),
  dx: convInputGrad(dy, w, { ...convolution, size: [4, 4] }),
  dw: convWeightGrad(x, dy, { ...convolution, kernel: [3, 3] }),
};

let found: Promise<number> | undefined;

/**
 * Channels in a block of ONNX Runtime's blocked images on this processor, or 0 where it has none: the first candidate with which
 * convolutions give what they give without blocks.
 */
export function channelBlock(ort: Ort): Promise<number> {
  found ??= findBlock(ort);
  return found;
}

async function findBlock(ort: Ort): Promise<number> {
  const expected = await results(ort, 0);
  if (!expected) return 0;
  for (const block of backend.channelBlocks) {
    const values = await results(ort, block);
    if (values && agree(values, expected)) return block;
  }
  return 0;
}

/** y, dx and dw one after another; undefined where ONNX Runtime refuses. */
async function results(ort: Ort, block: number): Promise<readonly number[] | undefined> {
  let session: InferenceSession | undefined;
  try {
    session = await ort.InferenceSession.create(toOnnx(outputs, "cpu", block), backend.sessionOptions("cpu", 1));
    const feeds = [x, w, dy].map((node) => {
      const values = Float32Array.from({ length: sizeOf(node.shape) }, (_, i) => ((i * 37) % 101) / 50 - 1);
      return [node.attributes.name, new ort.Tensor("float32", values, node.shape)] as const;
    });
    const fetched = await session.run(Object.fromEntries(feeds));
    return Object.keys(outputs).flatMap((name) => [...(fetched[name]?.data as Float32Array)]);
  } catch {
    return undefined;
  } finally {
    await session?.release();
  }
}

function agree(values: readonly number[], expected: readonly number[]): boolean {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return values.every((value, i) => Math.abs(value - (expected[i] ?? NaN)) <= TOLERANCE * largest);
}
