import type { Study } from "./study.ts";

/** A study that a file defines. */
export async function readStudyFile(_path: string): Promise<Study> {
  await Promise.resolve();
  throw new Error("being written");
}
