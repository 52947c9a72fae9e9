/** The first line of what was thrown, for one-line messages. */
export function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.trim().split("\n")[0] ?? "";
}
