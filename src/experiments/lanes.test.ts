import { afterEach, expect, test } from "vitest";
import { workerLane, type Lane } from "./lanes.node.ts";
import type { Task } from "./perform.node.ts";

/** A thread that does with a job what the job's kind says. */
const program = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from "node:worker_threads";
    const does = {
      work: () => { parentPort.postMessage({ share: 0.5 }); parentPort.postMessage({ done: true }); },
      refuse: () => parentPort.postMessage({ failed: "no", code: "data" }),
      die: () => process.exit(3),
      throw: () => { throw new Error("out of luck"); },
      dieLater: () => { parentPort.postMessage({ done: true }); setTimeout(() => { throw new Error("late"); }, 1); },
      wait: () => undefined,
    };
    parentPort.on("message", ({ task, stop }) =>
      stop ? parentPort.postMessage({ failed: "stopped", code: "interrupted" }) : does[task.kind]());
  `)}`,
);

let lane: Lane;
afterEach(() => lane.close());

const task = (kind: string): Task => ({ kind, config: {}, label: kind, folder: "", needs: [] });
const never = new AbortController().signal;
const run = (kind: string, signal = never, onShare: (share: number) => void = () => undefined): Promise<void> =>
  lane.run(task(kind), { signal, onShare });

test("jobs go to one thread after the other, and failures come back", async () => {
  lane = workerLane(program);
  const shares: number[] = [];
  await run("work", never, (share) => shares.push(share));
  await run("work", never, (share) => shares.push(share));
  expect(shares).toEqual([0.5, 0.5]);
  await expect(run("refuse")).rejects.toMatchObject({ code: "data", message: "no" });
  await run("work");
});

test("a thread that dies fails its job alone, whenever it dies", async () => {
  lane = workerLane(program);
  await expect(run("die")).rejects.toThrow("its thread ended with code 3");
  await run("work");
  await expect(run("throw")).rejects.toThrow(/its thread died: .*out of luck/);
  await run("dieLater");
  await new Promise((resolve) => setTimeout(resolve, 200));
  await run("work");
});

test("a job is stopped by its signal, also one from before", async () => {
  lane = workerLane(program);
  const controller = new AbortController();
  const running = run("wait", controller.signal);
  controller.abort();
  await expect(running).rejects.toMatchObject({ code: "interrupted" });
  await expect(run("wait", controller.signal)).rejects.toMatchObject({ code: "interrupted" });
});
