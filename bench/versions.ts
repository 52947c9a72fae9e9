import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, cpus, release, totalmem, type } from "node:os";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);

/** Version of an installed package, found by walking up from its entry. */
function versionOf(name: string): string {
  for (let folder = dirname(require.resolve(name)); ; folder = dirname(folder)) {
    const manifest = manifestIn(folder);
    if (manifest?.name === name) return manifest.version;
    if (folder === dirname(folder)) return "unknown";
  }
}

interface Manifest {
  readonly name?: string;
  readonly version: string;
}

function manifestIn(folder: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  } catch {
    return undefined;
  }
}

/** What unnoise's times depend on. */
export function libraryVersions(): Record<string, string> {
  const { version } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as Manifest;
  return { unnoise: version, "onnxruntime-node": versionOf("onnxruntime-node"), node: process.versions.node };
}

/** Root of the repository, seen from bench/dist. */
export const repository: string = join(import.meta.dirname, "..", "..");

/** What all times depend on. */
export function machine(): Record<string, string | number> {
  const cpu = cpus()[0]?.model.trim() ?? "unknown";
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return { cpu, cores: availableParallelism(), memory, system: `${type()} ${release()} ${process.arch}` };
}
