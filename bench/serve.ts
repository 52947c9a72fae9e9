import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Checked, Failed, Problem, Ready, Request, Setup, Timed } from "./protocol.ts";

/** A contender that is ready to go. */
export interface Runner extends Ready {
  /** Runs the first `checkSteps` steps on the shared numbers. */
  check(): Promise<readonly number[]>;
  /** Runs one step. What it returns is not used. */
  step(): Promise<unknown>;
}

/** The shared arrays by name, read from the problem's file. */
export function readArrays({
  file,
  arrays,
}: Pick<Problem, "file" | "arrays">): Record<string, Float32Array | Float64Array | Int32Array> {
  const { buffer } = new Uint8Array(readFileSync(file));
  const views = { float32: Float32Array, float64: Float64Array, int32: Int32Array };
  return Object.fromEntries(
    Object.entries(arrays).map(([name, { offset, shape, dtype }]) => {
      const length = shape.reduce((product, extent) => product * extent, 1);
      return [name, new views[dtype](buffer, offset, length)];
    }),
  );
}

/** Answers requests on stdin, one JSON object a line, until stdin ends. */
export async function serve<P = Problem>(create: (setup: Setup<P>) => Promise<Runner>): Promise<void> {
  // Libraries that greet on the console must not spoil the protocol on stdout.
  console.log = console.info = console.error;
  let runner: Runner | undefined;
  const answer = async (request: Request<P>): Promise<Ready | Checked | Timed> => {
    if (request.cmd === "setup") {
      runner = await create(request);
      return { versions: runner.versions, threads: runner.threads };
    }
    if (!runner) throw new Error("setup must come first");
    return request.cmd === "check"
      ? { values: await runner.check() }
      : { times: await timeSteps(runner, request.steps), peak: process.resourceUsage().maxRSS / 1024 };
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const reply = await answer(JSON.parse(line) as Request<P>).catch((error: unknown): Failed => {
      return { error: error instanceof Error ? error.message : String(error) };
    });
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  }
}

async function timeSteps(runner: Runner, steps: number): Promise<number[]> {
  const times = new Array<number>(steps).fill(0);
  for (let i = 0; i < steps; i++) {
    const start = performance.now();
    await runner.step();
    times[i] = performance.now() - start;
  }
  return times;
}
