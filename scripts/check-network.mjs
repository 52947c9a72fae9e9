// Runs the built program under strace and fails if it opens an internet socket or asks a resolver.
// usage: node scripts/check-network.mjs [--seconds 30]
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { seconds: { type: "string", default: "30" } } });
const seconds = Number(values.seconds);
const root = new URL("..", import.meta.url).pathname;
const work = mkdtempSync(join(tmpdir(), "unnoise-network-"));
const cache = join(work, "cache");
mkdirSync(cache);
// ONNX Runtime is silent by itself on machines that say they test, which would hide what it does on others.
const { ORT_DISABLE_TELEMETRY: _, CI: _ci, ...inherited } = process.env;
const env = { ...inherited, XDG_CACHE_HOME: cache, HOME: cache };

/** The traced calls of a program, which is interrupted after its time. */
function trace(name, args) {
  const log = join(work, `${name}.strace`);
  const traced = spawn("strace", ["-f", "-qq", "-e", "trace=network", "-o", log, process.execPath, ...args], {
    env,
    stdio: ["ignore", "ignore", "inherit"],
    detached: true,
  });
  const stop = setTimeout(() => process.kill(-traced.pid, "SIGINT"), seconds * 1000);
  return new Promise((resolve, reject) => {
    traced.on("error", reject);
    traced.on("close", (code, signal) => {
      clearTimeout(stop);
      if (code === 0 || code === 130 || signal === "SIGINT") resolve(readFileSync(log, "utf8").split("\n"));
      else reject(new Error(`${name} ended with ${code ?? signal}`));
    });
  });
}

/** Internet sockets, and the local sockets behind which a resolver answers. */
const outside = (lines) => lines.filter((line) => /AF_INET|nscd|resolve/.test(line));

/** Files of a cache folder that are not unnoise's. */
const foreign = () =>
  readdirSync(cache, { recursive: true, encoding: "utf8" }).filter((path) => !/^unnoise(\/|$)/.test(path));

const program = join(root, "bin/unnoise.js");
const library = JSON.stringify(join(root, "dist/node.js"));
const pipeline = JSON.stringify(join(root, "test/golden/pipelines/ddpm"));
const runtime = JSON.stringify(join(root, "node_modules/onnxruntime-node/dist/index.js"));
const script = (code) => ["--input-type=module", "-e", code];
const idle = `setTimeout(() => {}, ${seconds * 1000});`;
const train = `const { train, sample, toyDataset } = await import(${library});
  await sample(await train(toyDataset("moons"), { iterations: 20, width: 8, depth: 1 }), { count: 8 });`;
const small = ["--width", "8", "--depth", "1", "--quiet"];
const [run, finished] = [join(work, "run"), join(work, "finished")];

/** [name, arguments of node, whether it must show a socket] */
const cases = [
  ["control: a name is resolved", script('(await import("node:dns")).lookup("unnoise.invalid", () => {})'), true],
  ["train", [program, "train", "moons", "--iterations", "10000000", "--out", run, ...small]],
  ["sample", [program, "sample", finished, "--count", "100000", "--out", join(work, "points.csv")]],
  [
    "import",
    script(`const { importDiffusers } = await import(${library}); await importDiffusers(${pipeline}); ${idle}`),
  ],
  [
    "worker thread",
    script(`const { Worker } = await import("node:worker_threads");
      new Worker(${JSON.stringify(`(async () => { ${train} ${idle} })()`)}, { eval: true });`),
  ],
];

let failed = false;
function report(name, right, words) {
  failed ||= !right;
  console.log(`${right ? "ok  " : "FAIL"} ${name}: ${words}`);
}

try {
  execFileSync(process.execPath, [program, "train", "moons", "--iterations", "20", "--out", finished, ...small], {
    env,
  });
  for (const [name, args, expected = false] of cases) {
    const found = outside(await trace(name.replace(/\W+/g, "-"), args));
    const right = found.length > 0 === expected;
    report(name, right, [`${found.length} calls outside`, ...(right ? [] : found)].join("\n"));
  }
  report("cache folder", foreign().length === 0, foreign().join(" ") || "nothing");
  const bare = `(await import(${runtime})).default.InferenceSession.create(new Uint8Array(1)).catch(() => {});`;
  execFileSync(process.execPath, script(bare), { env });
  report("control: ONNX Runtime without unnoise", foreign().length > 0, foreign().join(" ") || "nothing");
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
