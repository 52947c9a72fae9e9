import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeCsv } from "../formats/csv.ts";
import { Random } from "../math/random.ts";
import { floatTensor } from "../tensor/tensor.ts";
import { partOf } from "./folder-names.ts";
import { dataWarnings } from "./column-findings.ts";
import { summaryLines, summaryOf } from "./summary.ts";
import { toyDataset } from "./dataset.ts";
import { toyNames } from "./toy.ts";

const ROWS = 200;
/** Columns of normal numbers. */
function clean(width: number, seed: number): number[][] {
  const data = new Float64Array(ROWS * width);
  new Random(seed, "metric").normals(data, width);
  return Array.from({ length: width }, (_, c) => Array.from({ length: ROWS }, (_row, r) => data[r * width + c] ?? 0));
}
function warningsOf(columns: readonly (readonly number[])[]): string[] {
  const data = Array.from({ length: ROWS }, (_, r) => columns.map((column) => column[r] ?? 0)).flat();
  const names = columns.map((_, c) => `c${c}`);
  return dataWarnings({ points: floatTensor(data, [ROWS, columns.length]), columns: names });
}

const faults: Readonly<Record<string, readonly [(column: number[]) => number[], RegExp]>> = {
  "a constant": [(column) => column.map(() => 7), /column "c0" is 7 in every row/],
  "the row number": [(column) => column.map((_, row) => row), /column "c0" counts the rows, 0, 1/],
  "one huge value": [
    (column) => column.map((x, row) => (row === 9 ? 1e9 : x)),
    /"c0" has 1 value far outside .* 1000000000 in row 10/,
  ],
  "a word for missing": [
    (column) => column.map((x, row) => (row % 50 === 3 ? -9999 : x)),
    /"c0" has 4 values far outside .* -9999 in row 4/,
  ],
};

test("clean columns are not warned of; each fault is, by its own words alone", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 2 ** 30 }), (width, seed) => {
      const columns = clean(width, seed);
      expect(warningsOf(columns)).toEqual([]);
      for (const [change, words] of Object.values(faults)) {
        const changed = columns.map((column, c) => (c === 0 ? change(column) : column));
        expect(warningsOf(changed)).toEqual([expect.stringMatching(words)]);
      }
      expect(warningsOf([...columns, columns[0] ?? []])).toEqual([
        `columns "c0" and "c${width}" are the same in every row: samples of them would differ; leave it out with drop (--drop c${width})`,
      ]);
    }),
    { numRuns: 20 },
  );
});

test.each(toyNames)("%s is clean", (name) => {
  expect(dataWarnings(toyDataset(name, { count: 2000 }))).toEqual([]);
});

/** Points of a circle, of which some rows are replaced. */
function withRows(change: (row: number) => number | undefined): number[] {
  return Array.from({ length: 600 }, (_, i) => change(i) ?? Math.cos(i * 0.0105));
}

test.each<[string, number[], RegExp]>([
  ["one of 1e9 among many zeros", withRows((i) => (i < 400 ? 0 : i === 599 ? 1e9 : undefined)), /1 value far outside/],
  ["two thirds that stand for missing", withRows((i) => (i % 3 > 0 ? -9999 : undefined)), /400 values far outside/],
  ["a third that stands for missing", withRows((i) => (i % 3 > 1 ? -9999 : undefined)), /200 values far outside/],
])("%s is told of", (_, values, words) => {
  const data = { points: floatTensor(values, [values.length, 1]), columns: ["x"] };
  expect(dataWarnings(data)).toEqual([expect.stringMatching(words)]);
});

test.each<[string, (row: number) => number]>([
  ["classes as numbers", (row) => row % 7],
  ["yes or no, mostly no", (row) => (row % 50 === 0 ? 1 : 0)],
  ["counts with many zeros", (row) => (row % 3 === 0 ? row % 11 : 0)],
  ["rows numbered out of order", (row) => (row * 7) % 600],
])("%s are clean", (_, value) => {
  const points = floatTensor(
    Array.from({ length: 600 }, (_row, row) => value(row)),
    [600, 1],
  );
  expect(dataWarnings({ points, columns: ["x"] })).toEqual([]);
});

