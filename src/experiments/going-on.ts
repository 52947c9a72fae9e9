import { UnnoiseError } from "../math/error.ts";

/** @throws UnnoiseError `interrupted` after the signal, for jobs whose loops do not watch it themselves */
export function checkGoingOn(signal: AbortSignal): void {
  if (signal.aborted) throw new UnnoiseError("interrupted", "stopped; finished work is kept");
}
