import { lstat, readlink, stat } from "node:fs/promises";
import { UnnoiseError } from "../math/error.ts";
import { shown } from "../math/shown.ts";

/** Where a symbolic link leads, as it says; undefined for anything else. */
async function targetOf(path: string): Promise<string | undefined> {
  const info = await lstat(path.replace(/(?<=.)[/\\]$/, "")).catch(() => undefined);
  return info?.isSymbolicLink() === true ? readlink(path.replace(/(?<=.)[/\\]$/, "")) : undefined;
}

/**
 * Refuses a link that leads nowhere as a place to write: neither the link nor what it names may be replaced unasked.
 * @throws UnnoiseError `usage`
 */
export async function checkNotDangling(path: string): Promise<void> {
  const target = await targetOf(path);
  if (target === undefined || (await stat(path).catch(() => undefined)) !== undefined) return;
  const advice = "remove the link, or choose another name";
  throw new UnnoiseError("usage", `${path} is a link to ${shown(target, 200)}, which is not there; ${advice}`);
}

/**
 * Refuses a link to a folder whose files would be replaced.
 * @throws UnnoiseError `usage`
 */
export async function checkNotLinked(folder: string): Promise<void> {
  const target = await targetOf(folder);
  if (target === undefined) return;
  const advice = "to replace what is there, name that folder itself";
  throw new UnnoiseError("usage", `${folder} is a link to ${shown(target, 200)}; ${advice}`);
}
