import type { z } from "zod";
import { shown } from "../math/shown.ts";

/** What stands at a path; undefined where the path leads nowhere. */
export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === "object" && inner !== null ? (Reflect.get(inner, key) as unknown) : undefined),
    value,
  );
}

/** The first thing that a schema found wrong, in words: where, what was expected and what stands there. */
export function firstIssue(error: z.ZodError, value: unknown): string {
  const { path = [], message = "not understood" } = error.issues[0] ?? {};
  const found = valueAt(value, path);
  const where = path.length === 0 ? "" : `${path.map(String).join(".")}: `;
  return `${where}${message}, got ${found === undefined ? "nothing" : shown(found)}`;
}
