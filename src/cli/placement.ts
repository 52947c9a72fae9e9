import type { CompileOptions } from "../runtime/executable.ts";

/** Flags that say where a network runs. */
export type PlacementFlags = CompileOptions;

/** Where to run, from flags. */
export function placementOf({ device, threads }: PlacementFlags): PlacementFlags {
  return { ...(device === undefined ? {} : { device }), ...(threads === undefined ? {} : { threads }) };
}
