import { cp, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build, type Rolldown, type TsdownBundle, type InlineConfig } from "tsdown";
import packages from "../../tsdown.config.ts";

const root = new URL("../../", import.meta.url).pathname;

/** The chunks of a build. */
export type Chunk = Rolldown.OutputChunk;

const chunksOf = (bundles: readonly TsdownBundle[]): Chunk[] =>
  bundles.flatMap(({ chunks }) => chunks.filter((chunk) => chunk.type === "chunk"));

const quiet: InlineConfig = { config: false, dts: false, clean: false, logLevel: "error" };

/**
 * Bundles the test page as a user would: an installed `unnoise`, found through its export conditions by a bundler that targets
 * browsers. The build is made here from the source, so that it is never an old one.
 * @returns the folder of the page, the chunks of the package's browser entry and those of the page
 */
export async function bundlePage(): Promise<{ folder: string; entry: Chunk[]; page: Chunk[] }> {
  await mkdir(join(root, ".tmp"), { recursive: true });
  const folder = await mkdtemp(join(root, ".tmp", "browser-"));
  const installed = join(folder, "node_modules", "unnoise");
  const web = packages.find(({ platform }) => platform === "browser");
  const entry = chunksOf(await build({ ...web, ...quiet, cwd: root, outDir: join(installed, "dist") }));
  await cp(join(root, "package.json"), join(installed, "package.json"));
  for (const file of ["page.ts", "moons.ts", "shapes.ts"]) await cp(new URL(file, import.meta.url), join(folder, file));
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "page", type: "module" }));
  // Without one, the bundler reads the repository's, whose paths lead past the package.
  await writeFile(join(folder, "tsconfig.json"), "{}");
  const page = await build({
    ...quiet,
    ...{ cwd: folder, entry: { page: "page.ts" }, outDir: join(folder, "page"), platform: "browser", tsconfig: false },
    ...{ format: "esm", fixedExtension: false, minify: true },
    deps: { alwaysBundle: /.*/, onlyBundle: false },
  });
  return { folder, entry, page: chunksOf(page) };
}
