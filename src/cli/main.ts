import { exitCodes, reportFailure } from "./failure.ts";
import { processIo, type Io } from "./io.ts";
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

/** Runs the command line of this process. */
export async function main(): Promise<void> {
  process.exitCode = await run(process.argv.slice(2), processIo());
}
