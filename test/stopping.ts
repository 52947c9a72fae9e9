import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync, readdirSync, readlinkSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeNpy } from "../src/formats/npy.ts";
import { floatTensor } from "../src/tensor/tensor.ts";

const PROGRAM = new URL("../bin/unnoise.js", import.meta.url).pathname;

/** Commands by what there is to stop in them, as lines; those at work for long are `long`. */
export interface StopLines {
  /** Work that lasts many seconds: a signal finds it at work. */
  readonly long: Readonly<Record<string, readonly string[]>>;
  /** Done in moments: a signal comes at any point of them, or after. */
  readonly short: Readonly<Record<string, readonly string[]>>;
}

/** Every command of the program, at sizes that last, in a folder with a run `run` of points, one `images` of images. */
export const stopLines: StopLines = {
  long: {
    train: ["train moons --iterations 1000000 --out new --overwrite --quiet"],
    sample: [
      "sample run --count 3000000 --out samples.csv --overwrite",
      "sample images --count 2000 --out grid.png --overwrite",
    ],
    evaluate: [
      "evaluate run --count 20000",
      "evaluate run --bound --count 100000",
      "evaluate run --likelihood --oracle --count 20000",
      "evaluate images --bound",
    ],
    plot: ["plot run reverse --count 200000 --out reverse.gif --overwrite"],
    data: ["data moons --count 10000000 --out data.csv --overwrite", "data slow.svg --out drawn.csv --overwrite"],
    experiment: ["experiment all --quick --workers 2 --quiet"],
    demo: ["demo --out demo --overwrite --quiet"],
  },
  short: {
    import: ["import exported --out imported --overwrite"],
    export: ["export images --to onnx --out images.onnx --overwrite"],
    schedule: ["schedule cosine --timesteps 100000 --out schedule.svg --overwrite"],
    info: ["info run"],
    presets: ["presets"],
  },
};

const preparing: readonly string[] = [
  "train moons --iterations 40 --width 16 --depth 1 --data-size 100000 --out run --quiet",
  "train images.npy --iterations 2 --batch-size 4 --out images --quiet",
  "export images --to diffusers --out exported --quiet",
];

/** Whose noise takes longer than anybody waits. */
const SLOW_DRAWING = `<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><filter id="f">
<feTurbulence numOctaves="100000" baseFrequency="0.5"/></filter><rect width="20" height="10" filter="url(#f)"/></svg>`;

/** Makes what the lines read, in an empty folder. */
export function prepareFolder(folder: string): void {
  const images = Float32Array.from({ length: 600 * 16 * 16 }, (_, i) => Math.sin(i) ** 2);
  writeFileSync(join(folder, "images.npy"), encodeNpy(floatTensor(images, [600, 16, 16])));
  writeFileSync(join(folder, "slow.svg"), SLOW_DRAWING);
  for (const line of preparing) {
    const { status, stderr } = spawnSync(process.execPath, [PROGRAM, ...line.split(" ")], {
      cwd: folder,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`${line}: ${stderr}`);
  }
}

/** How a command ended that was stopped. */
export interface Stopped {
  /** From the first signal to the end. */
  readonly seconds: number;
  /** 130 also where the process ended by SIGINT, as a shell tells it; other signals by their names. */
  readonly code: number | string;
  /** Whether it was done before the signal came. */
  readonly early: boolean;
  readonly stderr: string;
  /** Temporary files and, on Linux, processes that it left. */
  readonly left: readonly string[];
}

function processesIn(folder: string): string[] {
  if (!existsSync("/proc")) return [];
  const real = realpathSync(folder);
  const isThere = (pid: string): boolean => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`) === real;
    } catch {
      return false;
    }
  };
  return readdirSync("/proc")
    .filter(isThere)
    .map((pid) => `process ${pid}`);
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until a process hears signals; before that, Node is starting, and the system ends it. */
async function listening({ pid, exitCode }: ChildProcess): Promise<void> {
  if (!existsSync("/proc")) return pause(500);
  const hears = (): boolean => {
    // The lowest bit is SIGHUP's, which Node itself does not catch.
    const caught = /^SigCgt:\s*[0-9a-f]*([0-9a-f])$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "0";
    return (Number.parseInt(caught, 16) & 1) === 1;
  };
  while (exitCode === null && !hears()) await pause(2);
}

/** Starts a command, sends it a signal some time after it hears them, and a second one where asked, and waits for its end. */
export async function stopped(
  folder: string,
  line: string,
  { signal, after, again }: { readonly signal: NodeJS.Signals; readonly after: number; readonly again?: number },
): Promise<Stopped> {
  const child = spawn(process.execPath, [PROGRAM, ...line.split(" ")], { cwd: folder });
  let stderr = "";
  child.stdout.resume();
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  let sent = 0;
  await listening(child);
  const timers = [after, ...(again === undefined ? [] : [after + again])].map((ms) =>
    setTimeout(() => {
      sent ||= performance.now();
      child.kill(signal);
    }, ms),
  );
  const code = await new Promise<number | string>((resolve) => {
    child.on("close", (exit, by) => resolve(exit ?? (by === "SIGINT" ? 130 : String(by))));
  });
  timers.forEach(clearTimeout);
  const seconds = sent === 0 ? 0 : (performance.now() - sent) / 1000;
  // The system takes a moment to clear away a process that was ended in the middle of its work.
  for (let waited = 0; waited < 1000 && processesIn(folder).length > 0; waited += 20) await pause(20);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".tmp"));
  const left = [...files, ...processesIn(folder)];
  return { seconds, code, early: sent === 0, stderr, left };
}
