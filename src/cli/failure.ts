import { CommanderError } from "commander";
import { exitCodes } from "./exit-codes.ts";
import { UnnoiseError } from "../math/error.ts";
import { messageLine } from "../math/shown.ts";
import type { Io } from "./io.ts";
import { coloursFor } from "./terminal.ts";

/** Commander's message as ours: no "error:", a suggestion after a semicolon. */
function usageLine(message: string): string {
  const plain = messageLine(message).replace(/^error: /, "");
  return plain.replace(/ ?\(Did you mean (one of )?(.+)\?\)$/, "; did you mean $1$2?");
}

function failureLine(error: unknown): string {
  if (error instanceof CommanderError) return usageLine(error.message);
  return messageLine(error instanceof Error ? error.message : String(error));
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return exitCodes.usage;
  if (!(error instanceof UnnoiseError)) return exitCodes.failed;
  if (error.code === "interrupted") return exitCodes.interrupted;
  return error.code === "usage" ? exitCodes.usage : exitCodes.failed;
}

/** Says in one line what went wrong, and returns the exit code. What Commander ends on its own, such as --help, is no failure. */
export function reportFailure(error: unknown, io: Io): number {
  if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done;
  if (error instanceof CommanderError && error.code === "commander.help") return exitCodes.usage;
  const colours = coloursFor(io.stderr, io.env);
  io.stderr.write(`${colours.red("unnoise:")} ${failureLine(error)}\n`);
  const expected = error instanceof CommanderError || error instanceof UnnoiseError;
  if (io.env["UNNOISE_DEBUG"]) io.stderr.write(`${stackOf(error)}\n`);
  else if (!expected) io.stderr.write("this is a bug; run with UNNOISE_DEBUG=1 for the stack\n");
  return exitCodeOf(error);
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by ${stackOf(error.cause)}`;
  return (error.stack ?? error.message) + cause;
}
