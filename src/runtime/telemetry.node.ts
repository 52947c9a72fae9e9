import { isMainThread } from "node:worker_threads";
import { UnnoiseError } from "../math/error.ts";
import type { Device } from "./backend.ts";

/** ONNX Runtime reads it from the process's own environment when its first session is made. */
const VARIABLE = "ORT_DISABLE_TELEMETRY";
const ANSWER_WITHIN_MS = 5_000;

/**
 * Keeps ONNX Runtime from writing a device id and events into the user's cache folder and from sending them. A value that the user
 * set wins. A worker's `process.env` is a copy that native code does not see, so a worker sets the main thread's.
 * @throws UnnoiseError `device` from a worker whose main thread cannot be asked
 */
export async function disableTelemetry(device: Device, within: number = ANSWER_WITHIN_MS): Promise<void> {
  const own = process.env[VARIABLE];
  if (isMainThread) {
    process.env[VARIABLE] ??= "1";
    return;
  }
  try {
    await inMainThread(`process.env.${VARIABLE} ??= ${JSON.stringify(own ?? "1")}`, within);
  } catch (cause) {
    if (own !== undefined) return;
    throw new UnnoiseError(
      "device",
      `device ${device} is not started: this worker thread cannot turn off ONNX Runtime's telemetry, since the main thread ` +
        `does not answer; start the program with ${VARIABLE}=1 in its environment`,
      { cause },
    );
  }
}

/** Also while the main thread computes, but not while it waits in `Atomics.wait` or for a child process. */
async function inMainThread(expression: string, within: number): Promise<void> {
  const { Session } = await import("node:inspector");
  const session = new Session();
  session.connectToMainThread();
  try {
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no answer in ${within} ms`)), within);
      session.post("Runtime.evaluate", { expression }, (error, answer) => {
        clearTimeout(late);
        const failure = error ?? (answer.exceptionDetails && new Error(answer.exceptionDetails.text));
        if (failure) reject(failure);
        else resolve();
      });
    });
  } finally {
    session.disconnect();
  }
}
