import { availableParallelism } from "node:os";
import { basename, extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { JobCache } from "../../experiments/cache.node.ts";
import { lockFolder } from "../../formats/lock.node.ts";
import { sourceOf } from "../../experiments/data-file.node.ts";
import { workerLane } from "../../experiments/lanes.node.ts";
import { runStudies, type DoneStudy, type StudyRequest } from "../../experiments/run-study.node.ts";
import { studies } from "../../experiments/studies.node.ts";
import { readStudyFile } from "../../experiments/study-file.node.ts";
import { StudyFolder } from "../../experiments/study-folder.node.ts";
import { overviewPage } from "../../experiments/study-page.node.ts";
import { failureLine, type Study, type StudyOptions } from "../../experiments/study.ts";
import { UnnoiseError } from "../../math/error.ts";
import { alignedLines, counted, duration, shellWord } from "../../math/text.ts";
import { nearMiss } from "../../train/config.ts";
import { checkDataName } from "../data-name.ts";
import type { Io } from "../io.ts";
import { Progress } from "../progress.ts";
import { Terminal } from "../terminal.ts";

export interface ExperimentCommandOptions {
  readonly list?: boolean;
  readonly data?: readonly string[];
  readonly quick?: boolean;
  readonly seed?: number;
  readonly seeds?: number;
  readonly workers?: number;
  readonly out?: string;
  readonly overwrite?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const DEFAULT_OUT = "unnoise-experiments";
const DEFAULT_DATA = ["swiss-roll", "moons", "cross"] as const;
const DEFAULT_SEEDS = { quick: 2, full: 5 } as const;
const ALL = "all";
const CACHE = "cache";

/** `unnoise experiment` */
export async function experiment(name: string | undefined, options: ExperimentCommandOptions, io: Io): Promise<void> {
  const terminal = new Terminal(io, options);
  if (options.list === true) return terminal.print(listText());
  if (name === undefined) throw new UnnoiseError("usage", `experiment: which one? ${expected()}`);
  const asked = await studiesNamed(name);
  const began = performance.now();
  const request = await requestOf(name, asked, options);
  const done = await runAll(terminal, request, options);
  if (name === ALL) await writeOverview(request, done);
  await tell(terminal, request, done, options);
  terminal.say(`done in ${duration((performance.now() - began) / 1000)}`);
  checkFailures(done);
}

const expected = (): string =>
  `expected ${[...studies.map((study) => study.name), ALL].join(", ")}, or a .json or .yaml file that defines one`;

function listText(): string {
  const rows = studies.map(({ name, question }) => [name, question]);
  return `${alignedLines([...rows, [ALL, "All of them."]], "  ", 2).join("\n")}\n`;
}

/** The studies that a name stands for. */
async function studiesNamed(name: string): Promise<readonly Study[]> {
  if (name === ALL) return studies;
  const found = studies.find((study) => study.name === name);
  if (found) return [found];
  if (extname(name) !== "") return [checkOwnName(await readStudyFile(name), name)];
  const near = nearMiss(name, [...studies.map((study) => study.name), ALL]);
  throw new UnnoiseError("usage", `unknown experiment ${name}: ${expected()}${near ? `; did you mean ${near}?` : ""}`);
}

/** A study of the user's own has a folder of its own. */
function checkOwnName(own: Study, path: string): Study {
  const taken = [CACHE, ...studies.map((study) => study.name)];
  if (!taken.includes(own.name) && !/^\.*$/.test(own.name)) return own;
  throw new UnnoiseError("usage", `${path}: a study cannot be called "${own.name}"; rename the file`);
}

/** What was asked, checked before any work. */
interface Request {
  readonly out: string;
  readonly options: StudyOptions;
  readonly requests: readonly StudyRequest[];
  readonly command: string;
  /** Of the overview, where it is asked for. */
  readonly root: StudyFolder;
}

async function requestOf(name: string, asked: readonly Study[], flags: ExperimentCommandOptions): Promise<Request> {
  const { out = DEFAULT_OUT, overwrite = false, quick = false, seed = 0 } = flags;
  const scale = quick ? "quick" : "full";
  const data = await Promise.all(distinctNames(flags.data ?? asked[0]?.data ?? DEFAULT_DATA).map(sourceOf));
  const options: StudyOptions = { data, scale, seed, seeds: flags.seeds ?? asked[0]?.seeds ?? DEFAULT_SEEDS[scale] };
  const root = new StudyFolder(out);
  if (name === ALL) await root.checkFree({ study: { name: ALL }, options, overwrite, shared: true });
  const requests = asked.map((study) => {
    const folder = new StudyFolder(join(out, study.name));
    return { study, options, folder, command: commandOf(name === ALL ? study.name : name, options, flags.out) };
  });
  for (const { study, folder } of requests) await folder.checkFree({ study, options, overwrite });
  return { out, options, requests, command: commandOf(name, options, flags.out), root };
}

/** Reports call data by the last part of their names, so one name must not stand for two. */
function distinctNames(data: readonly string[]): readonly string[] {
  const byName = new Map<string, string>();
  for (const each of data.map((name) => checkDataName(name))) {
    const other = byName.get(basename(each));
    if (other === each) throw new UnnoiseError("usage", `data: ${each} stands there twice; name it once`);
    if (other !== undefined) {
      throw new UnnoiseError("usage", `data: ${other} and ${each} would have one name in the report; rename a file`);
    }
    byName.set(basename(each), each);
  }
  return data;
}

/** What makes the same again, whatever the defaults will be. */
function commandOf(name: string, { data, scale, seed, seeds }: StudyOptions, out: string | undefined): string {
  return [
    `unnoise experiment ${shellWord(name)}`,
    ...(scale === "quick" ? ["--quick"] : []),
    `--data ${shellWord(data.map((source) => source.data).join(","))}`,
    `--seed ${seed}`,
    `--seeds ${seeds}`,
    ...(out === undefined ? [] : [`--out ${shellWord(out)}`]),
  ].join(" ");
}

async function runAll(
  terminal: Terminal,
  { out, requests, command }: Request,
  { workers = availableParallelism(), overwrite = false }: ExperimentCommandOptions,
): Promise<DoneStudy[]> {
  const cache = new JobCache(join(out, CACHE));
  const unlock = await lockFolder(cache.path);
  const lanes = Array.from({ length: workers }, () => workerLane());
  const view = new View(terminal);
  const again = `${command}${overwrite ? " --overwrite" : ""}`;
  const release = terminal.io.onStop({ says: `finished work is kept; go on with: ${again}` });
  try {
    // Never aborts: the whole program ends.
    return await runStudies(requests, { ...view.hooks, cache, lanes, signal: new AbortController().signal });
  } finally {
    release();
    view.stop();
    await Promise.all(lanes.map((lane) => lane.close()));
    await unlock();
  }
}

/** One view of all that is at work. */
class View {
  readonly #terminal: Terminal;
  #progress: Progress | undefined;
  #label = "running";

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  readonly hooks: Pick<Parameters<typeof runStudies>[1], "onProgress" | "onFailure" | "onDrawing"> = {
    onProgress: ({ done, total, running }) => {
      const percent = total === 0 ? 100 : (100 * done) / total;
      this.#progress ??= new Progress(this.#terminal, { label: this.#label, total: 100, start: percent });
      this.#progress.update(percent, () => [running.join(" | ")]);
    },
    onFailure: (failure) => this.#terminal.warn(failureLine(failure)),
    onDrawing: (figures) => {
      this.stop();
      this.#label = `drawing ${counted(figures, "figure")}`;
    },
  };

  stop(): void {
    this.#progress?.stop();
    this.#progress = undefined;
  }
}

/** The page above all reports. */
async function writeOverview({ root, options, command }: Request, done: readonly DoneStudy[]): Promise<void> {
  const entries = done.map(({ study, report, failures, figures }) => ({
    study,
    findings: report.findings,
    lead: [...figures.values()][0],
    failures,
  }));
  const found = entries.map(({ study, findings }) => ({ study: study.name, findings }));
  await root.replace(new Map([["report.html", overviewPage(entries, command)]]), {
    study: ALL,
    command,
    options,
    found,
  });
}

async function tell(
  terminal: Terminal,
  { out, requests }: Request,
  done: readonly DoneStudy[],
  { json = false }: ExperimentCommandOptions,
): Promise<void> {
  if (json) {
    const told = done.map(({ study, folder, report, failures }) => ({
      study: study.name,
      folder: folder.path,
      findings: report.findings,
      failures: failures.map(failureLine),
      numbers: report.numbers,
    }));
    return terminal.print(`${JSON.stringify(told, null, 2)}\n`);
  }
  await terminal.tell(done.map(({ study, report }) => `${study.title}\n${report.findings}\n`).join("\n"));
  const folder = requests.length > 1 ? out : (requests[0]?.folder.path ?? out);
  terminal.say(`open ${pathToFileURL(resolve(folder, "report.html")).href}`);
}

/** Runs that failed leave a report of the rest, and say so. */
function checkFailures(done: readonly DoneStudy[]): void {
  const failed = new Set(done.flatMap(({ failures }) => failures.map(failureLine)));
  const [first] = failed;
  if (first === undefined) return;
  const advice = "the report shows the rest; the same command tries them again";
  throw new UnnoiseError("runtime", `${counted(failed.size, "run")} failed, first ${first}; ${advice}`);
}
