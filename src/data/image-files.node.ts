import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { codeOf, ioError } from "../formats/io-error.ts";
import type { ListedFile } from "./image-source.ts";

/** Files whose facts are asked for at a time. */
const AT_ONCE = 64;

/**
 * Sizes, times and places of files, by which a change is noticed. Nobody can set the time of the last change of a file's facts back, so
 * that one put in the place of another of the same size and date is noticed too.
 * @throws UnnoiseError `io` for a file that cannot be found
 */
export async function listFiles(paths: readonly string[]): Promise<ListedFile[]> {
  const facts: ListedFile[] = [];
  for (let start = 0; start < paths.length; start += AT_ONCE) {
    const some = paths.slice(start, start + AT_ONCE).map(async (path): Promise<ListedFile> => {
      // A link that leads nowhere is listed as nothing: it is told of, or left out, where it is read.
      const info = await stat(path).catch((cause: unknown) => {
        if (["ENOENT", "ELOOP"].includes(codeOf(cause))) return { size: 0, mtimeMs: 0, ctimeMs: 0, ino: 0 };
        throw ioError("read", path, cause);
      });
      const { size, mtimeMs, ctimeMs, ino } = info;
      return [resolve(path), size, mtimeMs, ctimeMs, ino];
    });
    facts.push(...(await Promise.all(some)));
  }
  return facts;
}
