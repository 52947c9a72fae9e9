import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync, gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "unnoise-hostile-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What bombs hold. */
const MEGABYTES = 400;
const zeros = Buffer.alloc(MEGABYTES * 1e6);

function chunk(type: string, content: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type), content]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(content.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

function header(width: number, height: number): Buffer {
  const out = Buffer.alloc(13);
  out.writeUInt32BE(width);
  out.writeUInt32BE(height, 4);
  out[8] = 8;
  return chunk("IHDR", out);
}

const png = (...chunks: readonly Buffer[]): Buffer =>
  Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...chunks, chunk("IEND", Buffer.alloc(0))]);
const bomb = deflateSync(zeros);
const pixels = chunk("IDAT", deflateSync(Buffer.alloc(72)));

function idx(shape: readonly number[]): Buffer {
  const out = Buffer.from([0, 0, 8, shape.length, ...Buffer.alloc(4 * shape.length)]);
  shape.forEach((extent, axis) => out.writeUInt32BE(extent, 4 + 4 * axis));
  return out;
}

function npy(count: number): Buffer {
  const text = `{'descr': '|u1', 'fortran_order': False, 'shape': (${count}, 28, 28), }`.padEnd(117) + "\n";
  return Buffer.concat([Buffer.from("\x93NUMPY\x01\x00v\x00", "latin1"), Buffer.from(text), zeros]);
}

const drawing = (content: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="20" height="10">${content}</svg>`;
const turbulence =
  '<feTurbulence numOctaves="1000000" baseFrequency="0.5"/><feMorphology operator="dilate" radius="100000"/>';

/** Each ends in these words, or is read. */
const cases: readonly (readonly [name: string, content: Uint8Array | string, words: RegExp])[] = [
  ["idat/a.png", png(header(8, 8), chunk("IDAT", bomb)), /more pixels than its header of 72 bytes promises/],
  ["iccp/a.png", png(header(8, 8), chunk("iCCP", Buffer.concat([Buffer.from("p\0\0"), bomb])), pixels), /^read$/],
  ["itxt/a.png", png(header(8, 8), chunk("zTXt", Buffer.concat([Buffer.from("p\0\0"), bomb])), pixels), /^read$/],
  ["ihdr/a.png", png(header(8, 8), header(30_000, 30_000), chunk("IDAT", bomb)), /a second header/],
  ["large/a.png", png(header(30_000, 30_000), chunk("IDAT", bomb)), /at most 67108864 pixels, .* got 30000 × 30000/],
  ["short/a.png", png(header(8000, 8000), pixels), /pixels of 72 bytes where its header promises 64008000/],
  [
    "idx/train-images-idx3-ubyte.gz",
    gzipSync(Buffer.concat([idx([1, 28, 28]), zeros])),
    /decompresses to more than 800 B/,
  ],
  ["npz/a.npz", zipSync({ "x.npy": [npy(2), { level: 1 }] }), /extra bytes at the end/],
  ["nul/a.svg", drawing("\0"), /the character "\\u0000"/],
  ["link/a.svg", drawing('<image xlink:href="/etc/hostname.png" width="9" height="9"/>'), /outside itself/],
  [
    "filter/a.svg",
    drawing(
      `<filter id="f" x="-1000" y="-1000" width="3000" height="3000">${turbulence}</filter><rect width="20" height="10" filter="url(#f)"/>`,
    ),
    /SVG, got an error/,
  ],
];

/** The peak of the child's own memory, where Linux tells it; what the system tells otherwise includes its parent's. */
const CHILD = `
const { readFileSync } = await import("node:fs");
const peak = () => { try { return Number(/VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) / 1e3; } catch { return 0; } };
const { openImages, loadPoints } = await import(process.argv[1]);
for (const [path, kind] of JSON.parse(process.argv[2])) {
  const start = performance.now();
  const said = await (kind === "points" ? loadPoints(path) : openImages(path, { cacheFolder: process.argv[3] })).then(() => "read", (error) => error.name + ": " + error.message);
  console.log(JSON.stringify({ said, seconds: (performance.now() - start) / 1000, megabytes: peak() }));
}
`;

test("each hostile picture ends in words, soon and without its memory", () => {
  const opened = cases.map(([name, content]) => {
    const path = join(folder, name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, content);
    return name.endsWith(".svg") ? [path, "points"] : [name.endsWith(".npz") ? path : join(path, ".."), "images"];
  });
  const module = new URL("../src/node.ts", import.meta.url).href;
  const child = [
    "--import",
    "tsx",
    "--input-type=module",
    "-e",
    CHILD,
    module,
    JSON.stringify(opened),
    join(folder, "cache"),
  ];
  const lines = execFileSync(process.execPath, child, { encoding: "utf8", timeout: 120_000 }).trim().split("\n");
  const results = lines.map((line) => JSON.parse(line) as { said: string; seconds: number; megabytes: number });
  expect(results).toHaveLength(cases.length);
  cases.forEach(([name, , words], i) => {
    expect(results[i]?.said, name).toMatch(words);
    expect(results[i]?.said, name).toMatch(/^(read$|UnnoiseError: )/);
    expect(results[i]?.seconds, name).toBeLessThan(20);
    expect(results[i]?.megabytes, name).toBeLessThan(MEGABYTES);
  });
}, 150_000);
