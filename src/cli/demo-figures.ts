import { renderFigure, type FigureFormat } from "../figures/render.node.ts";
import type { OpenRun } from "../train/open-run.node.ts";
import type { Watch } from "./process-panels.ts";
import {
  forwardStrip,
  lossPlot,
  reverseAnimation,
  reverseStrip,
  samplesFigure,
  schedulePlot,
  someData,
  trajectories,
  walkOf,
} from "./run-figures.ts";
import { chooseSampler } from "../diffusion/sampler-choice.ts";

/** One picture of the demo, as a file. */
export interface DemoFigure {
  readonly file: string;
  readonly caption: string;
  readonly content: Uint8Array;
}

/** A picture to be drawn. */
interface Plan {
  readonly file: string;
  readonly caption: string;
  readonly make: () => string | string[] | Promise<string | string[]>;
}

const PATHS = 60;

/** Runs both samplers once for all pictures of them. */
async function planOf(run: OpenRun, watch: Watch): Promise<Plan[]> {
  const reference = await someData(run, watch);
  const ddpm = await walkOf(run, chooseSampler({ sampler: "ddpm" }, run), watch, "strip");
  const ddim = await walkOf(run, chooseSampler({ sampler: "ddim" }, run), watch, "animation");
  const [ancestral, implicit] = [ddpm.choice.label, ddim.choice.label];
  const few = { ...watch, count: PATHS };
  const plan = (file: string, caption: string, make: Plan["make"]): Plan => ({ file, caption, make });
  return [
    plan("reverse.gif", `From noise to data: ${implicit}.`, () => reverseAnimation(run, ddim, reference)),
    plan("samples-ddpm.png", `Samples by ${ancestral}, on data.`, () => samplesFigure(run, ddpm, reference)),
    plan("samples-ddim.png", `Samples by ${implicit}, on data.`, () => samplesFigure(run, ddim, reference)),
    plan("forward.png", "The forward process turns data into noise.", () => forwardStrip(run, watch)),
    plan("reverse.png", `The reverse process: ${ancestral}.`, () => reverseStrip(run, ddpm)),
    plan("trajectories.png", `Ways of ${PATHS} points: ${implicit}.`, () => trajectories(run, ddim.choice, few)),
    plan("schedule.png", "The noise schedule.", () => schedulePlot(run)),
    plan("loss.png", "Loss and learning rate of the training.", () => lossPlot(run)),
  ];
}

/**
 * Draws all pictures of the demo.
 * @param onShare called with the share that is done, in 0…1
 */
export async function drawDemo(run: OpenRun, watch: Watch, onShare: (share: number) => void): Promise<DemoFigure[]> {
  const plan = await planOf(run, watch);
  const drawn: DemoFigure[] = [];
  for (const { file, caption, make } of plan) {
    const format = (file.split(".").at(-1) ?? "png") as FigureFormat;
    drawn.push({ file, caption, content: await renderFigure(await make(), format) });
    onShare(drawn.length / plan.length);
  }
  return drawn;
}
