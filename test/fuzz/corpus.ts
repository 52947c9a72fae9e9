import { zipSync } from "fflate";
import { at } from "../../src/math/error.ts";
import { kinds, type Files } from "./kinds.ts";

/** A small input that once crashed, hung or filled the terminal: the file that stands in place of a whole one. */
export interface Case {
  readonly kind: string;
  readonly name: string;
  readonly path: string;
  readonly content: (whole: Uint8Array) => Uint8Array | string;
}

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
/** A JSON file with some of its keys changed. */
const withKeys =
  (keys: object) =>
  (whole: Uint8Array): string =>
    JSON.stringify({ ...(JSON.parse(decode(whole)) as object), ...keys });

/** A NumPy file with this header. */
function npyHeader(text: string): Uint8Array {
  const header = new TextEncoder().encode(text);
  const bytes = new Uint8Array(10 + header.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  bytes.set(header, 10);
  return bytes;
}

function safetensorsHeader(text: string): Uint8Array {
  const header = new TextEncoder().encode(text);
  const bytes = new Uint8Array(8 + header.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  return bytes;
}

const manyKeys = Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join("\n");
const TITLE = "\u001b]0;title\u0007";

export const corpus: readonly Case[] = [
  {
    kind: "points (NPY)",
    name: "as many axes as fit",
    path: "x.npy",
    content: () => npyHeader(`{'descr': '<f4', 'fortran_order': True, 'shape': (${"1,".repeat(30_000)}), }`),
  },
  {
    kind: "points (NPY)",
    name: "a type of blanks",
    path: "x.npy",
    content: () => npyHeader(`{'descr': '${" ".repeat(60_000)}', 'fortran_order': False, 'shape': (1, 2), }`),
  },
  {
    kind: "images (NPZ)",
    name: "an entry that sets the title of the window",
    path: "x.npz",
    content: () => zipSync({ [`${TITLE}.npy`]: npyHeader("{}") }),
  },
  {
    kind: "safetensors",
    name: "a name of blanks",
    path: "x.safetensors",
    content: () => safetensorsHeader(JSON.stringify({ [`a${" ".repeat(200_000)}b`]: {} })),
  },
  {
    kind: "shard index",
    name: "a deep list for a file",
    path: "x.safetensors.index.json",
    content: () => `{"weight_map":{"b":${"[".repeat(20_000)}${"]".repeat(20_000)}}}`,
  },
  { kind: "run: log", name: "null", path: "log.jsonl", content: () => "null\n" },
  {
    kind: "run: log",
    name: "a loss that is none",
    path: "log.jsonl",
    content: () => '{"event":"progress","iteration":1,"loss":{"toString":null},"gradientNorm":1,"learningRate":1}\n',
  },
  {
    kind: "run: configuration",
    name: "a key of pages",
    path: "config.json",
    content: withKeys({ ["k".repeat(500_000)]: 1 }),
  },
  {
    kind: "run: points",
    name: "as many axes as fit",
    path: "data.npy",
    content: () => npyHeader(`{'descr': '<f4', 'fortran_order': False, 'shape': (${"1,".repeat(30_000)}), }`),
  },
  {
    kind: "model: points",
    name: "a thousand million blocks",
    path: "unet/config.json",
    content: withKeys({ depth: 1e9 }),
  },
  {
    kind: "diffusers: network",
    name: "a key that sets the title of the window",
    path: "unet/config.json",
    content: withKeys({ [TITLE]: 1 }),
  },
  {
    kind: "diffusers: network",
    name: "a thousand million layers",
    path: "unet/config.json",
    content: withKeys({ layers_per_block: 1e9 }),
  },
  {
    kind: "study (JSON)",
    name: "a key of a grid that sets the title of the window",
    path: "x.json",
    content: () => JSON.stringify({ grid: { [TITLE]: [1] } }),
  },
  {
    kind: "study (JSON)",
    name: "a value of pages",
    path: "x.json",
    content: () => JSON.stringify({ question: "q".repeat(10_000), grid: { "train.width": ["w".repeat(10_000)] } }),
  },
  { kind: "training (YAML)", name: "thousands of unknown keys", path: "x.yaml", content: () => manyKeys },
  {
    kind: "training (YAML)",
    name: "lists within lists on one line",
    path: "x.yaml",
    content: () => `a: ${"- ".repeat(20_000)}`,
  },
  {
    kind: "training (YAML)",
    name: "keys within keys on one line",
    path: "x.yaml",
    content: () => `${"? ".repeat(20_000)}1`,
  },
  {
    kind: "drawing (JSON)",
    name: "a spread beyond float32",
    path: "x.json",
    content: () => '{"points":[[0,0]],"spread":1e308}',
  },
  {
    kind: "drawing (JSON)",
    name: "a key of control characters",
    path: "x.json",
    content: () => JSON.stringify({ points: [[0, 0]], [TITLE]: 1 }),
  },
];

/** The files of a case. */
export async function filesOfCase({ kind, path: end, content }: Case): Promise<Files> {
  const whole = await (kinds[kind]?.files() ?? Promise.reject(new Error(`no kind ${kind}`)));
  const path = at(
    Object.keys(whole).filter((each) => each === end || each.endsWith(`/${end}`)),
    0,
  );
  const bytes = content(whole[path] ?? new Uint8Array());
  const folders = Object.keys(whole).filter((each) => each.endsWith("checksums.json"));
  // Without its sums a folder is read as those from before there were any.
  const rest = Object.fromEntries(Object.entries(whole).filter(([each]) => !folders.includes(each)));
  return { ...rest, [path]: typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes };
}
