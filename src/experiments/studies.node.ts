import type { Study } from "./study.ts";

/** Every built-in study, in the order in which one reads them. */
export const studies: readonly Study[] = [];
