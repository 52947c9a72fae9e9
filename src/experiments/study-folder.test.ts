import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { StudyFolder, type PlaceRequest } from "./study-folder.node.ts";

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "unnoise-report-"));
});
afterEach(() => rmSync(path, { recursive: true }));

const options: PlaceRequest["options"] = { data: [], scale: "quick", seed: 0, seeds: 1 };
const request: PlaceRequest = { study: { name: "all" }, options, overwrite: false };

test("an overview may stand beside whatever reports there are, but in place of no other page", async () => {
  const folder = new StudyFolder(path);
  for (const name of ["cache", "influence", "my-own-study"]) mkdirSync(join(path, name));
  await folder.checkFree({ ...request, shared: true });
  await expect(folder.checkFree(request)).rejects.toThrow("holds no report of unnoise");
  writeFileSync(join(path, "report.html"), "mine");
  await expect(folder.checkFree({ ...request, shared: true })).rejects.toThrow("holds no report of unnoise");
});

test("a report whose writing was cut short may be written again", async () => {
  const folder = new StudyFolder(path);
  const files = new Map<string, string>([
    ["figures/a b.svg", "old"],
    ["tables/t.csv", "old"],
  ]);
  const broken = new Map<string, string>([...files, ["tables/t.csv/u", "below a file"]]);
  await expect(folder.replace(broken, { study: "all", options })).rejects.toThrow("cannot create");
  writeFileSync(join(path, "report.html"), "half");
  await folder.checkFree(request);
  writeFileSync(join(path, "notes.txt"), "mine");
  await folder.replace(new Map([["report.html", "new"]]), { study: "all", options });
  expect(readFileSync(join(path, "report.html"), "utf8")).toBe("new");
  expect(readdirSync(path, { recursive: true }).sort()).toEqual([
    "figures",
    "notes.txt",
    "report.html",
    "results.json",
    "tables",
  ]);
});

test("results of something else are left alone", async () => {
  writeFileSync(join(path, "results.json"), "{}");
  await expect(new StudyFolder(path).checkFree(request)).rejects.toThrow(/results\.json: .*; choose another --out$/);
});
