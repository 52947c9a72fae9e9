import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { codeOf, ioError } from "../../formats/io-error.ts";
import { readBoundedText } from "../../formats/structured-file.node.ts";
import { UnnoiseError } from "../../math/error.ts";
import { shown } from "../../math/shown.ts";
import { parsePythonJson } from "./python-json.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/** Where the parts of a model of diffusers lie. */
export interface DiffusersFolder {
  readonly folder: string;
  /** The pipeline's class; DDPMPipeline where the folder does not say. */
  readonly pipeline: PipelineName;
  readonly unetConfigPath: string;
  /** A safetensors file, or an index of several. */
  readonly weightsPath: string;
  /** undefined where the folder has none. */
  readonly schedulerPath: string | undefined;
  /** model_index.json as it was read; undefined where the folder has none. */
  readonly index: JsonObject | undefined;
}

/** Pipelines that consist of a UNet2DModel on pixels and a scheduler. */
const pipelineNames = ["DDPMPipeline", "DDIMPipeline"] as const;
export type PipelineName = (typeof pipelineNames)[number];

const INDEX = "model_index.json";
const STEM = "diffusion_pytorch_model";
/** Ending of a file that an index names. */
const SHARD = /-\d{5}-of-\d{5}\.safetensors$/;
const PICKLES = /\.(bin|ckpt|pt|pth)$/;

/** Files and folders in a folder. */
interface Listing {
  readonly path: string;
  readonly files: ReadonlySet<string>;
  readonly folders: ReadonlySet<string>;
}

async function listing(path: string): Promise<Listing> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    const names = (wanted: boolean): Set<string> =>
      new Set(entries.filter((entry) => entry.isDirectory() === wanted).map(({ name }) => name));
    return { path, files: names(false), folders: names(true) };
  } catch (cause) {
    const advice = codeOf(cause) === "ENOTDIR" ? "; expected a folder" : "";
    throw ioError("read", path, cause, `there is no such folder${advice}`);
  }
}

/**
 * Whether a folder looks like a model of diffusers, whether or not unnoise can run it: it has a pipeline's index, or a network's
 * configuration beside its weights.
 * @throws UnnoiseError `io` when it cannot be read
 */
export async function looksLikeDiffusers(folder: string): Promise<boolean> {
  const { files } = await listing(folder);
  return files.has(INDEX) || (files.has("config.json") && [...files].some((name) => name.startsWith(STEM)));
}

/**
 * Finds the parts of a model of diffusers: a pipeline's folder with the folders unet and scheduler, or a flat one that has all files
 * itself.
 * @param variant of the weights, such as fp16; the plain ones if absent, or the only ones
 * @throws UnnoiseError `io` when the folder cannot be read, `format` for a pipeline or files that unnoise cannot run, saying what
 * they are and what to do
 */
export async function findDiffusersParts(folder: string, variant?: string): Promise<DiffusersFolder> {
  const top = await listing(folder);
  const index = top.files.has(INDEX) ? await readJsonObject(join(folder, INDEX)) : undefined;
  const pipeline = pipelineOf(index, join(folder, INDEX));
  const unet = top.folders.has("unet") ? await listing(join(folder, "unet")) : top;
  if (!unet.files.has("config.json")) throw noModel(unet.path, top);
  const scheduler = top.folders.has("scheduler") ? await listing(join(folder, "scheduler")) : top;
  return {
    folder,
    pipeline,
    unetConfigPath: join(unet.path, "config.json"),
    weightsPath: join(unet.path, weightsOf(unet, variant)),
    schedulerPath: schedulerOf(scheduler),
    index,
  };
}

function schedulerOf({ path, files }: Listing): string | undefined {
  // The second is the name that diffusers gave it before release 0.2.
  const name = ["scheduler_config.json", "config.json"].find((file) => files.has(file));
  return name === undefined || (name === "config.json" && isUnet(files)) ? undefined : join(path, name);
}

const isUnet = (files: ReadonlySet<string>): boolean => [...files].some((name) => name.startsWith(STEM));

function noModel(path: string, top: Listing): UnnoiseError {
  const other = ["transformer", "prior", "vqvae", "vae"].find((name) => top.folders.has(name));
  const found = other === undefined ? "" : ` (it has ${other}, which is no pixel-space U-Net)`;
  const expected = `expected model_index.json with unet and scheduler, or config.json beside ${STEM}.safetensors`;
  return new UnnoiseError("format", `${path}: no model of diffusers${found}: ${expected}`);
}

