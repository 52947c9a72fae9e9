import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const root = new URL("..", import.meta.url).pathname;
const BUILT = ["cli.js", "program-thread.js", "node.js", "web.js", "experiment-worker.js"];
const SOURCES = ["package.json", "tsdown.config.ts"];

function newestSource(): number {
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => join("src", name));
  return Math.max(...[...SOURCES, ...sources].map((name) => statSync(join(root, name)).mtimeMs));
}

function oldestBuilt(): number {
  const paths = BUILT.map((name) => join(root, "dist", name));
  return paths.every((path) => existsSync(path)) ? Math.min(...paths.map((path) => statSync(path).mtimeMs)) : 0;
}

/** Builds dist/, which tests of the real program need, unless it is newer than its sources. */
export function setup(): void {
  if (oldestBuilt() > newestSource()) return;
  execFileSync(join(root, "node_modules/.bin/tsdown"), { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
}
