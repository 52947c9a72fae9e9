import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { chromium, type BrowserContext, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at } from "../../src/math/error.ts";
import { executablePath, flags } from "./chromium.ts";
import { bundlePage, type Chunk } from "./bundle.ts";
import { runMoons, type MoonsRun } from "./moons.ts";
import { serve } from "./serve.ts";
import { runShapes } from "./shapes.ts";

const hasChromium = existsSync(executablePath);
/** What a page that has loaded `page.ts` adds to its window. */
interface PageWindow {
  readonly unnoise: Pick<typeof import("../../src/web.ts"), "configureRuntime">;
  readonly runMoons: typeof runMoons;
  readonly runShapes: typeof runShapes;
}

/**
 * Points of DDIM, in the units of the data. A rounding 2^-24 of ε̂ moves x̂_0 by at most √(1/ᾱ_T − 1) = 157 of them; 20 steps and a
 * few roundings a step stay below 1e-3. On WebGPU the weights differ by more than rounding: the first steps of Adam move a weight by
 * η·g/|g| however small its gradient g, so one that is 0 up to rounding may move either way.
 */
const SAMPLE_TOLERANCE: Readonly<Record<string, number>> = { wasm: 1e-3, webgpu: 1e-2 };

/** The same for pixels in [−1, 1], where x̂_0 is clipped; Adam's first steps move every weight by η whatever its gradient. */
const SHAPES_TOLERANCE = { wasm: 1e-3, webgpu: 5e-2 } as const;

/** The largest difference of two equally long lists. */
const distance = (a: readonly number[], b: readonly number[]): number => {
  expect(a).toHaveLength(b.length);
  return Math.max(...a.map((value, i) => Math.abs(value - at(b, i))));
};

let bundle: Awaited<ReturnType<typeof bundlePage>>;
beforeAll(async () => {
  bundle = await bundlePage();
}, 60_000);
afterAll(() => rm(bundle.folder, { recursive: true, force: true }));

describe("the browser entry", () => {
  const importsOf = (chunks: readonly Chunk[]): string[] =>
    chunks.flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports]);

  it("is what a bundler for browsers finds under the name unnoise", () => {
    const modules = bundle.page.flatMap((chunk) => Object.keys(chunk.modules));
    const files = modules.filter((id) => id.includes("node_modules/unnoise/")).map((id) => id.split("/unnoise/")[1]);
    expect(files).toContain("dist/web.js");
    expect(files).not.toContain("dist/node.js");
    expect(modules.filter((id) => id.includes("onnxruntime-node"))).toEqual([]);
  });

  it("leaves onnxruntime-web out and imports nothing of Node", () => {
    const sources = bundle.entry.flatMap((chunk) => Object.keys(chunk.modules));
    expect(sources.some((id) => id.endsWith("backend.web.ts"))).toBe(true);
    expect(sources.filter((id) => id.endsWith(".node.ts") || id.includes("node_modules"))).toEqual([]);
    for (const chunks of [bundle.entry, bundle.page])
      expect(importsOf(chunks).filter((id) => id.startsWith("node:"))).toEqual([]);
    expect(bundle.entry.map(({ code }) => code).join("")).not.toMatch(/["']node:/);
  });

  it("weighs, minified with its dependencies but without onnxruntime-web, less than 130 kB compressed", () => {
    const own = bundle.page.filter(({ facadeModuleId }) => facadeModuleId?.includes("onnxruntime-web") !== true);
    const compressed = gzipSync(own.map(({ code }) => code).join("")).length;
    expect(compressed).toBeLessThan(130_000);
  });
});

