import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/**
 * The folder in which unnoise keeps what it can make again, as the XDG base directory specification says: `$XDG_CACHE_HOME/unnoise/part`,
 * or `~/.cache/unnoise/part`; a path that is not absolute counts for nothing.
 */
export function cacheFolderFor(part: string): string {
  const asked = process.env["XDG_CACHE_HOME"] ?? "";
  return join(isAbsolute(asked) ? asked : join(homedir(), ".cache"), "unnoise", part);
}
