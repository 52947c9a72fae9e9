import { messageLine } from "./shown.ts";

/** What went wrong, for programs: `usage` is a mistake in how something was asked; the others say which part failed. */
export type ErrorCode =
  "usage" | "data" | "format" | "graph" | "runtime" | "device" | "run-folder" | "not-finite" | "io" | "interrupted";

/**
 * The one error class that unnoise throws for anything a caller can cause or meet. The message is one line: what, where,
 * expected, got, what to do; it is less than 2 kB long and holds no control character, whatever is quoted in it.
 */
export class UnnoiseError extends Error {
  override readonly name: string = "UnnoiseError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(messageLine(message), options);
    this.code = code;
  }
}

/** Throws when `condition` is false: for mistakes of our own, never for bad input. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`bug in unnoise: ${message}`);
}

/** Reads `array[index]`, which the caller knows to exist. */
export function at<T>(array: ArrayLike<T>, index: number): T {
  const value = array[index];
  invariant(value !== undefined, `index ${index} outside 0…${array.length - 1}`);
  return value;
}
