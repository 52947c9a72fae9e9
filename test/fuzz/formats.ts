import { gunzipSync, gzipSync, unzipSync, unzlibSync, zipSync, zlibSync } from "fflate";
import { parse, stringify } from "yaml";
import { crc32 } from "../../src/formats/crc32.ts";
import type { Draws } from "./draws.ts";
import { mutatedBytes } from "./mutate-bytes.ts";
import { mutatedTree } from "./mutate-tree.ts";
import { mutatedProto } from "./mutate-proto.ts";

/** Changes what a file means and keeps its lengths and checksums right, so that a reader gets past them. */
type Mutator = (bytes: Uint8Array, draws: Draws) => Uint8Array;

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const joined = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

const json: Mutator = (bytes, draws) => encode(JSON.stringify(mutatedTree(JSON.parse(decode(bytes)), draws)));

const yaml: Mutator = (bytes, draws) => encode(stringify(mutatedTree(parse(decode(bytes)), draws)));

const jsonLines: Mutator = (bytes, draws) => {
  const lines = decode(bytes).trimEnd().split("\n");
  const at = draws.below(lines.length);
  const line = JSON.stringify(mutatedTree(JSON.parse(lines[at] ?? "null"), draws));
  const changed = [...lines.slice(0, at), line, ...lines.slice(at + (draws.below(3) === 0 ? 0 : 1))];
  return encode(`${changed.join("\n")}\n`);
};

const tokens = [
  "",
  "nan",
  "inf",
  "-1",
  "1e999",
  "1e308",
  "0x10",
  '"',
  '""',
  "\u001b[31m",
  " ".repeat(4000),
  "1,5",
  ";",
  "\t",
  "\0",
  "#",
  "9".repeat(400),
  "\u202e",
  "<",
  "&",
  "null",
];

/** Words and marks of a text replaced, left out or doubled. */
const text: Mutator = (bytes, draws) => {
  const parts = decode(bytes).split(/([\s,;"'<>=()]+)/);
  for (let i = draws.below(4); i >= 0; i--) {
    const at = draws.below(parts.length);
    const kind = draws.below(4);
    if (kind === 0) parts.splice(at, 1);
    else if (kind === 1) parts.splice(at, 0, parts[at] ?? "");
    else parts[at] = draws.one(kind === 2 ? tokens : parts);
  }
  return encode(parts.join(""));
};

/** The header as a tree, its length made right; or the values. */
const safetensors: Mutator = (bytes, draws) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const end = 8 + Number(view.getBigUint64(0, true));
  const isHeader = draws.unit() < 0.7;
  const header = isHeader ? json(bytes.subarray(8, end), draws) : bytes.subarray(8, end);
  const values = isHeader ? bytes.subarray(end) : mutatedBytes(bytes.subarray(end), draws);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(header.length), true);
  return joined(length, header, values);
};

const npy: Mutator = (bytes, draws) => {
  const end = 10 + (bytes[8] ?? 0) + 256 * (bytes[9] ?? 0);
  if (draws.unit() < 0.3) return joined(bytes.subarray(0, end), mutatedBytes(bytes.subarray(end), draws));
  const shapes = ["(3,)", "()", "(0, 2)", "(2, 0)", "(-1, 2)", "(1e9, 2)", `(${"1,".repeat(5000)})`, "(2, 2, 2, 2)"];
  const types = ["<f4", "<f8", ">f8", "<i8", "|b1", "|u1", "|O", "<U3", "<c16", "<f2", "[('a','<f4')]", "\u001b"];
  let header = decode(bytes.subarray(10, end));
  const kind = draws.below(4);
  if (kind === 0) header = header.replace(/\([^)]*\)/, draws.one(shapes));
  else if (kind === 1) header = header.replace(/'[<>|]\w+'/, `'${draws.one(types)}'`);
  else if (kind === 2) header = header.replace("False", draws.one(["True", "None", "0"]));
  else header = decode(text(encode(header), draws));
  const raw = encode(header).subarray(0, 65_535);
  return joined(bytes.subarray(0, 8), Uint8Array.of(raw.length & 255, raw.length >> 8), raw, bytes.subarray(end));
};

const npz: Mutator = (bytes, draws) => {
  const entries = Object.entries(unzipSync(bytes));
  const at = draws.below(entries.length);
  const names = ["../x.npy", "\u001b]0;t\u0007.npy", "images.npy", "labels.npy", "x", "a".repeat(3000), ""];
  const changed = entries.map(([name, content], i): [string, Uint8Array] => {
    if (i !== at) return [name, content];
    return draws.below(4) === 0 ? [draws.one(names), content] : [name, npy(content, draws)];
  });
  return zipSync(Object.fromEntries(changed), { level: draws.unit() < 0.5 ? 0 : 6 });
};