// Where tests run by themselves, a missing browser is a failure, not a reason to skip.
describe.skipIf(!hasChromium && process.env["CI"] === undefined)(`in Chromium (${executablePath})`, () => {
  let server: Server;
  let origin: string;
  let profile: string;
  let browser: BrowserContext;

  beforeAll(async () => {
    const onnxruntime = new URL("../../node_modules/onnxruntime-web/dist", import.meta.url).pathname;
    ({ server, origin } = await serve({ page: join(bundle.folder, "page"), onnxruntime }));
    profile = await mkdtemp(join(tmpdir(), "unnoise-chromium-"));
    browser = await chromium.launchPersistentContext(profile, { executablePath, args: flags, headless: true });
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    server.close();
    await rm(profile, { recursive: true, force: true });
  });

  async function open(path: "/plain" | "/isolated"): Promise<Page> {
    const page = await browser.newPage();
    await page.goto(origin + path);
    await page.waitForFunction(() => "runMoons" in globalThis);
    return page;
  }

  async function run(page: Page, ...args: Parameters<typeof runMoons>): Promise<MoonsRun> {
    return page.evaluate(async (given) => {
      const window = globalThis as unknown as PageWindow;
      window.unnoise.configureRuntime({ wasmPaths: "onnxruntime" });
      return window.runMoons(...given);
    }, args);
  }

  /** What the page's promise rejects with. */
  async function failure(page: Page, ...args: Parameters<typeof runMoons>): Promise<unknown> {
    return page.evaluate(async (given) => {
      const attempt = (globalThis as unknown as PageWindow).runMoons(...given);
      return attempt.then(
        () => "no error",
        (error: unknown) => String(error),
      );
    }, args);
  }

  it.each([
    { device: "wasm", iterations: 200, threads: 1, path: "/plain" },
    { device: "wasm", iterations: 20, threads: 2, path: "/isolated" },
    { device: "webgpu", iterations: 20, threads: 1, path: "/plain" },
  ] as const)(
    "trains and samples as Node does: $device, $iterations steps, $threads threads",
    async ({ device, iterations, threads, path }) => {
      const page = await open(path);
      const inPage = await run(page, device, iterations, threads);
      const inNode = await runMoons("cpu", iterations, 1);
      expect(distance(inPage.losses, inNode.losses), "losses").toBeLessThan(1e-3);
      expect(distance(inPage.samples, inNode.samples), "samples").toBeLessThan(SAMPLE_TOLERANCE[device] ?? 0);
      await page.close();
    },
    // SwiftShader compiles WebGPU's shaders for half a minute where the processors are busy.
    180_000,
  );

  it.each([
    { device: "wasm", iterations: 5 },
    { device: "webgpu", iterations: 3 },
  ] as const)(
    "trains and samples a U-Net with classes as Node does: $device, $iterations steps",
    async ({ device, iterations }) => {
      const page = await open("/plain");
      const inPage = await page.evaluate(
        async ([where, steps]) => {
          const window = globalThis as unknown as PageWindow;
          window.unnoise.configureRuntime({ wasmPaths: "onnxruntime" });
          return window.runShapes(where, steps);
        },
        [device, iterations] as const,
      );
      const inNode = await runShapes("cpu", iterations);
      expect(distance(inPage.losses, inNode.losses), "losses").toBeLessThan(1e-3);
      expect(distance(inPage.samples, inNode.samples), "samples").toBeLessThan(SHAPES_TOLERANCE[device]);
      const other = await runShapes("cpu", iterations, 1);
      expect(distance(inNode.samples, other.samples)).toBeGreaterThan(0.1);
      await page.close();
    },
    // SwiftShader compiles the many shaders of a U-Net and its gradient.
    360_000,
  );

  it("would notice another seed", async () => {
    const [a, b] = [await runMoons("cpu", 5, 1, 0), await runMoons("cpu", 5, 1, 1)];
    expect(distance(a.losses, b.losses)).toBeGreaterThan(1e-2);
    expect(distance(a.samples, b.samples)).toBeGreaterThan(1e-2);
  });

  it("says what is missing: isolation for threads, ONNX Runtime's files, settings that come too late", async () => {
    const page = await open("/plain");
    expect(await failure(page, "wasm", 1, 2)).toMatch(
      /^UnnoiseError: 2 threads: the page is not cross-origin isolated/,
    );
    expect(await failure(page, "wasm", 1, 1)).toMatch(
      /^UnnoiseError: device wasm is not available here.*configureRuntime/,
    );
    expect(await failure(page, "cpu", 1, 1)).toMatch(/^UnnoiseError: device cpu does not exist in a browser/);
    await expect(run(page, "wasm", 1, 1)).rejects.toThrow(/configureRuntime: ONNX Runtime has already started/);
    await page.close();
  });
});