/** Reads a JSON file as Python writes it. */
export async function readJsonObject(path: string): Promise<JsonObject> {
  const value = parsePythonJson(await readBoundedText(path, { where: path, code: "format" }), path);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new UnnoiseError("format", `${path}: expected an object, got ${shown(value)}`);
}

function pipelineOf(index: JsonObject | undefined, path: string): PipelineName {
  if (index === undefined) return "DDPMPipeline";
  const name = pipelineNames.find((known) => known === index["_class_name"]);
  const parts = partsOf(index);
  if (name === undefined || parts.some(([part]) => !["unet", "scheduler"].includes(part))) {
    throw unsupported(path, index, parts);
  }
  const [library, network] = parts.find(([part]) => part === "unet")?.[1] ?? [];
  if (network === "UNet2DModel" || network === undefined) return name;
  const whose = library === "unnoise" ? "unnoise's own; open it as a model folder of unnoise" : "not supported";
  throw new UnnoiseError("format", `${path}: unet: ${network} is ${whose}; expected diffusers' UNet2DModel`);
}

type Part = readonly [name: string, kind: readonly string[]];

/** What a pipeline consists of: name, library and class. */
function partsOf(index: JsonObject): Part[] {
  return Object.entries(index).flatMap(([key, value]): Part[] => {
    const isPart = !key.startsWith("_") && Array.isArray(value) && value.every((item) => typeof item === "string");
    return isPart ? [[key, value]] : [];
  });
}

function unsupported(path: string, index: JsonObject, parts: readonly Part[]): UnnoiseError {
  const has = (names: readonly string[]): boolean => parts.some(([part]) => names.includes(part));
  const kinds = [
    has(["text_encoder", "tokenizer", "bert"]) ? "from text" : "",
    has(["vae", "vqvae", "movq"]) ? "in a latent space" : "",
    has(["transformer"]) ? "with a transformer" : "",
  ].filter((kind) => kind !== "");
  const kind = kinds.length === 0 ? "" : `, a model ${kinds.join(" ")},`;
  const now = `only UNet2DModel on pixels runs now (${pipelineNames.join(", ")}), without classes or with`;
  const name = shown(index["_class_name"] ?? null);
  return new UnnoiseError("format", `${path}: _class_name: ${name}${kind} is not supported: ${now}`);
}

/** "diffusion_pytorch_model[.fp16].safetensors", or an index of several files. */
function weightsOf({ path, files }: Listing, variant: string | undefined): string {
  const found = new Map<string, string>();
  for (const name of files) {
    const named = /^diffusion_pytorch_model(?:\.([\w-]+))?\.safetensors$/.exec(name);
    const listed = /^diffusion_pytorch_model\.safetensors\.index(?:\.([\w-]+))?\.json$/.exec(name);
    if (named && !SHARD.test(name)) found.set(named[1] ?? "", name);
    else if (listed && !found.has(listed[1] ?? "")) found.set(listed[1] ?? "", name);
  }
  const only = found.size === 1 ? [...found.values()][0] : undefined;
  const chosen = variant === undefined ? (found.get("") ?? only) : found.get(variant);
  if (chosen !== undefined) return chosen;
  if (found.size > 0) throw otherVariant(path, variant, [...found.keys()]);
  throw noWeights(path, [...files].sort());
}

function otherVariant(path: string, variant: string | undefined, known: readonly string[]): UnnoiseError {
  const names = known.map((name) => (name === "" ? "the plain ones" : name)).join(", ");
  const asked = variant === undefined ? "weights in several variants only; choose one" : `no variant ${variant}`;
  return new UnnoiseError("usage", `${path}: ${asked}: there are ${names}`);
}

function noWeights(path: string, files: readonly string[]): UnnoiseError {
  const pickle =
    files.find((name) => name.startsWith(STEM) && PICKLES.test(name)) ?? files.find((name) => PICKLES.test(name));
  if (pickle === undefined) {
    return new UnnoiseError("format", `${path}: no weights: expected ${STEM}.safetensors beside config.json`);
  }
  const code = `from diffusers import UNet2DModel as U; U.from_pretrained('${path}').save_pretrained('${path}')`;
  const why = `${pickle} is a Python pickle, which can run any code and is not read`;
  return new UnnoiseError("format", `${path}: ${why}; convert it once in Python: python -c "${code}"`);
}
