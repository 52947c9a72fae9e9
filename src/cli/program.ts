import { Command, Option } from "commander";
import { version } from "../../package.json";
import type { DataCommandOptions } from "./commands/data.ts";
import type { ExperimentCommandOptions } from "./commands/experiment.ts";
import type { ExportCommandOptions } from "./commands/export.ts";
import type { ImportCommandOptions } from "./commands/import.ts";
import { exportTargets } from "../train/diffusers/export-targets.ts";
import type { DemoCommandOptions } from "./commands/demo.ts";
import type { EvaluateCommandOptions } from "./commands/evaluate-bound.ts";
import type { InfoCommandOptions } from "./commands/info.ts";
import type { PresetsCommandOptions } from "./commands/presets.ts";
import type { PlotCommandOptions } from "./commands/plot.ts";
import type { SampleCommandOptions } from "./commands/sample.ts";
import type { ScheduleCommandOptions } from "./commands/schedule.ts";
import type { TrainCommandOptions } from "./commands/train.ts";
import type { Io } from "./io.ts";
import { inputRanges } from "../train/feature-net-input.ts";
import { referenceSplits } from "../train/reference-split.ts";
import { nativeEngineProblem } from "../runtime/native-engine.node.ts";
import { choice, decimal, integer, list } from "./numbers.ts";
import { placementOptions, samplerOptions, shared } from "./options.ts";
import { Terminal } from "./terminal.ts";
import { sampleOptions } from "./sample-options.ts";
import { scheduleFamilies, scheduleFlags } from "./schedule-flags.ts";
import { trainingFlags } from "./training-flags.ts";

const DATA = "a toy set (unnoise data --list), a .csv, .npy or .json file of points, or a .png or .svg picture";
const TRAINED = `${DATA}; or images: fashion-mnist, digits, a folder, a .npy or .npz file`;
const RUN = "folder of a run, as train makes it";
const MODEL = "folder of a run, or of a model made with diffusers";

/** A group of commands' options in the order of the help. */
function withOptions(command: Command, options: readonly Option[]): Command {
  for (const each of options) command.addOption(each);
  return command;
}

const examples = (...lines: readonly string[]): string => `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`;

function addTrain(program: Command, io: Io): void {
  const command = program.command("train").summary("train a model on points or images").argument("[data]", TRAINED);
  command.description("Train a diffusion model on points or images, in a run folder that holds all of it.");
  command.option("--out <folder>", "folder of the run (default unnoise-<data>)");
  for (const { flag, value, help, parse, listed } of trainingFlags) {
    const option = new Option(value === undefined ? flag : `${flag} <${value}>`, help).hideHelp(!listed);
    command.addOption(parse ? option.argParser(parse) : option);
  }
  command.option("--config <file>", "options from a .json or .yaml file; flags win over it");
  command.option("--resume", "go on with the run in the folder, bit for bit");
  command.option("--overwrite", "replace the run in the folder");
  command.option("--json", "print events as JSON, one a line").addOption(shared.quiet);
  const others = trainingFlags.filter(({ listed }) => !listed).map(({ flag }) => flag);
  command.addHelpText("after", `\nMore, as flags or in the file (there as batchSize):\n  ${wrapped(others)}`);
  command.addHelpText(
    "after",
    examples("unnoise train swiss-roll", "unnoise train points.csv --iterations 5000", "unnoise train moons --resume"),
  );
  command.action(async (data: string | undefined, options: TrainCommandOptions) =>
    (await import("./commands/train.ts")).train(data, options, io),
  );
}

function wrapped(words: readonly string[]): string {
  const lines = [""];
  for (const word of words) {
    const line = `${lines.at(-1) ?? ""} ${word}`.trim();
    if (line.length > 74) lines.push(word);
    else lines[lines.length - 1] = line;
  }
  return lines.join("\n  ");
}

function addSample(program: Command, io: Io): void {
  const command = program.command("sample").summary("draw samples from a trained model").argument("<run>", MODEL);
  command.description("Draw samples from a trained model, as numbers, a picture, or an animation of how they arise.");
  withOptions(command, sampleOptions);
  command.addHelpText(
    "after",
    examples(
      "unnoise sample unnoise-moons --out samples.csv",
      "unnoise sample unnoise-moons --sampler ddim --steps 50 --out samples.png",
      "unnoise sample unnoise-moons --out - | head",
      "unnoise sample unnoise-fashion-mnist --class all --guidance 2 --out grid.png",
      "unnoise sample unnoise-fashion-mnist --inpaint shoe.png --mask hole.png --out new/",
    ),
  );
  command.action(async (run: string, options: SampleCommandOptions) =>
    (await import("./commands/sample.ts")).sampleRun(run, options, io),
  );
}

