import { UnnoiseError } from "../math/error.ts";

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: "no space left on the disk",
  EDQUOT: "the disk quota is used up",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the disk is read-only",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of the path is a file, not a folder",
  EEXIST: "it already exists",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "the path has too many symbolic links",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open",
  EFBIG: "the file is too large",
  ERR_FS_FILE_TOO_LARGE: "the file is too large",
  EBUSY: "it is in use",
  EIO: "the disk reported an error",
  EPIPE: "the reader has gone away",
};

/** The code of a file system's error, such as `ENOENT`; empty for any other error. */
export function codeOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : "";
}

/**
 * Says in plain words why a file operation failed.
 * @param operation what was tried, such as `read` or `write`
 * @param path the file as the caller named it
 * @param cause what the file system threw; an UnnoiseError is returned as it is
 * @param missing what ENOENT means here
 */
export function ioError(operation: string, path: string, cause: unknown, missing = "no such file"): UnnoiseError {
  if (cause instanceof UnnoiseError) return cause;
  const code = codeOf(cause);
  const reason = code === "ENOENT" ? missing : (reasons[code] ?? (code || String(cause)));
  return new UnnoiseError("io", `cannot ${operation} ${path}: ${reason}`, { cause });
}
