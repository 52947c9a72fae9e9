import { expect, test } from "vitest";
import { UnnoiseError } from "../math/error.ts";
import { parseDrawing } from "./drawing.ts";

test("points as a list, as an object, and as the command line writes them", () => {
  expect(parseDrawing("[[1,2],[3,4.5]]", "d")).toEqual({
    columns: ["x", "y"],
    rows: [
      [1, 2],
      [3, 4.5],
    ],
    spread: 0,
  });
  expect(parseDrawing('{"points":[[1],[2]],"spread":0.5}', "d")).toEqual({
    columns: ["column1"],
    rows: [[1], [2]],
    spread: 0.5,
  });
  expect(parseDrawing('{"source":"moons","columns":["a","b","c"],"points":[[1,2,3]]}', "d")).toMatchObject({
    columns: ["a", "b", "c"],
  });
});

test("strokes", () => {
  const strokes = [
    [
      [0, 0],
      [1, 1],
    ],
    [
      [2, 2],
      [3, 3],
      [4, 2],
    ],
  ];
  expect(parseDrawing(JSON.stringify({ strokes }), "d")).toEqual({ strokes, spread: 0 });
  expect(parseDrawing(JSON.stringify({ strokes, spread: 0.1 }), "d")).toEqual({ strokes, spread: 0.1 });
});

test.each([
  ["", "format", /^d: not JSON/],
  ["{", "format", /^d: not JSON/],
  ["3", "data", /^d: expected a list of points, or an object with points or strokes$/],
  ['{"point":[[1,2]]}', "data", /points or strokes; did you mean points\?$/],
  ['{"points":[[1,2]],"spred":1}', "data", /^d: unknown key spred; did you mean spread\?$/],
  ['{"points":[[1,2]],"colour":1}', "data", /^d: unknown key colour; known keys: points, columns, spread, source$/],
  ['{"strokes":[[[0,0],[1,1]]],"points":[]}', "data", /^d: unknown key points; known keys: strokes, spread$/],
  ["[]", "data", /^d: expected at least 1 of points such as \[0.5, 1\]$/],
  ["[[1,2],3]", "data", /^d, \[1\]: expected a list of numbers$/],
  ['[[1,2],[3,"4"]]', "data", /^d, \[1\]\[1\]: expected a number$/],
  ["[[1,2],[3,1e39]]", "data", /^d, \[1\]\[1\]: expected a number that float32 can hold/],
  ["[[1,2],[3,1e999]]", "data", /^d, \[1\]\[1\]: expected a number/],
  ["[[1,2],[3,4,5]]", "data", /^d, point 2: expected 2 numbers, as in the first, got 3$/],
  ['{"points":[[1,2]],"columns":["a"]}', "data", /^d, point 1: expected 1 number, one for each of the columns, got 2$/],
  ['{"points":[[1,2]],"spread":-1}', "data", /^d, spread: expected a number ≥ 0$/],
  ['{"strokes":[]}', "data", /^d, strokes: expected at least 1 of strokes/],
  ['{"strokes":[[[0,0]]]}', "data", /^d, strokes\[0\]: expected at least 2 of points/],
  ['{"strokes":[[[0,0],[1,2,3]]]}', "data", /^d, strokes\[0\]\[1\]: /],
])("refuses %s", (text, code, message) => {
  const error = ((): unknown => {
    try {
      return parseDrawing(text, "d");
    } catch (reason) {
      return reason;
    }
  })();
  if (!(error instanceof UnnoiseError)) throw new Error(`expected an UnnoiseError, got ${String(error)}`);
  expect(error.code).toBe(code);
  expect(error.message).toMatch(message);
  expect(error.message).not.toContain("\n");
});