const imageEvaluationOptions: readonly Option[] = [
  new Option("--features <file>", "of images: an .onnx file that gives features (default: a net trained on the data)"),
  new Option("--feature-range <name>", `values that it takes: ${inputRanges.join(", ")}`).argParser(
    choice("--feature-range", inputRanges),
  ),
  new Option("--feature-output <name>", "which of its outputs, where it has several"),
  new Option("--guidance <w>", "of images with classes: how strongly samples follow theirs (default 1)").argParser(
    decimal("--guidance", {}),
  ),
  new Option(
    "--split <part>",
    "of images: the part to measure against, test or train (default test if there is one)",
  ).argParser(choice("--split", referenceSplits)),
  new Option(
    "--reference-count <n>",
    "of images: how many of that part (default all up to 10,000, less what the floor needs)",
  ).argParser(integer("--reference-count", { min: 1 })),
  new Option("--data <images>", "for a model of diffusers: the images to measure against, as train takes them"),
  new Option("--steps-per-image <n>", "with --bound of images: steps measured of each (default all)").argParser(
    integer("--steps-per-image", { min: 1 }),
  ),
];

function addEvaluate(program: Command, io: Io): void {
  const command = program.command("evaluate").summary("measure samples against the data").argument("<run>", MODEL);
  command.description("Measure samples against the data: each value beside what fresh data reach against each other.");
  withOptions(command, [
    new Option("--bound", "measure the variational bound on −log p instead, in both forms"),
    new Option("--likelihood", "beside the bound, the likelihood by the probability-flow ODE"),
    new Option("--oracle", "beside the bound, its gap to the entropy in parts: network, variance, discretisation"),
    shared.weights,
    ...imageEvaluationOptions,
    shared.count("samples in each set (default 2000; with --likelihood or --oracle 500, images with --bound 256)"),
    ...samplerOptions,
    shared.seed,
    ...placementOptions,
    shared.out("a figure of the bound: .svg, .png"),
    shared.format,
    shared.overwrite,
    shared.json,
    shared.quiet,
  ]);
  command.addHelpText("after", "\nWithout --sampler: ddpm with all steps, and ddim with 50; on images ddim with 50.");
  command.addHelpText(
    "after",
    examples(
      "unnoise evaluate unnoise-moons",
      "unnoise evaluate unnoise-fashion-mnist --bound",
      "unnoise evaluate fashion-model --data fashion-mnist --steps 50",
      "unnoise evaluate unnoise-moons --json",
      "unnoise evaluate unnoise-moons --bound --out bound.svg",
      "unnoise evaluate unnoise-moons --likelihood --oracle",
    ),
  );
  command.action(async (run: string, options: EvaluateCommandOptions) =>
    (await import("./commands/evaluate.ts")).evaluate(run, options, io),
  );
}

function addImport(program: Command, io: Io): void {
  const command = program.command("import").summary("read a model that Python's diffusers wrote");
  command.argument("<folder>", "folder of a DDPM or DDIM pipeline, or of a UNet2DModel with its scheduler");
  command.description(
    "Read and check a model of diffusers, and write it in one layout, in float32, under today's names of weights.",
  );
  withOptions(command, [
    new Option("--out <folder>", "where to write the model"),
    new Option("--variant <name>", "of the weights, such as fp16 (default the plain ones, or the only ones)"),
    shared.overwrite,
    shared.json,
    shared.quiet,
  ]);
  command.addHelpText(
    "after",
    "\nsample and export take such folders as they are: import is for checking and keeping.",
  );
  command.addHelpText(
    "after",
    examples("unnoise import ddpm-cifar10-32 --out cifar10", "unnoise import cifar10 --json"),
  );
  command.action(async (folder: string, options: ImportCommandOptions) =>
    (await import("./commands/import.ts")).importModel(folder, options, io),
  );
}

function addExport(program: Command, io: Io): void {
  const command = program.command("export").summary("write a model for diffusers, as ONNX or as safetensors");
  command.argument("<model>", "folder of a run on images, or of a model of diffusers");
  command.description("Write a model for others: a folder that diffusers loads, an ONNX file, or its weights alone.");
  withOptions(command, [
    new Option("--to <kind>", exportTargets.join(", ")).argParser(choice("--to", exportTargets)),
    new Option("--out <path>", "where to write: a folder for diffusers, else a file"),
    shared.weights,
    new Option("--batch <n>", "images of one call of an ONNX file (default 1)").argParser(
      integer("--batch", { min: 1 }),
    ),
    shared.overwrite,
    shared.quiet,
  ]);
  command.addHelpText(
    "after",
    examples(
      "unnoise export unnoise-fashion-mnist --to diffusers --out fashion",
      "unnoise export unnoise-fashion-mnist --to onnx --out fashion.onnx",
    ),
  );
  command.action(async (model: string, options: ExportCommandOptions) =>
    (await import("./commands/export.ts")).exportModel(model, options, io),
  );
}

