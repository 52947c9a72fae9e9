import { basename, dirname, join } from "node:path";
import type { Tensor } from "../tensor/tensor.ts";
import { UnnoiseError } from "../math/error.ts";
import { shown } from "../math/shown.ts";
import { readSafetensors } from "./safetensors-file.node.ts";
import type { StoredType } from "./safetensors-header.ts";
import type { Safetensors } from "./safetensors.ts";
import { parseJsonText } from "./json-text.ts";
import { readBoundedText } from "./structured-file.node.ts";

const INDEX_ENDING = ".safetensors.index.json";
const MOST_NAMES_SAID = 3;

function broken(file: string, what: string): UnnoiseError {
  return new UnnoiseError("format", `${file}: ${what}`);
}

/** A few names in quotes, and how many more there are. */
function nameList(names: readonly string[]): string {
  const said = names.slice(0, MOST_NAMES_SAID).map((name) => shown(name));
  const more = names.length - said.length;
  return said.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function checkShardName(shard: unknown, name: string, index: string): string {
  const isPlain = typeof shard === "string" && /^[^/\\\0]+\.safetensors$/.test(shard);
  if (isPlain) return shard;
  const expected = "expected a .safetensors file of the same folder, without a path";
  throw broken(index, `weight_map of ${shown(name)}: ${expected}, got ${shown(shard)}`);
}

/** The names that each shard must hold, by the shard's file name, both in the order of the index. */
function parseIndex(text: string, index: string): ReadonlyMap<string, ReadonlySet<string>> {
  const parsed = parseJsonText(text, {
    where: index,
    code: "format",
    advice: "the file is damaged or no index of shards",
  });
  const weightMap = isObject(parsed) ? parsed["weight_map"] : undefined;
  if (!isObject(weightMap) || Object.keys(weightMap).length === 0) {
    throw broken(index, "expected a JSON object whose weight_map names the file of each tensor");
  }
  const shards = new Map<string, Set<string>>();
  for (const [name, value] of Object.entries(weightMap)) {
    const shard = checkShardName(value, name, index);
    const names = shards.get(shard) ?? new Set<string>();
    shards.set(shard, names.add(name));
  }
  return shards;
}

/** Checks that a shard holds the tensors that the index names for it, and no others. */
function checkNames(found: ReadonlyMap<string, Tensor>, expected: ReadonlySet<string>, where: Shard): void {
  const missing = [...expected].filter((name) => !found.has(name));
  if (missing.length > 0)
    throw broken(where.path, `the index ${where.index} says it holds ${nameList(missing)}, which it lacks`);
  const extra = [...found.keys()].filter((name) => !expected.has(name));
  const twice = extra.filter((name) => where.known.has(name));
  if (twice.length > 0)
    throw broken(where.path, `holds ${nameList(twice)}, which the index ${where.index} places in another file`);
  if (extra.length > 0)
    throw broken(where.path, `holds ${nameList(extra)}, which the index ${where.index} does not name`);
}

/** A shard's path, and what the index says of all of them. */
interface Shard {
  readonly path: string;
  readonly index: string;
  readonly known: ReadonlySet<string>;
}

/**
 * Reads tensors that are spread over several safetensors files, as an index (`*.safetensors.index.json`, key `weight_map`) lists
 * them. Each file must hold exactly the tensors that the index gives it, and lie beside the index.
 * @returns all tensors, file by file; metadata of the files together, a later file's before an earlier one's
 * @throws UnnoiseError `io` when a file cannot be read, `format` for a damaged file, a path, or tensors missing, unnamed or twice
 */
export async function readShardedSafetensors(indexPath: string): Promise<Safetensors> {
  const index = basename(indexPath);
  const shards = parseIndex(await readBoundedText(indexPath, { where: indexPath, code: "format" }), indexPath);
  const known = new Set([...shards.values()].flatMap((names) => [...names]));
  const all = {
    tensors: new Map<string, Tensor>(),
    metadata: {} as Record<string, string>,
    stored: new Map<string, StoredType>(),
  };
  for (const [shard, names] of shards) {
    const path = join(dirname(indexPath), shard);
    const { tensors, metadata, stored } = await readSafetensors(path);
    checkNames(tensors, names, { path, index, known });
    tensors.forEach((tensor, name) => all.tensors.set(name, tensor));
    stored.forEach((type, name) => all.stored.set(name, type));
    Object.assign(all.metadata, metadata);
  }
  return all;
}

/**
 * Reads weights from one safetensors file, or from several by their index (a path that ends in `.safetensors.index.json`).
 * @throws UnnoiseError as `readSafetensors` and `readShardedSafetensors`
 */
export async function readWeights(path: string): Promise<Safetensors> {
  return path.endsWith(INDEX_ENDING) ? readShardedSafetensors(path) : readSafetensors(path);
}
