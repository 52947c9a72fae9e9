/** A worker thread: does the jobs that it is sent, one at a time. */
import { parentPort } from "node:worker_threads";
import { UnnoiseError, invariant } from "../math/error.ts";
import type { FromWorker, ToWorker } from "./lanes.node.ts";
import { perform } from "./perform.node.ts";

invariant(parentPort !== null, "a worker without a parent");
const port = parentPort;
const say = (message: FromWorker): void => port.postMessage(message);
let controller = new AbortController();

/** Shares nearer to each other than this are not told. */
const TELLING_SHARE = 0.01;

async function work(task: Extract<ToWorker, { readonly task: unknown }>["task"]): Promise<void> {
  controller = new AbortController();
  let told = 0;
  const onShare = (share: number): void => {
    if (share < told + TELLING_SHARE) return;
    told = share;
    say({ share });
  };
  try {
    await perform(task, { signal: controller.signal, onShare });
    say({ done: true });
  } catch (error) {
    const code = error instanceof UnnoiseError ? error.code : undefined;
    say({ failed: error instanceof Error ? error.message : String(error), ...(code && { code }) });
  }
}

port.on("message", (message: ToWorker) => {
  if ("task" in message) void work(message.task);
  else controller.abort();
});
