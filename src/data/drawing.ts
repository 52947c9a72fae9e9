import { z } from "zod";
import { parseJsonText } from "../formats/json-text.ts";
import { UnnoiseError } from "../math/error.ts";
import { nearMiss } from "../math/near-miss.ts";
import { shortened } from "../math/shown.ts";
import { counted } from "../math/text.ts";
import type { Point } from "./scatter.ts";

/** Points drawn by hand; with a spread > 0 they are the middles of Gaussians. */
export interface DrawnPoints {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly number[])[];
  readonly spread: number;
}

/** Lines drawn by hand. */
export interface DrawnStrokes {
  readonly strokes: readonly (readonly Point[])[];
  readonly spread: number;
}

const coordinate = z
  .number("expected a number")
  .refine((value) => Number.isFinite(Math.fround(value)), "expected a number that float32 can hold (below 3.4e38)");
const list = <T extends z.ZodType>(each: T, least: number, what: string): z.ZodArray<T> =>
  z.array(each, `expected a list of ${what}`).min(least, `expected at least ${least} of ${what}`);
const spread = z.number("expected a number ≥ 0").min(0, "expected a number ≥ 0").default(0);

const pointsFile = z.strictObject({
  points: list(list(coordinate, 1, "numbers"), 1, "points such as [0.5, 1]"),
  columns: z.array(z.string("expected a name").min(1, "expected a name"), "expected a list of names").optional(),
  spread,
  source: z.string("expected a text").optional(),
});
const strokesFile = z.strictObject({
  strokes: list(
    list(z.tuple([coordinate, coordinate], "expected a point such as [0.5, 1]"), 2, "points such as [0.5, 1]"),
    1,
    "strokes such as [[0, 0], [0.5, 1]]",
  ),
  spread,
});

/**
 * Reads points or lines drawn by hand from JSON: `[[x, y], …]`, `{ "points": [[x, y], …], "columns": ["a", "b"], "spread": s }`
 * or `{ "strokes": [[[x, y], …], …], "spread": s }`; names and spread may be missing. What `unnoise data` writes as JSON is read too.
 * @param where what error messages call the source, such as the file's name
 * @throws UnnoiseError `format` for what is not JSON, `data` for other content, with the place
 */
export function parseDrawing(text: string, where: string): DrawnPoints | DrawnStrokes {
  const found = parseJsonText(text, { where, code: "format" });
  if (isRecord(found) && "strokes" in found) return checked(strokesFile, found, where);
  const value = Array.isArray(found) ? { points: found as unknown } : found;
  if (!isRecord(value) || !("points" in value)) {
    throw new UnnoiseError(
      "data",
      `${where}: expected a list of points, or an object with points or strokes${near(value)}`,
    );
  }
  const { points: rows, columns, spread: width } = checked(pointsFile, value, where, Array.isArray(found));
  return { columns: columnsOf(rows, columns, where), rows, spread: width };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What a key that stands there was probably meant to be. */
function near(value: unknown): string {
  const keys = isRecord(value) ? Object.keys(value) : [];
  const meant = keys.map((key) => nearMiss(key, ["points", "strokes"])).find((key) => key !== undefined);
  return meant === undefined ? "" : `; did you mean ${meant}?`;
}

function checked<T extends z.ZodObject>(schema: T, value: unknown, where: string, bare = false): z.infer<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue?.code === "unrecognized_keys") throw unknownKey(issue.keys[0] ?? "", Object.keys(schema.shape), where);
  const place = placeOf(issue?.path.slice(bare ? 1 : 0) ?? []);
  throw new UnnoiseError("data", `${where}${place === "" ? "" : `, ${place}`}: ${issue?.message ?? "not understood"}`);
}

function unknownKey(key: string, known: readonly string[], where: string): UnnoiseError {
  const meant = nearMiss(key, known);
  const advice = meant === undefined ? `known keys: ${known.join(", ")}` : `did you mean ${meant}?`;
  return new UnnoiseError("data", `${where}: unknown key ${shortened(key, 60)}; ${advice}`);
}

/** A path as in `strokes[2][0]`. */
function placeOf(path: readonly PropertyKey[]): string {
  return path.map((step) => (typeof step === "number" ? `[${step}]` : String(step))).join("");
}

function columnsOf(
  rows: readonly (readonly number[])[],
  columns: readonly string[] | undefined,
  where: string,
): readonly string[] {
  const width = columns?.length ?? rows[0]?.length ?? 0;
  const odd = rows.findIndex((row) => row.length !== width);
  if (odd >= 0) {
    const like = columns === undefined ? "as in the first" : "one for each of the columns";
    throw new UnnoiseError(
      "data",
      `${where}, point ${odd + 1}: expected ${counted(width, "number")}, ${like}, got ${rows[odd]?.length ?? 0}`,
    );
  }
  return columns ?? (width === 2 ? ["x", "y"] : Array.from({ length: width }, (_, column) => `column${column + 1}`));
}
