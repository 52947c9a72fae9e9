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

/**
 * A lane in a worker thread. A worker that dies fails its job alone.
 * @param program what the thread runs
 */
export function workerLane(program: URL = WORKER): Lane {
  let worker: Worker | undefined;
  let jobs = 0;
  const start = (): Worker => {
    const fresh = new Worker(program);
    // Between jobs too: an error that nobody hears would end the process, and a job sent to a dead thread never ends.
    fresh.on("error", () => undefined);
    fresh.on("exit", () => {
      if (worker === fresh) worker = undefined;
    });
    return fresh;
  };
  const close = async (): Promise<void> => {
    await worker?.terminate();
    worker = undefined;
    jobs = 0;
  };
  return {
    close,
    run: async (task, context) => {
      if (jobs >= JOBS_PER_WORKER) await close();
      worker ??= start();
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
  const ended = endOfJob(worker, onShare);
  signal.addEventListener("abort", stop);
  worker.postMessage({ task } satisfies ToWorker);
  if (signal.aborted) stop();
  await ended.finally(() => signal.removeEventListener("abort", stop));
}

/** Resolves when the worker says that its job is done. */
function endOfJob(worker: Worker, onShare: JobContext["onShare"]): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      worker.off("message", onMessage).off("error", onError).off("exit", onExit);
      settle();
    };
    const fail = (error: UnnoiseError): void => end(() => reject(error));
    const onMessage = (message: FromWorker): void => {
      if ("share" in message) onShare(message.share);
      else if ("done" in message) end(resolve);
      else fail(new UnnoiseError(message.code ?? "runtime", message.failed));
    };
    const onError = (cause: unknown): void =>
      fail(new WorkerDeath("runtime", `its thread died: ${String(cause)}`, { cause }));
    const onExit = (code: number): void => fail(new WorkerDeath("runtime", `its thread ended with code ${code}`));
    worker.on("message", onMessage).on("error", onError).on("exit", onExit);
  });
}
