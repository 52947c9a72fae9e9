import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { encodeNpy } from "../formats/npy.ts";
import { floatTensor } from "../tensor/tensor.ts";
import { dropWord, keptColumns } from "./drop-columns.ts";
import { loadPoints } from "./points.node.ts";

const folder = mkdtempSync(join(tmpdir(), "unnoise-drop-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}
const loaded = async (path: string, drop: readonly string[]): Promise<[readonly string[], number[]]> => {
  const { columns, points } = await loadPoints(path, { drop });
  return [columns, [...points.data]];
};

test("what a column is called by in advice drops that column and no other", () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 2, maxLength: 6 }), fc.nat(), (names, pick) => {
      const index = pick % names.length;
      const word = dropWord(
        index,
        names.map((name) => ({ name })),
      );
      expect(word).toMatch(/^[\w.:@%+][\w.:@%+-]*$/);
      // A table whose names are themselves numbers of other columns can only be dropped from by names.
      fc.pre(!names.some((name, i) => name === word && i !== index));
      expect(keptColumns(names, [word], "t")).toEqual([...names.keys()].filter((each) => each !== index));
    }),
  );
});

test("columns of text, with and without a header, are left out, whatever they hold", async () => {
  const named = file("named.csv", "kind,x,y\ncat,1,2\ndog,3,4\n");
  expect(await loaded(named, ["kind"])).toEqual([
    ["x", "y"],
    [1, 2, 3, 4],
  ]);
  expect(await loaded(named, ["column1", "y"])).toEqual([["x"], [1, 3]]);
  const bare = file("bare.csv", "1,2,cat\n3,4,dog\n");
  expect(await loaded(bare, ["column3"])).toEqual([
    ["column1", "column2"],
    [1, 2, 3, 4],
  ]);
});

test("columns of arrays and drawings are left out", async () => {
  const array = file("a.npy", encodeNpy(floatTensor([1, 2, 3, 4, 5, 6], [2, 3])));
  expect(await loaded(array, ["column2"])).toEqual([
    ["column1", "column3"],
    [1, 3, 4, 6],
  ]);
  const drawing = file(
    "d.json",
    JSON.stringify({
      columns: ["a", "b"],
      points: [
        [1, 2],
        [3, 4],
      ],
    }),
  );
  expect(await loaded(drawing, ["a"])).toEqual([["b"], [2, 4]]);
});

test("what cannot be left out is told of, with what there is", async () => {
  const path = file("e.csv", "alpha,b\n1,2\n3,4\n");
  await expect(loadPoints(path, { drop: ["alhpa"] })).rejects.toThrow(
    /drop: no column "alhpa"; did you mean "alpha"\?/,
  );
  await expect(loadPoints(path, { drop: ["other"] })).rejects.toThrow(/no column "other"; it has "alpha", "b"/);
  await expect(loadPoints(path, { drop: ["b", "column1"] })).rejects.toThrow(/at least one column to stay, got all 2/);
  const twice = file("t.csv", "a,a\n1,2\n3,4\n");
  await expect(loadPoints(twice, { drop: ["a"] })).rejects.toThrow(/several columns; say which: column1, column2/);
  expect(await loaded(twice, ["column2"])).toEqual([["a"], [1, 3]]);
  const density = file(
    "s.json",
    JSON.stringify({
      points: [
        [1, 2],
        [3, 4],
      ],
      spread: 0.1,
    }),
  );
  await expect(loadPoints(density, { drop: ["x"] })).rejects.toThrow(/only a file of points has columns to leave out/);
});

test("the advice for a column of words is what reads the table", async () => {
  const path = file("w.csv", "x,y,species\n1,2,cat\n3,4,dog\n");
  const message = await loadPoints(path).then(
    () => "",
    (error: unknown) => (error as Error).message,
  );
  const [, word = ""] = /--drop (\w+)/.exec(message) ?? [];
  expect(await loaded(path, [word])).toEqual([
    ["x", "y"],
    [1, 2, 3, 4],
  ]);
});
