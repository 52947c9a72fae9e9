import { Worker } from "node:worker_threads";
import { UnnoiseError, type ErrorCode } from "../math/error.ts";
import type { JobContext } from "./job.ts";
import { perform, type Task } from "./perform.node.ts";

/** Messages to a worker: a job to do, or to stop the one it does. */
export type ToWorker = { readonly task: Task } | { readonly stop: true };

/** What a worker says of its job. */
export type FromWorker =
  { readonly share: number } | { readonly done: true } | { readonly failed: string; readonly code?: ErrorCode };

/** Does one job at a time. */
export interface Lane {
  /** @throws UnnoiseError what the job throws */
  readonly run: (task: Task, context: Pick<JobContext, "signal" | "onShare">) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** A lane in this thread, which is busy meanwhile. */
export function ownLane(): Lane {
  return { run: perform, close: () => Promise.resolve() };
}

/** Jobs after which a worker is replaced: native sessions give back their memory only with their thread. */
const JOBS_PER_WORKER = 50;

/** As it is built: beside this file, whatever part of the bundle this is. */
const WORKER = new URL("./experiment-worker.js", import.meta.url);

/** A lane in a worker thread. A worker that dies fails its job alone. */
export function workerLane(): Lane {
  let worker: Worker | undefined;
  let jobs = 0;
  const close = async (): Promise<void> => {
    await worker?.terminate();
    worker = undefined;
    jobs = 0;
  };
  return {
    close,
    run: async (task, context) => {
      if (jobs >= JOBS_PER_WORKER) await close();
      worker ??= new Worker(WORKER);
      jobs++;
      await inWorker(worker, task, context).catch(async (error: unknown) => {
        if (error instanceof WorkerDeath) await close();
        throw error;
      });
    },
  };
}

/** A thread that ended in the middle of a job. */
class WorkerDeath extends UnnoiseError {}

async function inWorker(worker: Worker, task: Task, { signal, onShare }: Parameters<Lane["run"]>[1]): Promise<void> {
  const stop = (): void => worker.postMessage({ stop: true } satisfies ToWorker);
  signal.addEventListener("abort", stop);
  try {
    await new Promise<void>((resolve, reject) => {
      worker.on("message", (message: FromWorker) => {
        if ("share" in message) onShare(message.share);
        else if ("done" in message) resolve();
        else reject(new UnnoiseError(message.code ?? "runtime", message.failed));
      });
      worker.on("error", (cause) => reject(new WorkerDeath("runtime", `its thread died: ${String(cause)}`, { cause })));
      worker.on("exit", (code) => reject(new WorkerDeath("runtime", `its thread ended with code ${code}`)));
      worker.postMessage({ task } satisfies ToWorker);
      if (signal.aborted) stop();
    });
  } finally {
    signal.removeEventListener("abort", stop);
    for (const event of ["message", "error", "exit"]) worker.removeAllListeners(event);
  }
}
