import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeNpy } from "../formats/npy.ts";
import { encodePng } from "../formats/png.ts";
import { UnnoiseError } from "../math/error.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { loadPoints } from "./points.node.ts";
import { COUNT, deviation, pointsOf } from "./test-points.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unnoise-test-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function put(name: string, content: Uint8Array | string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

function npy(shape: readonly number[], values: readonly number[]): Uint8Array {
  const tensor: Tensor = { dtype: "float64", shape, data: Float64Array.from(values) };
  return encodeNpy(tensor);
}

/** A picture of grey levels. */
function grey([width, height]: readonly [number, number], levels: readonly number[]): Uint8Array {
  return encodePng({ width, height, data: Uint8Array.from(levels.flatMap((level) => [level, level, level, 255])) });
}

const svg = (size: string, content: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${content}</svg>`;

describe("densities", () => {
  test("a picture gives as many points by seed as asked for, and fresh ones that are not among them", async () => {
    const path = await put("a.PNG", grey([2, 1], [255, 0]));
    const { name, columns, points, draw, source } = await loadPoints(path, { count: 300, seed: 4 });
    expect([name, columns, points.shape]).toEqual(["a.PNG", ["x", "y"], [300, 2]]);
    expect(points.data.every((value, i) => (i % 2 === 0 ? value >= 0 && value <= 1 : Math.abs(value) <= 0.5))).toBe(
      true,
    );
    expect([source?.ending, source?.bytes.length]).toEqual([".png", (await readFile(path)).length]);
    const known = new Set(points.data);
    expect(draw?.(300, 4).data.filter((value) => known.has(value)).length).toBeLessThan(3);
    expect(draw?.(7, 4).data).toEqual(draw?.(300, 4).data.slice(0, 14));
    expect((await loadPoints(path, { count: 10, seed: 4 })).points.data).toEqual(points.data.slice(0, 20));
    expect((await loadPoints(path, { count: 10, seed: 5 })).points.data).not.toEqual(points.data.slice(0, 20));
    expect((await loadPoints(path)).points.shape).toEqual([50_000, 2]);
    await expect(loadPoints(path, { count: 0 })).rejects.toThrow("count: expected an integer ≥ 1");
  });

  test("a drawing in SVG is as dark as it looks on white, wherever it is transparent", async () => {
    const left = '<rect width="30" height="20" fill-opacity="0.2"/><rect x="30" width="30" height="20" fill="#fff"/>';
    const shapes = `${left}<rect x="90" y="10" width="30" height="10" fill="black"/>`;
    const { points } = await loadPoints(await put("s.svg", svg('viewBox="0 0 120 20"', shapes)), { count: COUNT });
    const found = pointsOf(points);
    expect(found.every(([x, y]) => x < -0.5 + 1e-3 || (x > 0.5 - 1e-3 && y < 1e-3))).toBe(true);
    const faint = found.filter(([x]) => x < 0).length;
    // A fifth of the opacity on twice the area, to the nearest 255th: 2/7.
    expect(deviation(faint, COUNT, 0.4 / 1.4)).toBeLessThan(4);
    expect(deviation(faint, COUNT, 2 / 3)).toBeGreaterThan(4);
  });

  test("drawn points with a spread and strokes are densities, drawn points without are data", async () => {
    const list = await loadPoints(await put("l.json", "[[1, 2], [3, 4]]"), { count: 99 });
    expect([list.columns, list.points.shape, list.draw, list.source]).toEqual([
      ["x", "y"],
      [2, 2],
      undefined,
      undefined,
    ]);
    const cloud = await loadPoints(await put("c.json", '{"points": [[1, 2, 3]], "spread": 0.5}'), { count: 99 });
    expect([cloud.columns, cloud.points.shape]).toEqual([
      ["column1", "column2", "column3"],
      [99, 3],
    ]);
    expect(cloud.draw?.(5, 1).shape).toEqual([5, 3]);
    const line = await loadPoints(await put("d.json", '{"strokes": [[[0, 0], [0, 1]]]}'), { count: 99 });
    expect([line.points.shape, line.source?.ending]).toEqual([[99, 2], ".json"]);
    expect(pointsOf(line.points).every(([x, y]) => x === 0 && y > 0 && y < 1)).toBe(true);
  });
});

describe("loads", () => {
  test("a table with a header", async () => {
    const { name, columns, points, draw } = await loadPoints(await put("a.csv", "mass,length\n1,2.5\n3,4\n"));
    expect([name, columns, points.shape, [...points.data]]).toEqual([
      "a.csv",
      ["mass", "length"],
      [2, 2],
      [1, 2.5, 3, 4],
    ]);
    expect(draw).toBeUndefined();
  });

  test.each(["b.CSV", "b.tsv", "b.txt"])("%s without a header, one column", async (file) => {
    const { columns, points } = await loadPoints(await put(file, "1\n2\n3\n"));
    expect([columns, points.shape]).toEqual([["column1"], [3, 1]]);
  });

  test("UTF-16 with a byte-order mark, as spreadsheets save it", async () => {
    const { columns } = await loadPoints(
      await put("c.txt", Buffer.from("\uFEFFmåss\tlength\r\n1\t2\r\n3\t4\r\n", "utf16le")),
    );
    expect(columns).toEqual(["måss", "length"]);
  });

  test("arrays of one and two axes", async () => {
    const flat = await loadPoints(await put("d.npy", npy([3], [1, 2, 3])));
    expect([flat.points.shape, flat.columns]).toEqual([[3, 1], ["column1"]]);
    const table = await loadPoints(await put("e.npy", npy([2, 3], [1, 2, 3, 4, 5, 6])));
    expect([table.points.shape, table.columns]).toEqual([
      [2, 3],
      ["column1", "column2", "column3"],
    ]);
    expect([...table.points.data]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("NumPy's column-major and big-endian files", async () => {
    const golden = JSON.parse(readFileSync(new URL("../../test/golden/npy.json", import.meta.url), "utf8")) as {
      readable: readonly { name: string; base64: string; values: number[] }[];
    };
    for (const name of ["fortran 2-D", ">f8"]) {
      const { base64, values } = golden.readable.find((file) => file.name === name) ?? { base64: "", values: [] };
      const { points } = await loadPoints(await put("g.npy", Buffer.from(base64, "base64")));
      expect(points.data).toEqual(Float32Array.from(values));
    }
  });
});

test.each([
  ["one row", "one.csv", "x,y\n1,2\n", "data", /expected at least 2 rows \(points\) to learn from, got 1/],
  ["one row of an array", "one.npy", npy([1, 2], [1, 2]), "data", /at least 2 rows/],
  ["no row of an array", "none.npy", npy([0, 2], []), "data", /at least 2 rows .* got 0/],
  ["nothing", "none.csv", "", "format", /no rows of numbers/],
  [
    "text",
    "text.csv",
    "x,kind\n1,a\n2,b\n",
    "format",
    /line 2: column 2 \("kind"\).* leave the column out with drop \(--drop kind\)/,
  ],
  [
    "beyond float32",
    "big.csv",
    "x,y\n1,2\n3,4e38\n",
    "data",
    /row 2, column 2: expected a number that float32 can hold .* got 4e\+38/,
  ],
  [
    "NaN in an array",
    "nan.npy",
    npy([2, 2], [1, 2, NaN, 3]),
    "data",
    /row 2, column 1: expected a finite number, got NaN/,
  ],
  ["a scalar", "scalar.npy", npy([], [1]), "data", /shape \(rows, columns\) or \(rows,\), got \(\)/],
  ["three axes", "cube.npy", npy([2, 1, 1], [1, 2]), "data", /got \(2, 1, 1\)/],
  ["no columns", "empty.npy", npy([2, 0], []), "data", /got \(2, 0\)/],
  ["a truncated array", "cut.npy", npy([2, 2], [1, 2, 3, 4]).slice(0, -1), "format", /truncated/],
  ["another kind of file", "points.xml", "[]", "usage", /ends in \.csv, \.tsv, \.txt, \.npy, \.json, \.png, \.svg/],
  ["no drawn point", "none.json", "[]", "data", /at least 1 of points/],
  ["one drawn point without spread", "one.json", "[[1, 2]]", "data", /at least 2 rows/],
  ["strokes without length", "dot.json", '{"strokes": [[[1, 2], [1, 2]]]}', "data", /the strokes have no length/],
  ["no picture", "text.png", "x,y\n1,2\n", "format", /not a PNG image/],
  ["an empty picture", "white.png", grey([2, 1], [255, 255]), "data", /every pixel is white or transparent/],
  ["no drawing", "text.svg", "x,y\n1,2\n", "format", /expected a drawing in SVG, got an error/],
  ["a drawing without size", "flat.svg", svg('width="0" height="4"', ""), "format", /expected a drawing in SVG/],
  ["an empty drawing", "empty.svg", svg('width="4" height="4"', ""), "data", /every pixel is white or transparent/],
  ["a picture called .csv", "p.csv", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0xff, 0xfe), "format", /not text/],
])("%s: one clear line that names the file", async (_, file, content, code, message) => {
  const path = await put(file, content);
  const error: unknown = await loadPoints(path).catch((reason: unknown) => reason);
  if (!(error instanceof UnnoiseError)) throw new Error(`expected an UnnoiseError, got ${String(error)}`);
  expect(error.code).toBe(code);
  expect(error.message).toMatch(message);
  expect(error.message.startsWith(path)).toBe(true);
  expect(error.message).not.toContain("\n");
});

test("a file that is not there", async () => {
  const path = join(folder, "missing.csv");
  await expect(loadPoints(path)).rejects.toThrow(`cannot read ${path}: no such file`);
});

test("a column whose values float32 cannot tell apart is refused, with what to do", async () => {
  const stamps = Array.from({ length: 100 }, (_, i) => `${1_700_000_000 + i},${i}`).join("\n");
  const path = await put("stamps.csv", `time,y\n${stamps}\n`);
  await expect(loadPoints(path)).rejects.toThrow(/column time: values 1700000000 to 1700000099.*subtract an offset/);
  const spread = Array.from({ length: 100 }, (_, i) => `${1_700_000_000 + i * 100_000}`).join("\n");
  expect((await loadPoints(await put("spread.csv", `time\n${spread}\n`))).points.shape).toEqual([100, 1]);
});
