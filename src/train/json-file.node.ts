import type { z } from "zod";
import { readJsonFile } from "../formats/structured-file.node.ts";
import { UnnoiseError } from "../math/error.ts";
import { firstIssue } from "./zod-issue.ts";

const ADVICE = "restore the file or train again";

/**
 * Reads a JSON file that unnoise wrote and checks it.
 * @param advice what to do about a damaged one
 * @throws UnnoiseError `io` when it cannot be read; `run-folder` when it is not JSON, too large, or not what the schema expects, naming
 * the key and what was found there
 */
export async function readJson<T>(path: string, schema: z.ZodType<T>, advice: string = ADVICE): Promise<T> {
  const value = await readJsonFile(path, { where: path, code: "run-folder", advice });
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new UnnoiseError("run-folder", `${path}: ${firstIssue(parsed.error, value)}; ${advice}`);
}

/** The text of a JSON file, indented for people. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
