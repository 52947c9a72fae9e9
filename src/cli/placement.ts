import type { CompileOptions } from "../runtime/executable.ts";

/** Flags that say where a network runs. */
export type PlacementFlags = CompileOptions;

/** ", in batches of 8", where that was asked for. */
export const batchText = (batch: number | undefined): string => (batch === undefined ? "" : `, in batches of ${batch}`);

/** Where to run, from flags. */
export function placementOf({ device, threads }: PlacementFlags): PlacementFlags {
  return { ...(device === undefined ? {} : { device }), ...(threads === undefined ? {} : { threads }) };
}
