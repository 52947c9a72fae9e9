// Packs the package, installs the tarball into empty folders and uses it there as its users would; prints what it weighs.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const root = new URL("..", import.meta.url).pathname;
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const work = mkdtempSync(join(tmpdir(), "unnoise-package-"));
// The tests of a package must not see the folder that it was made in.
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("npm_")));
// The install script of onnxruntime-node only fetches CUDA files. Without this variable it fails where their host is blocked.
environment.ONNXRUNTIME_NODE_INSTALL = "skip";
// A proxy that nobody serves, for the install script alone: npm itself has its own setting.
const blocked = { GLOBAL_AGENT_HTTPS_PROXY: "http://127.0.0.1:9", ONNXRUNTIME_NODE_INSTALL: "cuda12" };

const run = (folder, command, ...args) => runWith({}, folder, command, ...args);
const runWith = (variables, folder, command, ...args) =>
  execFileSync(command, args, {
    cwd: folder,
    env: { ...environment, ...variables },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
const evaluate = (folder, code, ...flags) => run(folder, "node", ...flags, "--input-type=module", "-e", code).trim();
const say = (text) => process.stdout.write(`${text}\n`);
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(2).padStart(8)} MB`;

function bytesOf(path) {
  const entry = statSync(path, { throwIfNoEntry: false });
  if (!entry?.isDirectory()) return entry?.size ?? 0;
  return readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0);
}

function pack() {
  run(root, "npm", "pack", "--silent", "--pack-destination", work);
  const tarball = join(
    work,
    readdirSync(work).find((name) => name.endsWith(".tgz")),
  );
  say(`tarball ${megabytes(statSync(tarball).size)}`);
  return tarball;
}

async function lint(tarball) {
  const bytes = readFileSync(tarball);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true });
  assert.deepEqual(
    messages.map((message) => formatMessage(message, pkg)),
    [],
    "publint",
  );
  say("publint: nothing to say");
}

/** An empty folder with the tarball installed and nothing else. */
const install = (tarball, name) => installWith({}, tarball, name);
function installWith(variables, tarball, name) {
  const folder = join(work, name);
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  runWith(variables, folder, "npm", "install", tarball, "--silent", "--no-audit", "--no-fund");
  return folder;
}

/** Bytes of every installed package by name. */
function weights(folder) {
  const modules = join(folder, "node_modules");
  const visible = (path) => readdirSync(path).filter((name) => !name.startsWith("."));
  const names = visible(modules).flatMap((name) =>
    name.startsWith("@") ? visible(join(modules, name)).map((inner) => `${name}/${inner}`) : [name],
  );
  return new Map(names.map((name) => [name, bytesOf(join(modules, name))]));
}

function reportWeight(full, lean) {
  const [all, needed] = [weights(full), weights(lean)];
  const total = (sizes) => [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  say(`npm install                 ${megabytes(total(all))} in ${all.size} packages`);
  say(`without onnxruntime-node    ${megabytes(total(needed))} in ${needed.size} packages`);
  for (const [name, bytes] of [...all].sort((a, b) => b[1] - a[1]).slice(0, 12))
    say(`  ${megabytes(bytes)} ${name}${needed.has(name) ? "" : " (optional)"}`);
}

const training = `
  const { train, sample, toyDataset } = await import("unnoise");
  const options = { iterations: 5, batchSize: 16, width: 8, depth: 1, timesteps: 20 };
  const model = await train(toyDataset("moons", { count: 100 }), options);
  const { shape, data } = await sample(model, { count: 3 });
  console.log(JSON.stringify({ shape, finite: data.every(Number.isFinite) }));`;

function checkImports(folder) {
  const resolve = 'console.log(import.meta.resolve("unnoise"))';
  assert.match(evaluate(folder, resolve), /\/unnoise\/dist\/node\.js$/);
  assert.match(evaluate(folder, resolve, "--conditions=browser"), /\/unnoise\/dist\/web\.js$/);
  assert.deepEqual(JSON.parse(evaluate(folder, training)), { shape: [3, 2], finite: true });
  assert.equal(evaluate(folder, 'console.log(typeof (await import("unnoise/figures")).scatterFigure)'), "function");
  say("import: Node and browser entries resolve; the Node entry trains and samples");
}

function checkTypes(folder) {
  const entries = { node: "loadPoints", web: "configureRuntime" };
  const flags = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2023", "--module", "esnext"];
  for (const [entry, name] of Object.entries(entries)) {
    const file = join(folder, `${entry}.ts`);
    writeFileSync(
      file,
      `import { ${name}, train } from "unnoise";\nexport const used: unknown[] = [${name}, train];\n`,
    );
    const conditions = entry === "web" ? ["--customConditions", "browser"] : [];
    run(
      folder,
      "node",
      join(root, "node_modules/typescript/bin/tsc"),
      ...flags,
      ...conditions,
      "--moduleResolution",
      "bundler",
      file,
    );
  }
  say("types: both entries check");
}

function checkCommand(folder) {
  const unnoise = (...args) => run(folder, join(folder, "node_modules/.bin/unnoise"), ...args);
  assert.equal(unnoise("--version").trim(), version);
  const size = ["--iterations", "20", "--batch-size", "32", "--width", "16", "--depth", "1", "--timesteps", "50"];
  unnoise("train", "moons", "--out", "run", "--quiet", ...size);
  unnoise("sample", "run", "--count", "7", "--sampler", "ddim", "--steps", "5", "--out", "points.csv");
  const lines = readFileSync(join(folder, "points.csv"), "utf8").trim().split("\n");
  assert.equal(lines.length, 8, "a header and seven points");
  say(`command: unnoise ${version} trains a run and samples it into a file`);
}

/**
 * Where the install script cannot reach its host, npm drops the native engine without a word: then everything runs by WebAssembly,
 * a warning says what to do, and that works.
 */
function checkBlocked(folder) {
  assert.ok(!existsSync(join(folder, "node_modules/onnxruntime-node")), "the control: npm dropped the native engine");
  assert.deepEqual(JSON.parse(evaluate(folder, training)), { shape: [3, 2], finite: true });
  checkCommand(folder);
  const train = (out) => {
    const size = ["--iterations", "5", "--width", "8", "--depth", "1", "--timesteps", "20"];
    const program = join(folder, "node_modules/.bin/unnoise");
    const { status, stderr } = spawnSync(program, ["train", "moons", "--out", out, ...size], {
      cwd: folder,
      env: environment,
      encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
    return stderr;
  };
  const [, advice] = /computing by WebAssembly.*install it with: (npm install \S+ --ignore-scripts)$/m.exec(
    train("web"),
  );
  runWith(blocked, folder, ...advice.split(" "), "--silent", "--no-audit", "--no-fund");
  assert.doesNotMatch(train("native"), /WebAssembly/);
  say(`script host blocked: trains and samples by WebAssembly; after "${advice}" natively`);
}

try {
  const tarball = pack();
  await lint(tarball);
  const full = install(tarball, "full");
  checkImports(full);
  checkTypes(full);
  checkCommand(full);
  const lean = installWith(blocked, tarball, "lean");
  reportWeight(full, lean);
  checkBlocked(lean);
} finally {
  rmSync(work, { recursive: true, force: true });
}
