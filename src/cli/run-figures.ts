import { animateStrip } from "../figures/animate.ts";
import { lossFigure } from "../figures/loss.ts";
import { scatterFigure } from "../figures/scatter.ts";
import { scheduleFigure } from "../figures/schedule.ts";
import { stripFigure, type StripPanel } from "../figures/strip.ts";
import { trajectoriesFigure } from "../figures/trajectories.ts";
import { posteriorVariance } from "../diffusion/posterior.ts";
import { UnnoiseError } from "../math/error.ts";
import { Random } from "../math/random.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import type { OpenRun } from "../train/open-run.node.ts";
import { forwardPanels, recordPaths, reversePanels, type Watch } from "./process-panels.ts";
import { randomRows } from "../data/rows.ts";
import type { SamplerChoice } from "../diffusion/sampler-choice.ts";

/** Small multiples of a strip. */
const PANELS = 8;
const FRAMES = 40;

type PanelWatch = Pick<Watch, "count" | "seed">;

/** Some of the data of a run. */
export async function someData(run: OpenRun, { count, seed }: PanelWatch): Promise<FloatTensor> {
  const { points } = await run.dataset();
  return randomRows(points, count, new Random(seed, "figure"), 1);
}

/** How a sampler went from noise to samples. */
export interface Walk {
  readonly choice: SamplerChoice;
  readonly panels: readonly StripPanel[];
  readonly samples: FloatTensor;
}

/** Runs a sampler, and keeps as many states as small multiples or an animation show. */
export async function walkOf(
  run: OpenRun,
  choice: SamplerChoice,
  watch: Watch,
  kind: "strip" | "animation",
): Promise<Walk> {
  const panels = kind === "strip" ? PANELS : FRAMES;
  return { choice, ...(await reversePanels(run, choice, { ...watch, panels })) };
}

/** Samples on top of data. */
export function samplesFigure(run: OpenRun, { choice, samples }: Walk, reference: FloatTensor): string {
  const title = `${run.name}: samples by ${choice.label}`;
  return scatterFigure({ points: samples, reference, columns: run.model.columns, title });
}

/** The reverse process as small multiples. */
export function reverseStrip(run: OpenRun, { choice, panels }: Walk): string {
  const title = `${run.name}: reverse process, ${choice.label}`;
  return stripFigure({ panels, direction: "reverse", title, columns: run.model.columns });
}

/** The reverse process as frames, with the data behind. */
export function reverseAnimation(run: OpenRun, { choice, panels: frames }: Walk, reference: FloatTensor): string[] {
  const title = `${run.name}: ${choice.label}`;
  return animateStrip({ frames, reference, direction: "reverse", title, columns: run.model.columns });
}

/** The forward process as small multiples. */
export async function forwardStrip(run: OpenRun, watch: PanelWatch): Promise<string> {
  const panels = forwardPanels(run, await someData(run, watch), { panels: PANELS, seed: watch.seed });
  const title = `${run.name}: forward process, T = ${run.schedule.timesteps}`;
  return stripFigure({ panels, direction: "forward", title, columns: run.model.columns });
}

/** The forward process as frames. */
export async function forwardAnimation(run: OpenRun, watch: PanelWatch): Promise<string[]> {
  const frames = forwardPanels(run, await someData(run, watch), { panels: FRAMES, seed: watch.seed });
  const title = `${run.name}: forward process`;
  return animateStrip({ frames, direction: "forward", title, columns: run.model.columns });
}

/** Data that lies behind trajectories. */
const BEHIND = 2000;

/** Ways of single samples. */
export async function trajectories(run: OpenRun, choice: SamplerChoice, watch: Watch): Promise<string> {
  const reference = await someData(run, { count: BEHIND, seed: watch.seed });
  const { paths, timesteps } = await recordPaths(run, choice, watch);
  const title = `${run.name}: trajectories, ${choice.label}`;
  return trajectoriesFigure({ paths, timesteps, reference, title, columns: run.model.columns });
}

/** The noise schedule. */
export function schedulePlot({ name, schedule }: Pick<OpenRun, "name" | "schedule">): string {
  const posteriorVariances = Array.from(schedule.betas, (_, step) => posteriorVariance(schedule, step));
  return scheduleFigure({ schedule, posteriorVariances, title: `${name}: noise schedule, T = ${schedule.timesteps}` });
}

/** Losses and learning rates from a run's log. */
export async function lossPlot({ name, folder }: Pick<OpenRun, "name" | "folder">): Promise<string> {
  const events = await folder.events();
  const logged = events.filter((event) => event.event === "progress");
  if (logged.length === 0) {
    throw new UnnoiseError(
      "run-folder",
      `${folder.logPath}: no losses yet; train longer, or with a smaller --log-every`,
    );
  }
  return lossFigure({
    iterations: logged.map(({ iteration }) => iteration),
    losses: logged.map(({ loss }) => loss),
    learningRates: logged.map(({ learningRate }) => learningRate),
    bounds: events.filter((event) => event.event === "bound"),
    title: `${name}: training loss`,
  });
}
