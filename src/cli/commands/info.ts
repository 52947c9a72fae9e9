import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { summaryLines, type DataSummary } from "../../data/summary.ts";
import { ioError } from "../../formats/io-error.ts";
import { UnnoiseError } from "../../math/error.ts";
import { verifyChecksums } from "../../train/checksums.node.ts";
import type { NetworkFile, TrainingConfig } from "../../train/config.ts";
import { hasModel } from "../../train/model-folder.node.ts";
import { RunFolder, type LogEvent } from "../../train/run-folder.node.ts";
import type { Io } from "../io.ts";
import { Terminal } from "../terminal.ts";
import { alignedLines, fileSize, grouped } from "../../math/text.ts";

export interface InfoCommandOptions {
  readonly json?: boolean;
}

/** One file of a run. */
interface RunFile {
  readonly path: string;
  readonly bytes: number;
}

/** Whether files are as they were written: `agree`, `none` without checksums, else what is damaged; null where there is no model yet. */
interface Checksums {
  readonly run: string;
  readonly model: string | null;
}

/** What `info --json` prints. */
interface RunInfo {
  readonly run: string;
  readonly status: "finished" | "unfinished";
  readonly iteration: number;
  readonly iterations: number;
  readonly loss: number | null;
  readonly parameters: number | null;
  readonly device: string | null;
  readonly threads: number | null;
  /** What was understood of the data; null for runs made before that was kept. */
  readonly summary: DataSummary | null;
  /** Iterations of the checkpoints, oldest first. */
  readonly checkpoints: readonly number[];
  readonly checksums: Checksums;
  readonly bytes: number;
  readonly files: readonly RunFile[];
  readonly config: TrainingConfig;
}

/** `unnoise info` */
export async function info(path: string, { json = false }: InfoCommandOptions, io: Io): Promise<void> {
  const facts = await factsOf(path);
  const terminal = new Terminal(io);
  if (json) await terminal.print(`${JSON.stringify(facts, null, 2)}\n`);
  else await terminal.tell(`${infoLines(facts).join("\n")}\n`);
}

async function factsOf(path: string): Promise<RunInfo> {
  const folder = new RunFolder(path);
  const config = await folder.config();
  const events = await folder.events();
  const files = await filesOf(path);
  const start = events.find(({ event }) => event === "start") as Extract<LogEvent, { event: "start" }> | undefined;
  const last = events.filter((event) => event.event === "progress").at(-1);
  const checkpoints = files
    .flatMap(({ path: file }) => /^checkpoints\/(\d+)\.safetensors$/.exec(file)?.[1] ?? [])
    .map(Number);
  return {
    run: path,
    status: events.some(({ event }) => event === "end") ? "finished" : "unfinished",
    iteration: Math.max(last?.iteration ?? 0, ...checkpoints),
    iterations: config.iterations,
    loss: last?.loss ?? null,
    parameters: start?.parameters ?? null,
    device: start?.device ?? null,
    threads: start?.threads ?? null,
    summary: start?.summary ?? null,
    checkpoints,
    checksums: {
      run: await checksumsOf(path),
      model: (await hasModel(folder.modelPath)) ? await checksumsOf(folder.modelPath) : null,
    },
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    files,
    config,
  };
}

/** What is damaged is told, not refused: who asks about a run wants to know. */
async function checksumsOf(folder: string): Promise<string> {
  try {
    return (await verifyChecksums(folder)) ? "agree" : "none";
  } catch (cause) {
    if (cause instanceof UnnoiseError && cause.code === "run-folder") return cause.message;
    throw cause;
  }
}

/** Files of a folder and those below, by name, as paths with "/". */
async function filesOf(folder: string): Promise<RunFile[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true, recursive: true });
    const found = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const files = await Promise.all(
      found.map(async (path) => ({ path: path.slice(join(folder, "/").length), bytes: (await stat(path)).size })),
    );
    return files
      .map(({ path, bytes }) => ({ path: path.replaceAll("\\", "/"), bytes }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  } catch (cause) {
    throw ioError("read", folder, cause);
  }
}

/** Most values of a list that are shown. */
const SHOWN = 8;

/** A setting on one line; of a long list, how long it is. */
function settingText(value: TrainingConfig[keyof TrainingConfig]): string {
  if (value === null) return "auto";
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) {
    if (value.length === 0) return "none";
    return value.length <= SHOWN ? value.join(", ") : `${grouped(value.length)} values`;
  }
  const { _preset: preset, _class_name: name } = value as NetworkFile;
  return String(preset ?? name);
}

function checksumsText(state: string): string {
  return state === "none" ? "no checksums" : state;
}

function summaryRows(facts: RunInfo): [string, string][] {
  const { run, status, iteration, iterations, loss, parameters, device, threads, checkpoints, bytes, files } = facts;
  const { run: ofRun, model: ofModel } = facts.checksums;
  const known = (value: number | string | null): string =>
    typeof value === "number" ? grouped(value) : (value ?? "?");
  return [
    ["run", run],
    ["progress", `${grouped(iteration)} of ${grouped(iterations)} iterations, ${status}`],
    ["last loss", loss === null ? "none yet" : loss.toFixed(4)],
    ["parameters", known(parameters)],
    ["device", `${known(device)}, threads: ${known(threads)}`],
    ["checkpoints", checkpoints.length === 0 ? "none" : checkpoints.map(grouped).join(", ")],
    ["checksums", `run: ${checksumsText(ofRun)}; model: ${ofModel === null ? "none yet" : checksumsText(ofModel)}`],
    ["size", `${fileSize(bytes)} in ${grouped(files.length)} files`],
  ];
}

function list(rows: readonly [string, string][]): string[] {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
}

function infoLines(facts: RunInfo): string[] {
  const { files, summary: understood } = facts;
  const settings = Object.entries<TrainingConfig[keyof TrainingConfig]>({ ...facts.config });
  const config = settings.map(([key, value]): [string, string] => [key, settingText(value)]);
  const sizes = alignedLines(files.map(({ path, bytes: size }) => [path, fileSize(size)]));
  return [
    ...list(summaryRows(facts)).map((line) => line.slice(2)),
    ...(understood === null ? [] : ["", "data", ...summaryLines(understood).map((line) => `  ${line}`)]),
    "",
    "configuration",
    ...list(config),
    "",
    "files",
    ...sizes.map((line) => `  ${line}`),
  ];
}
