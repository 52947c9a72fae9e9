import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomGraphs } from "../../test/random-graph.ts";
import { at } from "../math/error.ts";
import { compile } from "../runtime/executable.ts";
import { sizeOf } from "../tensor/tensor.ts";
import { add, checkpoint, conv2d, exp, groupNorm, input, mul, silu, sin, sum } from "./builders.ts";
import { evaluate } from "./evaluate.ts";
import { grad } from "./grad.ts";
import { isOp, type Node } from "./node.ts";
import { optimise } from "./passes/optimise.ts";
import { peakMemory } from "./peak-memory.ts";
import { topologicalOrder } from "./traverse.ts";
import { countFlops } from "./work.ts";

interface Net {
  readonly loss: Node;
  readonly weights: readonly Node[];
}

/** A small residual network of convolutions, with a border after each block. */
function residualNet(blocks: number, channels: number, size: number): Net {
  const weights: Node[] = [];
  const weight = (...shape: number[]): Node => {
    weights.push(input(`w${weights.length}`, shape));
    return at(weights, weights.length - 1);
  };
  let x: Node = input("x", [2, channels, size, size]);
  for (let i = 0; i < blocks; i++) {
    let h = x;
    for (let k = 0; k < 2; k++) {
      const normal = silu(groupNorm(h, 2, 1e-5, weight(channels), weight(channels)));
      h = conv2d(normal, weight(channels, channels, 3, 3), weight(channels), { padding: 1 });
    }
    x = checkpoint(add(x, h));
  }
  return { loss: sum(mul(x, sin(x))), weights };
}

const values = (node: Node, phase: number): Float32Array =>
  Float32Array.from({ length: sizeOf(node.shape) }, (_, i) => Math.sin(i * 1.7 + phase));

function feedsOf(outputs: readonly Node[]): Record<string, Float32Array> {
  const leaves = topologicalOrder(outputs).filter((node) => isOp(node, "input"));
  return Object.fromEntries(leaves.map((leaf, i) => [leaf.attributes.name, values(leaf, i)]));
}

const slopes = ({ loss, weights }: Net, recompute: boolean): Node[] => [loss, ...grad(loss, weights, { recompute })];
const convolutions = (outputs: readonly Node[]): number =>
  topologicalOrder(outputs).filter(({ op }) => op === "conv").length;

describe("recomputation", () => {
  const net = residualNet(4, 4, 6);

  it("computes every segment again that ends in a border, and passes do not undo it", () => {
    expect(convolutions(optimise(slopes(net, false)))).toBe(8);
    // A block's second convolution gives the border, which is kept: only the first is computed again.
    expect(convolutions(optimise(slopes(net, true)))).toBe(8 + 4);
  });

  it("needs less memory, whichever result is computed first", () => {
    const deep = residualNet(8, 4, 16);
    for (const turn of [(nodes: Node[]) => nodes, (nodes: Node[]) => nodes.toReversed()]) {
      const [plain, again] = [false, true].map((recompute) => {
        const outputs = turn(optimise(slopes(deep, recompute)));
        return peakMemory(outputs).activations;
      }) as [number, number];
      expect(again).toBeLessThan(0.4 * plain);
    }
  });

  it("gives the same gradients, bit for bit, on the host and on the CPU", async () => {
    const [plain, again] = [slopes(net, false), slopes(net, true)];
    const feeds = feedsOf(plain);
    expect(evaluate(again, feeds)).toEqual(evaluate(plain, feeds));
    const results = [];
    for (const outputs of [plain, again]) {
      const executable = await compile(Object.fromEntries(outputs.map((node, i) => [`${i}`, node])), { device: "cpu" });
      results.push(await executable.run(feeds));
      await executable.dispose();
    }
    expect(results[1]).toEqual(results[0]);
  });

  it("adds up what flows into a shared value in the same order", () => {
    const [x, w] = [input("x", [50]), input("w", [50])];
    const shared = sin(mul(x, w));
    let h = shared;
    for (let i = 0; i < 4; i++) h = checkpoint(sin(mul(h, shared)));
    // The last factor lies in the first segment, but is computed last.
    const loss = sum(mul(h, exp(shared)));
    const [plain, again] = [false, true].map((recompute) => grad(loss, [w], { recompute })) as [Node[], Node[]];
    const feeds = feedsOf(plain);
    expect(evaluate(again, feeds)).toEqual(evaluate(plain, feeds));
  });

  it("does nothing to a graph without borders", () => {
    const x = input("x", [3]);
    const w = input("w", [3]);
    const loss = sum(sin(mul(x, w)));
    const [plain, again] = [grad(loss, [w]), grad(loss, [w], { recompute: true })];
    expect(topologicalOrder(again).map(({ op }) => op)).toEqual(topologicalOrder(plain).map(({ op }) => op));
  });

  it("keeps gradients wherever the borders are", () => {
    fc.assert(
      fc.property(randomGraphs, fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }), ({ outputs, feeds }, marks) => {
        const w = input("w", [3, 3]);
        const marked = outputs.reduce<Node>((total, output, i) => {
          const next = sin(add(mul(total, w), output));
          return marks[i] ? checkpoint(next) : next;
        }, w);
        const loss = sum(mul(marked, marked));
        const all = { ...feeds, w: [1, 2, 3, 4, 5, 6, 7, 8, 9] };
        const [plain, again] = [false, true].map((recompute) => evaluate(grad(loss, [w], { recompute }), all));
        expect(again).toEqual(plain);
      }),
    );
  });

  it("has second derivatives", () => {
    const { loss, weights } = residualNet(2, 2, 3);
    const w = at(weights, 2);
    const [plain, again] = [false, true].map((recompute) => {
      const slope = at(grad(loss, [w], { recompute }), 0);
      return grad(sum(mul(slope, slope)), [w], { recompute });
    }) as [Node[], Node[]];
    const feeds = feedsOf(plain);
    const [a, b] = [evaluate(plain, feeds), evaluate(again, feeds)].map((one) => at(one, 0).data);
    expect(Math.max(...(a ?? []).map((x, i) => Math.abs(x - (b?.[i] ?? NaN))))).toBeLessThan(1e-9);
  });

  it("costs at most one more forward pass", () => {
    const forward = countFlops(optimise([net.loss]));
    const [plain, again] = [false, true].map((recompute) => countFlops(optimise(slopes(net, recompute))));
    expect(again).toBeGreaterThan(plain ?? 0);
    expect(again).toBeLessThan((plain ?? 0) + forward);
  });
});
