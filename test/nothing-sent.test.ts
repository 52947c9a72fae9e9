import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const VARIABLE = "ORT_DISABLE_TELEMETRY";
const LIBRARY = new URL("../dist/node.js", import.meta.url).pathname;
const RUNTIME = createRequire(import.meta.url).resolve("onnxruntime-node");

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "unnoise-home-"));
  mkdirSync(join(home, "cache"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** What a program leaves in an empty home and cache folder that is not unnoise's; its output goes to the second of the two. */
function leavings(args: readonly string[], variables: Readonly<Record<string, string>> = {}): [string[], string] {
  // ONNX Runtime is silent by itself on machines that say they test, which would hide what it does on others.
  const { [VARIABLE]: _, CI: _ci, ...inherited } = process.env;
  const env = { ...inherited, HOME: home, XDG_CACHE_HOME: join(home, "cache"), ...variables };
  const stdout = execFileSync(process.execPath, args, { env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  const files = readdirSync(home, { recursive: true, encoding: "utf8" });
  return [files.filter((name) => !/^cache($|\/unnoise)|^run/.test(name)), stdout.trim()];
}

const script = (code: string): string[] => ["--input-type=module", "-e", code];
const TRAIN = `const { train, toyDataset } = await import(${JSON.stringify(LIBRARY)});
  await train(toyDataset("moons", { count: 50 }), { iterations: 2, width: 4, depth: 1, batchSize: 8 });`;
const inWorker = (options: string): string[] =>
  script(`const { Worker } = await import("node:worker_threads");
    const worker = new Worker(${JSON.stringify(`(async () => { ${TRAIN} })()`)}, { eval: true, ${options} });
    worker.on("exit", () => console.log(process.env.${VARIABLE}));`);
/** Its files are there as soon as a session is asked for. */
const bare = `await (await import(${JSON.stringify(RUNTIME)})).default.InferenceSession.create(new Uint8Array(1)).catch(() => {});`;

describe("nothing is left in the cache folder", () => {
  it("by the command line", () => {
    const program = new URL("../bin/unnoise.js", import.meta.url).pathname;
    const size = ["--iterations", "20", "--width", "8", "--depth", "1", "--quiet"];
    expect(leavings([program, "train", "moons", "--out", join(home, "run"), ...size])[0]).toEqual([]);
  });

  it.each([
    ["the main thread", script(`${TRAIN} console.log(process.env.${VARIABLE})`)],
    ["a worker thread", inWorker("")],
    ["a worker thread with an environment of its own", inWorker("env: {}")],
    ["a worker thread that shares its environment", inWorker(`env: (await import("node:worker_threads")).SHARE_ENV`)],
  ])("by the library in %s", (_name, args) => {
    expect(leavings(args)).toEqual([[], "1"]);
  });

  it("which holds a device id where ONNX Runtime is used without unnoise", () => {
    expect(leavings(script(bare))[0]).toContainEqual(expect.stringContaining("deviceid"));
    const copy = `process.env.${VARIABLE} = "1"; ${bare}`;
    const worker = script(`const { Worker } = await import("node:worker_threads");
      new Worker(${JSON.stringify(`(async () => { ${copy} })()`)}, { eval: true });`);
    rmSync(join(home, "cache/Microsoft"), { recursive: true });
    expect(leavings(worker)[0], "a worker's copy does not reach it").toContainEqual(
      expect.stringContaining("deviceid"),
    );
  });
});

it("keeps a user's own value", () => {
  expect(leavings(script(`${TRAIN} console.log(process.env.${VARIABLE})`), { [VARIABLE]: "true" })[1]).toBe("true");
  expect(leavings(inWorker(""), { [VARIABLE]: "true" })[1]).toBe("true");
});

it("says what to do in a worker whose main thread does not answer, and what it says works", () => {
  const code = `import fs from "node:fs"; import { workerData } from "node:worker_threads"; import(${JSON.stringify(LIBRARY)}).then(async () => { ${TRAIN} }).then(() => "trained", (e) => e.message)
    .then((line) => { fs.writeSync(1, line); Atomics.notify(workerData, 0); })`;
  const blocked = script(`const { Worker } = await import("node:worker_threads");
    const gate = new Int32Array(new SharedArrayBuffer(4));
    new Worker(${JSON.stringify(code)}, { eval: true, workerData: gate });
    Atomics.wait(gate, 0, 0, 40_000);`);
  const [left, message] = leavings(blocked);
  expect(left).toEqual([]);
  const [name, value] = /start the program with (\w+)=(\w+) in its environment/.exec(message)?.slice(1) ?? [];
  expect(leavings(blocked, { [String(name)]: String(value) })).toEqual([[], "trained"]);
});

const hasStrace = spawnSync("strace", ["-V"]).status === 0;

it.skipIf(!hasStrace && !process.env["CI"])(
  "opens no internet socket and asks no resolver",
  () => {
    const check = new URL("../scripts/check-network.mjs", import.meta.url).pathname;
    const { status, stdout } = spawnSync(process.execPath, [check, "--seconds", "2"], { encoding: "utf8" });
    expect(stdout).not.toContain("FAIL");
    expect(status).toBe(0);
  },
  120_000,
);
