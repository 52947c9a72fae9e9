import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { ReportFigure } from "../../figures/report.ts";
import { makeFolder } from "../../formats/make-folder.node.ts";
import { writeFileAtomic } from "../../formats/write-file.node.ts";
import { UnnoiseError } from "../../math/error.ts";
import { parseTrainingConfig, type TrainingConfig } from "../../train/config.ts";
import { RunFolder } from "../../train/run-folder.node.ts";
import { drawDemo, type DemoFigure } from "../demo-figures.ts";
import { demoPage } from "../demo-page.ts";
import type { Io } from "../io.ts";
import { openRun, type OpenRun } from "../../train/open-run.node.ts";
import { Progress } from "../progress.ts";
import { measureQuality, qualityText, type Quality } from "../quality.ts";
import { placementOf, type PlacementFlags } from "../placement.ts";
import { Terminal } from "../terminal.ts";
import { duration, shellWord } from "../../math/text.ts";
import { withProgress } from "../with-progress.ts";
import { choicesOf } from "./evaluate.ts";
import { runTraining } from "./train.ts";

export interface DemoCommandOptions extends PlacementFlags {
  readonly out?: string;
  readonly overwrite?: boolean;
  readonly quick?: boolean;
  readonly seed?: number;
  readonly quiet?: boolean;
}

const DEFAULT_FOLDER = "unnoise-demo";

/** Less than `train` does by default, so that all ends within about a minute on two slow cores. */
const standard = { iterations: 6000 } as const;
const quick = { iterations: 300, warmup: 50, width: 32, depth: 2, batchSize: 256, dataSize: 5000 } as const;
const POINTS = { standard: 2000, quick: 300 } as const;

/** `unnoise demo` */
export async function demo(options: DemoCommandOptions, io: Io): Promise<void> {
  const began = performance.now();
  const terminal = new Terminal(io, options);
  const { out = DEFAULT_FOLDER, seed = 0 } = options;
  const config = demoConfig(options, seed);
  await checkReplaceable(out, options.overwrite ?? options.out === undefined);
  terminal.say("1 of 3: training");
  const { status } = await runTraining(terminal, { config, out, overwrite: true }, { tellNext: false });
  if (status === "interrupted") throw new UnnoiseError("interrupted", "demo stopped; start again with: unnoise demo");
  const run = await openRun(out);
  const count = POINTS[options.quick === true ? "quick" : "standard"];
  terminal.say("2 of 3: sampling and measuring");
  const quality = await measure(terminal, run, { count, seed, ...placementOf(options) });
  await terminal.tell(qualityText(quality));
  terminal.say("3 of 3: drawing");
  const figures = await draw(terminal, run, { count, seed, ...placementOf(options) });
  await writePage(run, figures, quality, commandOf(options));
  const page = pathToFileURL(resolve(out, "index.html")).href;
  terminal.say(
    `done in ${duration((performance.now() - began) / 1000)}; figures and model are in ${out}\nopen ${page}`,
  );
}

/** Only a run may be replaced, and without being asked only in the demo's usual folder. */
async function checkReplaceable(out: string, overwrite: boolean): Promise<void> {
  const folder = new RunFolder(out);
  await folder.checkFree({ overwrite: true });
  if (overwrite || (await folder.contents()) !== "run") return;
  const advice = "replace it with --overwrite, or choose another folder with --out";
  throw new UnnoiseError("usage", `${out} already holds a run; ${advice}`);
}

function demoConfig({ quick: isQuick = false, ...placement }: DemoCommandOptions, seed: number): TrainingConfig {
  return parseTrainingConfig({ data: "swiss-roll", seed, ...(isQuick ? quick : standard), ...placementOf(placement) });
}

function commandOf({ out, quick: isQuick, seed }: DemoCommandOptions): string {
  const parts = ["unnoise demo"];
  if (out !== undefined) parts.push(`--out ${shellWord(out)}`);
  if (isQuick === true) parts.push("--quick");
  if (seed !== undefined) parts.push(`--seed ${seed}`);
  return parts.join(" ");
}

interface Points extends PlacementFlags {
  readonly count: number;
  readonly seed: number;
}

function measure(terminal: Terminal, run: OpenRun, points: Points): Promise<Quality> {
  const choices = choicesOf({}, run);
  return withProgress(terminal, (onProgress) => measureQuality(run, choices, { ...points, onProgress }));
}

function draw(terminal: Terminal, run: OpenRun, points: Points): Promise<DemoFigure[]> {
  const progress = new Progress(terminal, { label: "drawing", total: 100, delay: 2 });
  const onShare = (share: number): void => progress.update(Math.floor(100 * share));
  return drawDemo(run, points, onShare).finally(() => progress.stop());
}

async function writePage(
  run: OpenRun,
  figures: readonly DemoFigure[],
  quality: Quality,
  command: string,
): Promise<void> {
  const { folder } = run;
  await makeFolder(folder.figuresPath);
  for (const { file, content } of figures) await writeFileAtomic(join(folder.figuresPath, file), content);
  const shown = new Map<string, ReportFigure>(figures.map((figure) => [figure.file, embedded(figure)]));
  await writeFileAtomic(join(folder.path, "index.html"), demoPage({ run, quality, command, shown }));
}

/** Pictures go into the page as they are, so that it can be moved and mailed. */
function embedded({ file, caption, content }: DemoFigure): ReportFigure {
  const base64 = Buffer.from(content).toString("base64");
  if (file.endsWith(".gif")) return { caption, gifDataUri: `data:image/gif;base64,${base64}` };
  return { caption, pngDataUri: `data:image/png;base64,${base64}` };
}
