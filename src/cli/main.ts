import { exitCodes } from "./exit-codes.ts";
import { reportFailure } from "./failure.ts";
import type { Io } from "./io.ts";
import { buildProgram } from "./program.ts";

/**
 * Runs one command line.
 * @param argv what follows the program's name
 * @returns the exit code: 0 done, 1 failed, 2 usage, 130 interrupted
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  try {
    await buildProgram(io).parseAsync(argv, { from: "user" });
    return exitCodes.done;
  } catch (error) {
    return reportFailure(error, io);
  }
}
