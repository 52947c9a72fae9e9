import type { Denoiser } from "../../diffusion/sampler.ts";
import { eventLoopPause } from "../../train/event-loop.ts";
import { DenoiserSession } from "../../train/model.ts";
import type { OpenRun } from "../../train/open-run.node.ts";

/** Lends a job the network of a run: on the processor, on one thread, so that its results depend on nothing else. */
export async function withDenoiser<Result>(
  { model }: OpenRun,
  use: (denoiser: Denoiser) => Promise<Result>,
): Promise<Result> {
  const session = new DenoiserSession(model, { device: "cpu", threads: 1 });
  const pause = eventLoopPause();
  try {
    return await use(async (xt, step) => {
      await pause();
      return session.predict(xt, step);
    });
  } finally {
    await session.dispose();
  }
}
