import type { Node } from "../node.ts";
import { mergeCommonSubexpressions } from "./common-subexpressions.ts";
import { cutConstants } from "./cut-constants.ts";
import { foldConstants } from "./fold-constants.ts";
import { fuseGemm } from "./fuse-gemm.ts";
import { shareSigmoid } from "./share-sigmoid.ts";
import { simplify } from "./simplify.ts";

/** All passes in their order. Each maps outputs to outputs of the same values; dead code is what no output reaches. */
const passes: readonly ((outputs: readonly Node[]) => Node[])[] = [
  cutConstants,
  foldConstants,
  simplify,
  foldConstants,
  shareSigmoid,
  mergeCommonSubexpressions,
  fuseGemm,
];

/** The same values by fewer and cheaper operators. */
export function optimise(outputs: readonly Node[]): Node[] {
  return passes.reduce<Node[]>((graph, pass) => pass(graph), [...outputs]);
}