test("many columns of one kind are one line, or few", () => {
  const columns = Array.from({ length: 80 }, () => Array.from({ length: ROWS }, () => 3));
  expect(warningsOf(columns)).toEqual([
    expect.stringMatching(/columns "c0", .*, and 74 more have one value each: .*\(--drop c0,c1,/),
  ]);
  const numbers = Array.from({ length: 80 }, () => Array.from({ length: ROWS }, (_, row) => row));
  expect(warningsOf(numbers).length).toBeLessThan(20);
});

test("a summary tells each column", () => {
  const summary = summaryOf({ points: floatTensor([1, 5, 2, 5, 2, 8], [3, 2]), columns: ["a", "b\u001b"] });
  expect(summaryLines(summary)).toEqual([
    'column "a": 1 to 2, 2 distinct values',
    String.raw`column "b\u001b": 5 to 8, 2 distinct values`,
  ]);
});

describe("tables as pandas writes them", () => {
  test.each<[string, string, readonly string[] | undefined, number[], RegExp | undefined]>([
    [
      "a header of numbers",
      "0,1\n1.5,2.5\n3.25,4.5\n",
      undefined,
      [1.5, 2.5, 3.25, 4.5],
      /first row counts the columns/,
    ],
    ["points that may be one", "0,1\n1,2\n3,4\n", undefined, [0, 1, 1, 2, 3, 4], /taken as a point; if it is a header/],
    [
      "row numbers",
      ",x,y\n0,1.5,2\n1,3,4\n",
      ["x", "y"],
      [1.5, 2, 3, 4],
      /first column, without a name, is the row number/,
    ],
    ["row numbers by name", "Unnamed: 0,x\n5,1.5\n6,3\n", ["x"], [1.5, 3], /row number/],
    ["both", ",0,1\n0,1.5,2\n1,3,4\n", undefined, [1.5, 2, 3, 4], /row number/],
    ["an empty column", "x,y,z\n1,2,\n3,4,\n", ["x", "y"], [1, 2, 3, 4], /column 3 \("z"\) is empty in every row/],
    ["a first column without a name that is none", ",y\n7,2\n3,4\n", ["column1", "y"], [7, 2, 3, 4], undefined],
    ["nothing odd", "x,y\n1,2\n3,4\n", ["x", "y"], [1, 2, 3, 4], undefined],
  ])("%s", (_, text, columns, values, warning) => {
    const table = decodeCsv(text, "t.csv");
    expect([table.columns, [...table.data]]).toEqual([columns, values]);
    expect(table.warnings).toEqual(warning === undefined ? [] : [expect.stringMatching(warning)]);
  });

  test("a gap in a column of numbers is an error, and so is a table of gaps", () => {
    expect(() => decodeCsv("x,y\n1,\n3,4\n", "t.csv")).toThrow(
      /line 2: column 2 \("y"\): expected a number, got an empty cell/,
    );
    expect(() => decodeCsv("x,y\n,\n,\n", "t.csv")).toThrow(/line 2/);
  });
});

describe("names of the parts of a split", () => {
  const train = [
    "train",
    "Train",
    "TRAIN",
    "training",
    "Training",
    "trn",
    "train_set",
    "train-set",
    "trainset",
    "Train Set",
    "training_set",
  ];
  const more = [
    "train2017",
    "train_2017",
    "train_images",
    "train-images",
    "TrainImages",
    "training data",
    "train_data",
    "train_split",
    "Train_Folder",
  ];
  const test_ = [
    "test",
    "Test",
    "TEST",
    "testing",
    "tst",
    "test_set",
    "test-set",
    "testset",
    "Test Set",
    "test2017",
    "test_images",
    "test-data",
  ];
  const held = [
    "val",
    "Val",
    "VAL",
    "valid",
    "validation",
    "Validation",
    "validation_set",
    "val2017",
    "val_images",
    "valid-data",
    "dev",
    "dev_set",
  ];
  const others = [
    "eval",
    "evaluation",
    "holdout",
    "held-out",
    "held_out",
    "Hold Out",
    "data_test",
    "images_val",
    "my train",
  ];
  const classes = [
    "cats",
    "dogs",
    "trainers",
    "testament",
    "trains",
    "valley",
    "device",
    "contest",
    "value",
    "0",
    "7",
    "tester",
    "developer",
    "ale",
  ];
  test.each([...train, ...more])("%s is to learn from", (name) => expect(partOf(name)).toBe("train"));
  test.each([...test_, ...held, ...others.filter((name) => name !== "my train")])("%s is held out", (name) => {
    expect(partOf(name)).toBe("test");
  });
  test.each(classes)("%s is a class", (name) => expect(partOf(name)).toBeUndefined());
});
