import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { corruptions } from "../../test/corrupt.ts";
import { UnnoiseError } from "../math/error.ts";
import { floatTensor } from "../tensor/tensor.ts";
import { decodeCsv, encodeCsv } from "./csv.ts";
import { shortestFloat32 } from "./float-text.ts";

describe("tables that read as [1, 2], [3, −4.5]", () => {
  test.each([
    ["commas", "1,2\n3,-4.5\n"],
    ["no last line end", "1,2\n3,-4.5"],
    ["semicolons", "1;2\n3;-4.5\n"],
    ["tabs", "1\t2\n3\t-4.5\n"],
    ["spaces", "1 2\n3 -4.5\n"],
    ["aligned columns", "   1     2\n   3  -4.5  \n"],
    ["spaces and tabs", " 1 \t2\r\n 3\t -4.5\r\n"],
    ["spaces after commas", "1, 2\n 3 , -4.5 \n"],
    ["Windows line ends", "1,2\r\n3,-4.5\r\n"],
    ["old Macintosh line ends", "1,2\r3,-4.5\r"],
    ["mixed line ends", "1,2\r\n3,-4.5\n"],
    ["byte-order mark", "\uFEFF1,2\n3,-4.5\n"],
    ["quotes", '"1","2"\n"3","-4.5"\n'],
    ["blank lines", "\n1,2\n\n\n3,-4.5\n\n"],
    ["lines of spaces", "1,2\n   \n3,-4.5\n  \n"],
    ["comments", "# made by hand, twice\n1,2\n# and so on\n3,-4.5\n"],
    ["signs and exponents", "+1e0,.2E1\n3.,-45e-1\n"],
  ])("%s", (_, text) => {
    const { columns, rows, width, data } = decodeCsv(text, "x.csv");
    expect({ columns, rows, width, data: [...data] }).toEqual({
      columns: undefined,
      rows: 2,
      width: 2,
      data: [1, 2, 3, -4.5],
    });
  });
});

test.each([
  ["commas", "bill length,mass\n1,2\n", ["bill length", "mass"]],
  ["one cell of text", "2020,mass\n1,2\n", ["2020", "mass"]],
  ["quoted delimiters", '"length, cm";"mass; g"\n1;2\n', ["length, cm", "mass; g"]],
  ["quoted quotes and line ends", '"a ""b""","c\nd"\n1,2\n', ['a "b"', "c\nd"]],
  ["quoted names between spaces", '"bill  length" "mass"\n1 2\n', ["bill  length", "mass"]],
  ["a name that is missing", ",mass\n1,2\n", ["column1", "mass"]],
  ["one column with spaces in its name", "bill length\n1\n2\n", ["bill length"]],
  ["byte-order mark and Windows", "\uFEFFx,y\r\n1,2\r\n", ["x", "y"]],
])("header with %s", (_, text, columns) => {
  const table = decodeCsv(text, "x.csv");
  expect(table.columns).toEqual(columns);
  expect(table.width).toBe(columns.length);
  expect([...table.data]).toEqual([1, 2]);
});