function addPlot(program: Command, io: Io): void {
  const command = program.command("plot").summary("draw a run: its process, schedule or losses");
  command.argument("<run>", RUN).argument("<kind>", "forward, reverse, trajectories, schedule or loss");
  command.description("Draw the forward or reverse process, single trajectories, the noise schedule or the losses.");
  withOptions(command, [
    shared.out(".svg, .png, .gif (gif: forward and reverse)"),
    shared.count("points to draw (default 2000; trajectories 60), or images (default 8)"),
    ...samplerOptions,
    shared.seed,
    ...placementOptions,
    shared.format,
    shared.overwrite,
    shared.quiet,
  ]);
  command.addHelpText(
    "after",
    examples("unnoise plot unnoise-moons reverse --out reverse.gif", "unnoise plot unnoise-moons loss --out loss.png"),
  );
  command.action(async (run: string, kind: string, options: PlotCommandOptions) =>
    (await import("./commands/plot.ts")).plotRun(run, kind, options, io),
  );
}

/** Flags of `data` that a list has no use for. */
const unlisted = ["out", "count", "noise", "labels", "drop", "seed", "format", "overwrite"];

function addData(program: Command, io: Io): void {
  const command = program.command("data").summary("write or draw a data set").argument("[source]", DATA);
  command.description("Write or draw the points of a data set, draw points from a picture, or list the toy sets.");
  withOptions(command, [
    shared.out(".csv, .npy, .json, .png, .svg"),
    shared.count("number of points (default 1000; all of a file of points)"),
    new Option("--noise <x>", "noise of a toy set").argParser(decimal("--noise", { min: 0 })),
    new Option("--drop <names>", "columns of a file of points to leave out, with commas between").argParser(
      list("--drop"),
    ),
    new Option("--labels", "with the class of each point of a toy set: as a last column, or in colours"),
    shared.seed,
    shared.format,
    shared.overwrite,
    new Option("--list", "print the toy sets and their usual noise").conflicts(unlisted),
    shared.quiet,
  ]);
  command.addHelpText(
    "after",
    examples(
      "unnoise data moons --count 500 --out moons.csv",
      "unnoise data moons --labels --out moons.png",
      "unnoise data points.csv --out points.png",
      "unnoise data shape.png --count 5000 --out points.csv",
      "unnoise data --list",
    ),
  );
  command.action(async (source: string | undefined, options: DataCommandOptions) =>
    (await import("./commands/data.ts")).writeData(source, options, io),
  );
}

function addSchedule(program: Command, io: Io): void {
  const command = program.command("schedule").summary("print, check or draw a noise schedule");
  command.argument("<name>", "family of schedules, or a .json, .csv, .txt or .npy file of betas");
  command.description(
    `Print a noise schedule, say what is wrong with it, or draw it. Families: ${scheduleFamilies.join(", ")}.`,
  );
  withOptions(command, [
    ...scheduleFlags,
    shared.json,
    shared.out(".svg, .png"),
    shared.format,
    shared.overwrite,
    shared.quiet,
  ]);
  command.addHelpText(
    "after",
    examples("unnoise schedule cosine", "unnoise schedule linear --timesteps 50 --rescale-betas --out linear.png"),
  );
  command.action(async (name: string, options: ScheduleCommandOptions) =>
    (await import("./commands/schedule.ts")).describeSchedule(name, options, io),
  );
}

function addInfo(program: Command, io: Io): void {
  const command = program.command("info").summary("say what a run holds").argument("<run>", RUN);
  command.description("Say what a run holds: configuration, progress, last loss, files.");
  command.addOption(shared.json).addHelpText("after", examples("unnoise info unnoise-moons"));
  command.action(async (run: string, options: InfoCommandOptions) =>
    (await import("./commands/info.ts")).info(run, options, io),
  );
}

function addDemo(program: Command, io: Io): void {
  const command = program.command("demo").summary("train, sample, measure and draw the swiss roll");
  command.description(
    "Train on the swiss roll, sample with DDPM and DDIM, measure, draw, and show it all on one page.",
  );
  command.option("--out <folder>", "folder of the demo (default unnoise-demo, replaced if it is a run)");
  command.option("--overwrite", "replace the run in the folder");
  command.option("--quick", "a short run of lower quality, to see that everything works");
  withOptions(command, [shared.seed, ...placementOptions, shared.quiet]);
  command.addHelpText("after", examples("unnoise demo", "unnoise demo --out my-demo"));
  command.action(async (options: DemoCommandOptions) => (await import("./commands/demo.ts")).demo(options, io));
}

