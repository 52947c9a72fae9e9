import { renderFigure, type FigureFormat } from "../figures/render.node.ts";
import type { OpenRun } from "./open-run.ts";
import type { Watch } from "./process-panels.ts";
import {
  forwardStrip,
  lossPlot,
  reverseAnimation,
  reverseStrip,
  samplesFigure,
  schedulePlot,
  trajectories,
} from "./run-figures.ts";
import { chooseSampler } from "./sampler-choice.ts";

/** One picture of the demo, as a file. */
export interface DemoFigure {
  readonly file: string;
  readonly caption: string;
  readonly content: Uint8Array;
}

interface Plan {
  readonly file: string;
  readonly caption: string;
  readonly make: () => string | Promise<string | string[]>;
}

const PATHS = 60;

function planOf(run: OpenRun, watch: Watch): Plan[] {
  const T = run.schedule.timesteps;
  const ddpm = chooseSampler({ sampler: "ddpm" }, T);
  const ddim = chooseSampler({ sampler: "ddim" }, T);
  const few = { ...watch, count: PATHS };
  const plan = (file: string, caption: string, make: Plan["make"]): Plan => ({ file, caption, make });
  return [
    plan("reverse.gif", `From noise to data: ${ddim.label}.`, () => reverseAnimation(run, ddim, watch)),
    plan("samples-ddpm.png", `Samples by ${ddpm.label}, on data.`, () => samplesFigure(run, ddpm, watch)),
    plan("samples-ddim.png", `Samples by ${ddim.label}, on data.`, () => samplesFigure(run, ddim, watch)),
    plan("forward.png", "The forward process turns data into noise.", () => forwardStrip(run, watch)),
    plan("reverse.png", `The reverse process: ${ddpm.label}.`, () => reverseStrip(run, ddpm, watch)),
    plan("trajectories.png", `Ways of ${PATHS} points: ${ddim.label}.`, () => trajectories(run, ddim, few)),
    plan("schedule.png", "The noise schedule.", () => schedulePlot(run)),
    plan("loss.png", "Loss and learning rate of the training.", () => lossPlot(run)),
  ];
}

/**
 * Draws all pictures of the demo.
 * @param onShare called with the share that is done, in 0…1
 */
export async function drawDemo(run: OpenRun, watch: Watch, onShare: (share: number) => void): Promise<DemoFigure[]> {
  const plan = planOf(run, watch);
  const drawn: DemoFigure[] = [];
  for (const { file, caption, make } of plan) {
    const format = (file.split(".").at(-1) ?? "png") as FigureFormat;
    drawn.push({ file, caption, content: await renderFigure(await make(), format) });
    onShare(drawn.length / plan.length);
  }
  return drawn;
}