test.each([
  [
    "text",
    "x,species\n1,2\n3,Adelie\n",
    /line 3: column 2 \("species"\): expected a number, got "Adelie"; remove this column/,
  ],
  ["text without a header", "1,2\n3,abc\n", /line 2: column 2: expected a number, got "abc"/],
  ["a gap", "x,y\n1,2\n3,\n", /line 3: column 2 \("y"\): expected a number, got an empty cell/],
  ["a gap in the first row", "1,,3\n", /line 1: column 2: .* an empty cell/],
  ["a gap in words", "1,2\nNA,3\n", /line 2: column 1: expected a number, got a gap \("NA"\)/],
  ["NaN", "x,y\n1,nan\n", /line 2: column 2 \("y"\): expected a finite number, got "nan"/],
  ["NaN in the first row", "1,NaN\n2,3\n", /line 1: column 2: expected a finite number/],
  ["infinity", "1,2\n-Inf,3\n", /line 2: column 1: expected a finite number, got "-Inf"/],
  ["a number beyond float64", "1,1e999\n", /line 1: column 2: expected a finite number, got "1e999"/],
  ["hexadecimal", "1,2\n0x10,3\n", /line 2: column 1: expected a number, got "0x10"/],
  ["decimal commas", "1;2\n1,5;2\n", /line 2: column 1: .* "1,5"; write decimals with a point/],
  ["a short row", "1,2\n\n3\n", /line 3: expected 2 cells as in the first row, got 1/],
  ["a long row", "1,2\n3,4,5\n", /line 2: expected 2 cells as in the first row, got 3/],
  ["a row after a header of two lines", '"a\nb",c\n1,x\n', /line 3: column 2 \("c"\)/],
  ["nothing", "", /no rows of numbers \(the file is empty\)/],
  ["only blank lines", "\n \n\n", /no rows of numbers/],
  ["only a header", "x,y\n", /no rows of numbers \(only a header\)/],
  ["an open quote", '1,2\n3,"4\n', /not a readable table: Quote Not Closed.* line 2/],
  ["text behind a quote", '1,2\n3,"4"x\n', /not a readable table: Invalid Closing Quote.* line 2/],
  ["a very long cell", `1,2\n3,${"z".repeat(1e5)}\n`, /got "z{40}…"/],
])("%s: one clear line", (_, text, message) => {
  const act = (): unknown => decodeCsv(text, "points.csv");
  expect(act).toThrow(UnnoiseError);
  expect(act).toThrow(message);
  expect(act).toThrow(/^points\.csv[,:][^\n]{1,300}$/);
});

test("long runs of digits do not stall the reader", () => {
  const started = performance.now();
  expect(() => decodeCsv(`1\n${"1".repeat(2e5)}x\n`, "x.csv")).toThrow(/expected a number/);
  expect(performance.now() - started).toBeLessThan(2000);
});

test("1,000 damaged files each give an error of ours or a consistent table", () => {
  const text = 'length,"mass, g"\n1.5,2e3\n-0.25,"7"\n12,13\n0.5,1e-7\n';
  let refused = 0;
  for (const bytes of corruptions(new TextEncoder().encode(text), 1000)) {
    try {
      const { data, rows, width } = decodeCsv(new TextDecoder().decode(bytes), "x.csv");
      expect(data.length).toBe(rows * width);
      expect(data.every(Number.isFinite)).toBe(true);
    } catch (error) {
      expect(error).toBeInstanceOf(UnnoiseError);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(200);
});

test("written points read back as the same float32 values and names", () => {
  const point = fc.tuple(
    fc.float({ noNaN: true, noDefaultInfinity: true }),
    fc.float({ noNaN: true, noDefaultInfinity: true }),
  );
  const names = fc.constantFrom(["x", "y"], ["a,b", 'c "d"'], ["#1", " z "], ["line\nend", "1"]);
  fc.assert(
    fc.property(fc.array(point, { minLength: 1, maxLength: 20 }), names, (points, columns) => {
      const tensor = floatTensor(points.flat(), [points.length, 2]);
      const table = decodeCsv(encodeCsv(columns, tensor), "x.csv");
      expect(Float32Array.from(table.data)).toEqual(tensor.data);
      expect(table.columns).toEqual(columns);
    }),
  );
});

test("float32 text is short and exact", () => {
  expect(
    [0.1, 0.5, 1 / 3, 16777216, 1e20, -0, 1e-45, 3.4028234e38].map((value) => shortestFloat32(Math.fround(value))),
  ).toEqual(["0.1", "0.5", "0.33333334", "16777216", "100000000000000000000", "-0", "1e-45", "3.4028235e+38"]);
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(Math.fround(Number(shortestFloat32(value)))).toBe(value);
    }),
  );
});

test("refuses names that do not fit", () => {
  const points = floatTensor([1, 2], [1, 2]);
  expect(() => encodeCsv(["x"], points)).toThrow(/a name for each column/);
  expect(() => encodeCsv(["1", "2"], points)).toThrow(/not a number/);
});