function addPresets(program: Command, io: Io): void {
  const command = program.command("presets").summary("list what published implementations do differently");
  command.description("List what published implementations of the same papers choose differently.");
  command
    .addOption(shared.json)
    .addHelpText("after", examples("unnoise presets", "unnoise presets diff openai diffusers"));
  command.action(async (options: PresetsCommandOptions) =>
    (await import("./commands/presets.ts")).listPresets(options, io),
  );
  const diff = command.command("diff").summary("say where two differ and what that does to samples");
  diff.description("Say where two presets differ and what each difference does to samples.");
  diff.argument("<a>", "a preset").argument("<b>", "another").addOption(shared.json);
  diff.action(async (a: string, b: string) =>
    (await import("./commands/presets.ts")).diffPresets(a, b, diff.optsWithGlobals<PresetsCommandOptions>(), io),
  );
}

const listOf = (text: string): string[] => text.split(",").map((word) => word.trim());

const experimentOptions: readonly Option[] = [
  new Option("--list", "print the studies").conflicts(["data", "quick", "seed", "seeds", "workers", "out", "json"]),
  new Option("--data <names>", "toy sets or files, with commas between (default swiss-roll,moons,cross)").argParser(
    listOf,
  ),
  new Option("--quick", "a small study that shows what to expect"),
  shared.seed,
  new Option("--seeds <n>", "seeds with which settings are repeated (default 5, with --quick 2)").argParser(
    integer("--seeds", { min: 1, max: 1000 }),
  ),
  new Option("--workers <n>", "worker threads (default one a core)").argParser(
    integer("--workers", { min: 1, max: 256 }),
  ),
  new Option("--out <folder>", "where reports and finished work go (default unnoise-experiments)"),
  new Option("--overwrite", "replace a report that was made with other options"),
  shared.json,
  shared.quiet,
];

function addExperiment(program: Command, io: Io): void {
  const command = program.command("experiment").summary("run a study and write its report");
  command.argument("[name]", "a study (unnoise experiment --list), all, or a .json or .yaml file that defines one");
  command.description(
    "Run a study: a folder with a report to read, its figures and its numbers. Run again, it repeats nothing that was finished.",
  );
  withOptions(command, experimentOptions);
  command.addHelpText(
    "after",
    examples(
      "unnoise experiment all --quick",
      "unnoise experiment influence --data moons",
      "unnoise experiment schedules --data points.csv,spirals --seeds 3",
      "unnoise experiment my-study.yaml",
    ),
  );
  command.action(async (name: string | undefined, options: ExperimentCommandOptions) =>
    (await import("./commands/experiment.ts")).experiment(name, options, io),
  );
}

/** Says in a line that the native engine is missing, before a command that would choose it computes by WebAssembly instead. */
async function tellMissingEngine(command: Command, io: Io): Promise<void> {
  const { device = "auto", quiet = false } = command.opts<{ readonly device?: string; readonly quiet?: boolean }>();
  if (device !== "auto" || !command.options.some(({ long }) => long === "--device")) return;
  const problem = await nativeEngineProblem();
  if (problem) new Terminal(io, { quiet }).warn(`computing by WebAssembly, which is slower: ${problem}`);
}

/** The command line; each command's module loads when it runs. */
export function buildProgram(io: Io): Command {
  const program = new Command("unnoise").version(version, "-V, --version", "print the version");
  program.description("Denoising diffusion models: train them on points, sample, measure and draw them.");
  program.helpOption("-h, --help", "print help").helpCommand("help [command]", "print help of a command");
  program.exitOverride().configureOutput({
    writeOut: (text) => void io.stdout.write(text),
    writeErr: (text) => void io.stderr.write(text),
    outputError: () => undefined,
    getOutHelpWidth: () => io.stdout.columns ?? 100,
    getErrHelpWidth: () => io.stderr.columns ?? 100,
    getOutHasColors: () => false,
    getErrHasColors: () => false,
  });
  for (const add of [
    addTrain,
    addSample,
    addEvaluate,
    addPlot,
    addData,
    addSchedule,
    addImport,
    addExport,
    addExperiment,
    addInfo,
    addPresets,
    addDemo,
  ])
    add(program, io);
  program.hook("preAction", (_program, command) => tellMissingEngine(command, io));
  program.addHelpText(
    "after",
    examples("unnoise demo", "unnoise train moons", "unnoise sample unnoise-moons --out samples.png"),
  );
  return program;
}
