import { z } from "zod";
import { parseJsonText, type TextBounds } from "../formats/json-text.ts";
import { UnnoiseError } from "../math/error.ts";
import type { LogEvent } from "./run-log-event.ts";
import { firstIssue } from "./zod-issue.ts";

const iteration = z.int().min(0);
const count = z.int().min(1);
const number = z.number();
const text = z.string();

/** Keys that a later version adds are kept. */
const schema: z.ZodType<LogEvent> = z.discriminatedUnion("event", [
  z.looseObject({ event: z.literal("start"), device: text, threads: count, parameters: count }),
  z.looseObject({ event: z.literal("resume"), iteration, device: text, threads: count }),
  z.looseObject({
    event: z.literal("progress"),
    iteration,
    loss: number,
    gradientNorm: number,
    learningRate: number,
  }),
  z.looseObject({ event: z.literal("samples"), iteration, path: text }),
  z.looseObject({
    event: z.literal("bound"),
    iteration,
    bitsPerDimension: number,
    bitsStandardError: number,
    images: count,
  }),
  z.looseObject({ event: z.literal("warning"), message: text }),
  z.looseObject({ event: z.literal("end"), iteration }),
]);

const bounds: TextBounds = { bytes: 100_000, depth: 8, keys: 1000, values: 1000 };
/** Of a whole log: a line for each of three million iterations. Lines are counted one by one. */
export const wholeLogBounds: TextBounds = { bytes: 400e6, depth: 0, keys: 0, values: 0 };

const ADVICE = "restore the file or train again";

/**
 * Reads one line of `log.jsonl`.
 * @param where the file and the line, for errors
 * @throws UnnoiseError `run-folder` for what is not JSON, or no event of a log
 */
export function parseLogLine(line: string, where: string): LogEvent {
  const value = parseJsonText(line, { where, code: "run-folder", advice: ADVICE, bounds });
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new UnnoiseError("run-folder", `${where}: ${firstIssue(parsed.error, value)}; ${ADVICE}`);
}
