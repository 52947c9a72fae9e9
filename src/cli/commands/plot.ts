import { basename } from "node:path";
import { renderFigure } from "../../figures/render.node.ts";
import { UnnoiseError } from "../../math/error.ts";
import { RunFolder } from "../../train/run-folder.node.ts";
import { checkDrawable } from "../figure-memory.ts";
import type { Io } from "../io.ts";
import { choice as oneOf } from "../numbers.ts";
import { openAnyRun, openRun } from "../../train/open-run.node.ts";
import { openOutput, writeOutput, type OutputFlags } from "../output.ts";
import type { Watch } from "../process-panels.ts";
import { Progress } from "../progress.ts";
import { chooseSampler, samplerFlagNames, type SamplerFlags } from "../../diffusion/sampler-choice.ts";
import { placementOf, type PlacementFlags } from "../placement.ts";
import type { SamplerName } from "../../diffusion/sampler-table.ts";
import {
  forwardAnimation,
  forwardStrip,
  lossPlot,
  reverseAnimation,
  reverseStrip,
  schedulePlot,
  someData,
  trajectories,
  walkOf,
} from "../run-figures.ts";
import { Terminal } from "../terminal.ts";
import { flagOf } from "../../math/text.ts";

export interface PlotCommandOptions extends OutputFlags, SamplerFlags, PlacementFlags {
  readonly count?: number;
  readonly seed?: number;
  readonly quiet?: boolean;
}

const KINDS = ["forward", "reverse", "trajectories", "schedule", "loss"] as const;
type Kind = (typeof KINDS)[number];
const STILL = ["svg", "png"] as const;
const MOVING = [...STILL, "gif"] as const;

const SAMPLING = [...samplerFlagNames, "device", "threads"] as const;
const POINTS = ["count", "seed"] as const;

/** What each kind of plot can be, and the flags that it takes. */
const kinds: Readonly<Record<Kind, { readonly moving: boolean; readonly flags: readonly string[] }>> = {
  forward: { moving: true, flags: POINTS },
  reverse: { moving: true, flags: [...POINTS, ...SAMPLING] },
  trajectories: { moving: false, flags: [...POINTS, ...SAMPLING] },
  schedule: { moving: false, flags: [] },
  loss: { moving: false, flags: [] },
};
/** Ancestral paths are too ragged to follow by eye. */
const usualSampler = { reverse: "ddpm", trajectories: "ddim" } as const satisfies Partial<Record<Kind, SamplerName>>;
const usualCount = { forward: 2000, reverse: 2000, trajectories: 60, schedule: 0, loss: 0 } as const;

/** `unnoise plot` */
export async function plotRun(path: string, asked: string, options: PlotCommandOptions, io: Io): Promise<void> {
  const terminal = new Terminal(io, options);
  const kind = oneOf("kind of plot", KINDS)(asked);
  checkFlags(kind, options);
  const target = await openOutput(options, kinds[kind].moving ? MOVING : STILL, terminal);
  const figure = await figureOf(path, kind, target.format === "gif", options, terminal);
  const content = figure instanceof Uint8Array ? figure : await renderFigure(figure, target.format);
  await writeOutput(target, content, terminal);
  if (target.path !== "-") terminal.say(`${target.path}: ${kind} of ${path}`);
}

function checkFlags(kind: Kind, options: PlotCommandOptions): void {
  const { flags } = kinds[kind];
  const given = [...POINTS, ...SAMPLING].filter((name) => options[name] !== undefined);
  const extra = given.find((name) => !flags.includes(name));
  if (extra !== undefined)
    throw new UnnoiseError("usage", `${flagOf(extra)}: plot ${kind} has no use for it; leave it out`);
}

async function figureOf(
  path: string,
  kind: Kind,
  moving: boolean,
  options: PlotCommandOptions,
  terminal: Terminal,
): Promise<string | string[] | Uint8Array> {
  if (kind === "loss") return lossOf(path);
  const any = await openAnyRun(path);
  if (kind === "schedule") return schedulePlot(any);
  if (any.model.kind === "images") {
    const { plotImages } = await import("./plot-images.ts");
    return plotImages({ ...any, model: any.model }, kind, moving, options, terminal);
  }
  const run = await openRun(path);
  const points = { count: options.count ?? usualCount[kind], seed: options.seed ?? 0 };
  checkDrawable(points.count, run.model.columns.length, moving ? "moving" : "still");
  if (kind === "forward") return moving ? forwardAnimation(run, points) : forwardStrip(run, points);
  const choice = chooseSampler(options, run, usualSampler[kind]);
  const progress = new Progress(terminal, { label: "sampling", total: choice.steps, unit: "steps", delay: 2 });
  const watch: Watch = { ...points, ...placementOf(options), onProgress: (done) => progress.update(done) };
  try {
    if (kind === "trajectories") return await trajectories(run, choice, watch);
    const walk = await walkOf(run, choice, watch, moving ? "animation" : "strip");
    return moving ? reverseAnimation(run, walk, await someData(run, watch)) : reverseStrip(run, walk);
  } finally {
    progress.stop();
  }
}

/** Losses can be drawn before a run has a model. */
async function lossOf(path: string): Promise<string> {
  const folder = new RunFolder(path);
  const { data } = await folder.config();
  return lossPlot({ name: basename(data), folder });
}
