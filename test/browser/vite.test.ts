import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { build, createServer, preview } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at } from "../../src/math/error.ts";
import { executablePath, flags } from "./chromium.ts";

const root = new URL("../../", import.meta.url).pathname;

/** The example as its users have it: beside it `unnoise`, installed, without the optional onnxruntime-node. */
let folder: string;
beforeAll(async () => {
  await mkdir(join(root, ".tmp"), { recursive: true });
  folder = await mkdtemp(join(root, ".tmp", "vite-"));
  await cp(join(root, "examples/vite"), folder, { recursive: true });
  for (const part of ["dist", "package.json"])
    await cp(join(root, part), join(folder, "node_modules/unnoise", part), { recursive: true });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the page says in the end. */
async function stateAt(address: string): Promise<string | null> {
  const profile = join(folder, ".profile");
  const browser = await chromium.launchPersistentContext(profile, { executablePath, args: flags, headless: true });
  try {
    const page = await browser.newPage();
    await page.goto(address);
    await page.waitForFunction('document.querySelector("#state").textContent !== "training"', null, {
      timeout: 90_000,
    });
    return await page.textContent("#state");
  } finally {
    await browser.close();
  }
}

const options = () => ({ root: folder, configFile: join(folder, "vite.config.ts"), logLevel: "error" as const });
const DONE = "sampled 100 × 2 of 2 threads";

// Where tests run by themselves, a missing browser is a failure, not a reason to skip.
describe.skipIf(!existsSync(executablePath) && process.env["CI"] === undefined)("a worker in a Vite project", () => {
  it("trains and samples as built", async () => {
    await build(options());
    const server = await preview({ ...options(), preview: { port: 0 } });
    const state = await stateAt(at(server.resolvedUrls?.local ?? [], 0)).finally(() => server.close());
    expect(state).toBe(DONE);
  }, 120_000);

  it("trains and samples in development", async () => {
    const server = await createServer({ ...options(), server: { port: 0 } });
    await server.listen();
    const state = await stateAt(at(server.resolvedUrls?.local ?? [], 0)).finally(() => server.close());
    expect(state).toBe(DONE);
  }, 120_000);
});
