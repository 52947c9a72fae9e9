import { expect, test } from "vitest";
import { input, mul, sigmoid, silu, sum } from "../builders.ts";
import { grad } from "../grad.ts";
import type { Node } from "../node.ts";
import { topologicalOrder } from "../traverse.ts";
import { optimise } from "./optimise.ts";
import { shareSigmoid } from "./share-sigmoid.ts";

const x = input("x", [2, 3]);
const count = (outputs: readonly Node[], op: string): number =>
  topologicalOrder(outputs).filter((node) => node.op === op).length;

test("SiLU and its derivative share one sigmoid", () => {
  const y = silu(x);
  const outputs = optimise([y, ...grad(sum(y), [x])]);
  expect(count(outputs, "sigmoid")).toBe(1);
  expect(count(outputs, "silu")).toBe(0);
});

test("a SiLU whose sigmoid nothing else needs stays one operator", () => {
  expect(count(optimise([silu(x)]), "silu")).toBe(1);
  expect(count(shareSigmoid([silu(x), sigmoid(mul(x, 2))]), "silu")).toBe(1);
});
