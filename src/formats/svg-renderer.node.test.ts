import { execFileSync, spawn } from "node:child_process";
import { expect, test } from "vitest";
import { renderApart } from "./svg-renderer.node.ts";

const open = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10">';
const square = `${open}<rect width="10" height="10"/></svg>`;
/** Takes minutes. */
const endless = `${open}<filter id="f"><feTurbulence numOctaves="1000000000" baseFrequency="0.5"/></filter><rect width="20" height="10" filter="url(#f)"/></svg>`;
/** A NUL behind a tag that is not closed aborts the renderer (resvg-js 2.6.2). */
const aborting = '<svg xmlns="http://www.w3.org/2000/svg"\0';

test("an abort or endless work costs one drawing, and is said; the others are drawn", async () => {
  const drawings = [square, aborting, square, endless, square, aborting, square];
  const results = await Promise.all(drawings.map((svg) => renderApart(svg, 64, 2000)));
  const said = results.map((result) => ("failed" in result ? result.failed : `${result.width} × ${result.height}`));
  expect(said).toEqual([
    "64 × 32",
    expect.stringMatching(/panic|SIGABRT|134|error/i),
    "64 × 32",
    "it takes more than 2 s to draw",
    "64 × 32",
    said[1],
    "64 × 32",
  ]);
});

test("what is wrong with markup is said", async () => {
  expect(await renderApart("<p>", 64)).toEqual({ failed: expect.stringMatching(/\w/) as string });
});

test("renderers do not keep a process alive, and end with it however it ends", async () => {
  const module = JSON.stringify(new URL("./svg-renderer.node.ts", import.meta.url).href);
  const run = (code: string): readonly string[] => ["--import", "tsx", "--input-type=module", "-e", code];
  const drawing = `const { renderApart } = await import(${module}); console.log((await renderApart(${JSON.stringify(square)}, 8)).width);`;
  expect(execFileSync(process.execPath, run(drawing), { encoding: "utf8", timeout: 30_000 })).toBe("8\n");
  const killed = spawn(process.execPath, run(`${drawing} renderApart(${JSON.stringify(endless)}, 8, 1e6);`));
  await new Promise((resolve) => killed.stdout.once("data", resolve));
  const children = (): string[] =>
    execFileSync("ps", ["-eo", "pid=,ppid=,args="], { encoding: "utf8" })
      .split("\n")
      .filter((line) => line.includes(`,${killed.pid},`));
  expect(children()).toHaveLength(1);
  killed.kill("SIGKILL");
  await expect.poll(children, { timeout: 5000 }).toEqual([]);
}, 60_000);
