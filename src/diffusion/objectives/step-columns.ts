import { constant, gather, reshape, split } from "../../graph/builders.ts";
import type { Node } from "../../graph/node.ts";
import { UnnoiseError, at } from "../../math/error.ts";

/** Numbers that depend on the step, by name, T of each; an absent one is not needed. */
export type StepColumns<K extends string> = { readonly [Name in K]?: ArrayLike<number> };

/** The rows of `StepColumns` that a batch asks for, each [B, 1, …]. */
export type GatheredColumns<K extends string> = { readonly [Name in K]?: Node };

/**
 * Looks up each row's numbers: one table [T, columns], gathered once.
 * @param steps int32 [B]
 * @param rank axes of a batch, so that the columns broadcast over it
 */
export function gatherColumns<K extends string>(
  columns: StepColumns<K>,
  steps: Node,
  rank: number,
): GatheredColumns<K> {
  const names = (Object.keys(columns) as K[]).filter((name) => columns[name] !== undefined);
  const values = names.map((name) => columns[name] ?? []);
  const timesteps = at(values, 0).length;
  const table = Float64Array.from({ length: timesteps * names.length }, (_, i) =>
    at(at(values, i % names.length), Math.floor(i / names.length)),
  );
  const rows = gather(constant(table, [timesteps, names.length]), steps);
  const shape = [at(steps.shape, 0), ...Array<number>(rank - 1).fill(1)];
  const parts = split(
    rows,
    1,
    names.map(() => 1),
  );
  return Object.fromEntries(names.map((name, i) => [name, reshape(at(parts, i), shape)])) as GatheredColumns<K>;
}

/**
 * Refuses what float32 cannot hold.
 * @param fault says what is wrong at a step and what to do
 * @throws UnnoiseError `usage`
 */
export function requireFloat32(values: Float64Array, fault: (step: number, value: number) => string): Float64Array {
  const step = values.findIndex((value) => !Number.isFinite(Math.fround(value)));
  if (step !== -1) throw new UnnoiseError("usage", fault(step, at(values, step)));
  return values;
}