const idx: Mutator = (bytes, draws) => {
  const copy = Uint8Array.from(bytes);
  const extents = [0, 1, 2, 8, 28, 40, 41, 2 ** 16, 2 ** 31, 2 ** 32 - 1];
  if (draws.unit() < 0.3) copy[draws.below(4)] = draws.one([0, 1, 3, 8, 9, 11, 12, 13, 14, 255]);
  else new DataView(copy.buffer).setUint32(4 * (1 + draws.below(copy[3] === 3 ? 3 : 1)), draws.one(extents));
  return draws.unit() < 0.5 ? copy : mutatedBytes(copy, draws);
};

const gzipped: Mutator = (bytes, draws) => gzipSync(idx(gunzipSync(bytes), draws));

interface Chunk {
  readonly name: string;
  readonly data: Uint8Array;
}

function chunksOf(bytes: Uint8Array): Chunk[] {
  const chunks: Chunk[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    const name = Buffer.from(bytes.subarray(at + 4, at + 8)).toString("latin1");
    chunks.push({ name, data: bytes.slice(at + 8, at + 8 + view.getUint32(at)) });
  }
  return chunks;
}

function chunkBytes({ name, data }: Chunk): Uint8Array {
  const body = joined(Buffer.from(name.slice(0, 4).padEnd(4, "x"), "latin1"), data);
  const [length, sum] = [new Uint8Array(4), new Uint8Array(4)];
  new DataView(length.buffer).setUint32(0, data.length);
  new DataView(sum.buffer).setUint32(0, crc32(body));
  return joined(length, body, sum);
}

/** Chunks changed, doubled, moved or put in, with their sums; pixels changed within their compression. */
const png: Mutator = (bytes, draws) => {
  const chunks = chunksOf(bytes);
  const at = draws.below(chunks.length);
  const chunk = chunks[at] ?? { name: "IEND", data: new Uint8Array() };
  const names = [
    "IHDR",
    "IDAT",
    "PLTE",
    "tRNS",
    "iCCP",
    "eXIf",
    "acTL",
    "fcTL",
    "fdAT",
    "gAMA",
    "tEXt",
    "zTXt",
    "IEND",
  ];
  switch (draws.below(5)) {
    case 0:
      chunks[at] = { ...chunk, data: mutatedBytes(chunk.data, draws) };
      break;
    case 1:
      chunks.splice(at, 0, chunk);
      break;
    case 2:
      chunks.splice(at, 0, {
        name: draws.one(names),
        data: draws.unit() < 0.5 ? chunk.data : new Uint8Array(draws.below(64)),
      });
      break;
    case 3: {
      const header = Uint8Array.from(chunks[0]?.data ?? []);
      if (draws.unit() < 0.5) header[8 + draws.below(5)] = draws.one([0, 1, 2, 3, 4, 6, 8, 16, 255]);
      else
        new DataView(header.buffer).setUint32(4 * draws.below(2), draws.one([0, 1, 7, 9, 64, 5000, 2 ** 20, 2 ** 31]));
      chunks[0] = { name: "IHDR", data: header };
      break;
    }
    default: {
      const place = chunks.findIndex(({ name }) => name === "IDAT");
      const pixels = unzlibSync(chunks[place]?.data ?? new Uint8Array());
      const inflated = draws.below(4) === 0 ? joined(pixels, new Uint8Array(1e6)) : mutatedBytes(pixels, draws);
      chunks[place] = { name: "IDAT", data: zlibSync(inflated) };
    }
  }
  return joined(bytes.subarray(0, 8), ...chunks.map(chunkBytes));
};

const attributes = [
  "1e308",
  "-1",
  "nan",
  "url(#x)",
  "url(https://a.invalid/x)",
  "9".repeat(300),
  "\u001b",
  "M0 0L1e9 1e9",
  "100%",
];
const elements = [
  '<image href="/etc/passwd" width="9" height="9"/>',
  '<filter id="x"><feTurbulence baseFrequency="9" numOctaves="9999"/></filter><rect filter="url(#x)" width="9" height="9"/>',
  '<use href="#x" id="x"/>',
  '<svg width="1e9" height="1e9"/>',
  "<style>@import url(https://a.invalid/x.css);</style>",
  `${"<g>".repeat(3000)}${"</g>".repeat(3000)}`,
];

/** Values of attributes changed, elements put in: XML that is well-formed. */
const svg: Mutator = (bytes, draws) => {
  let whole = decode(bytes);
  for (let i = draws.below(3); i >= 0; i--) {
    const places = [...whole.matchAll(draws.unit() < 0.6 ? /="[^"]*"/g : /(?<=>)(?=<(?!svg))/g)];
    if (places.length === 0) continue;
    const place = draws.one(places);
    const by = place[0] === "" ? draws.one(elements) : `="${draws.one(attributes)}"`;
    whole = whole.slice(0, place.index) + by + whole.slice(place.index + place[0].length);
  }
  return encode(whole);
};

/** By the kind of a file: what changes it and keeps it whole. */
export const mutators: Readonly<Record<string, Mutator>> = {
  json,
  yaml,
  jsonLines,
  text,
  svg,
  safetensors,
  npy,
  npz,
  idx,
  gzipped,
  png,
  onnx: mutatedProto,
  bytes: mutatedBytes,
};
