import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { encodePng } from "../formats/png.ts";
import type { ImageOptions } from "./image-options.ts";
import { openImages } from "./images.node.ts";

const top = mkdtempSync(join(tmpdir(), "unnoise-folders-"));
afterAll(() => {
  rmSync(top, { recursive: true });
});
let made = 0;

const picture = join(top, "one.png");
writeFileSync(picture, encodePng({ width: 1, height: 1, data: Uint8Array.of(90, 90, 90, 255) }));

/** A folder with the given files, each the same picture; names that end in a slash are empty folders, others than .png hold words. */
function tree(...files: readonly string[]): string {
  const root = join(top, `tree${++made}`);
  mkdirSync(root);
  for (const file of files) {
    const path = join(root, file);
    mkdirSync(file.endsWith("/") ? path : dirname(path), { recursive: true });
    if (file.endsWith(".png")) copyFileSync(picture, path);
    else if (!file.endsWith("/")) writeFileSync(path, "words");
  }
  return root;
}

interface Told {
  readonly classes: readonly string[] | undefined;
  readonly count: number;
  readonly held: number | undefined;
  readonly warnings: readonly string[];
}

async function opened(root: string, options: ImageOptions = {}): Promise<Told> {
  const warnings: string[] = [];
  const cacheFolder = join(top, `cache${made}`);
  const images = await openImages(root, { ...options, cacheFolder, onWarning: (text) => warnings.push(text) });
  return { classes: images.classes, count: images.count, held: images.test?.count, warnings };
}

const classes = ["cats/1.png", "cats/2.png", "dogs/1.png"];
const plain = { classes: ["cats", "dogs"], count: 3, held: undefined, warnings: [] };

describe("what systems leave", () => {
  const left = [
    "__MACOSX/cats/",
    "__MACOSX/cats/._1.png",
    "cats/._1.png",
    "@eaDir/x.png",
    "#recycle/x.png",
    "lost+found/",
    "$RECYCLE.BIN/x.png",
    "System Volume Information/x.png",
    ".ipynb_checkpoints/x.png",
    ".git/x.png",
    "cats/@eaDir/1.png",
    "cats/Thumbs.db",
    "dogs/desktop.ini",
    ".DS_Store",
    "cats/.DS_Store",
  ];
  test("changes nothing, in any mixture, beside classes, parts and pictures", async () => {
    await fc.assert(
      fc.asyncProperty(fc.subarray(left), async (more) => {
        expect(await opened(tree(...classes, ...more))).toEqual(plain);
        const beside = more.filter((name) => !/^(?:cats|dogs)/.test(name));
        expect(await opened(tree("1.png", "2.png", ...beside))).toMatchObject({ classes: undefined, count: 2 });
        const parts = ["train/cats/1.png", "test/cats/1.png", "test/cats/2.png"];
        expect(await opened(tree(...parts, ...beside))).toEqual({ classes: ["cats"], count: 1, held: 2, warnings: [] });
      }),
      { numRuns: 8 },
    );
  });
});

describe("each fault has its own words, and what they advise works", () => {
  test("a class without pictures", async () => {
    const { warnings, ...rest } = await opened(tree(...classes, "birds/"));
    expect(rest).toEqual({ classes: ["birds", "cats", "dogs"], count: 3, held: undefined });
    expect(warnings).toEqual([expect.stringMatching(/^no picture of the class "birds"/)]);
  });

  test.each([
    ["that leads nowhere", "nowhere.png"],
    ["that leads to itself", "latest.png"],
  ])("a link %s is a broken picture", async (_, target) => {
    const root = tree("1.png", "2.png");
    symlinkSync(target, join(root, "latest.png"));
    await expect(opened(root)).rejects.toThrow(/latest\.png: .* onBroken "skip" \(train --broken skip\)/);
    expect(await opened(root, { onBroken: "skip" })).toMatchObject({
      count: 2,
      warnings: [expect.stringMatching(/^1 broken picture left out, such as .*latest\.png/)],
    });
  });

  test("links to folders above are not followed", async () => {
    const root = tree(...classes);
    symlinkSync("..", join(root, "cats", "up"));
    expect(await opened(root)).toEqual(plain);
  });

  test("pictures beside classes", async () => {
    await expect(opened(tree(...classes, "stray.png"))).rejects.toThrow(
      /not both; got stray\.png beside the folder cats; move those pictures into a folder of their own/,
    );
    expect(await opened(tree(...classes, "stray/stray.png"))).toMatchObject({ count: 4 });
  });

  test("a further part that is not used", async () => {
    const root = tree("train/1.png", "val/1.png", "test/1.png", "test/2.png");
    const words = /^.*: "val" left out; "test" is held out$/;
    expect(await opened(root)).toMatchObject({ count: 1, held: 2, warnings: [expect.stringMatching(words)] });
  });
});

describe("names that can be parts and classes", () => {
  test.each([
    ["a part beside classes", [...classes, "test/1.png"], ["cats", "dogs", "test"], { count: 3, held: 1 }],
    [
      "a class of trains",
      ["bus/1.png", "train/1.png", "valid/1.png"],
      ["bus", "train", "valid"],
      { count: 1, held: 1 },
    ],
    ["parts held out alone", ["val/1.png", "test/1.png", "cats/1.png"], ["cats", "test", "val"], { count: 1, held: 1 }],
  ])("%s: refused with both readings, each of which works", async (_, files, asClasses, asParts) => {
    const root = tree(...files);
    await expect(opened(root)).rejects.toThrow(
      /\(--folders classes\) takes every folder.*\(--folders parts\) holds "(?:test|valid)" out/,
    );
    expect(await opened(root, { folders: "classes" })).toMatchObject({ classes: asClasses, count: files.length });
    expect(await opened(root, { folders: "parts" })).toMatchObject(asParts);
  });

  test("parts to learn from alone: refused, and each by its own path works", async () => {
    const root = tree("train/1.png", "training/1.png", "training/2.png");
    await expect(opened(root)).rejects.toThrow(
      /to learn from one of them as a part, give its own path, such as .*train/,
    );
    await expect(opened(root, { folders: "parts" })).rejects.toThrow(/as parts: expected one folder .* got several/);
    expect(await opened(join(root, "training"))).toMatchObject({ count: 2 });
  });

  test("another word for the reading is refused", async () => {
    const folders = "part" as "parts";
    await expect(opened(tree(...classes), { folders })).rejects.toThrow(/folders to be one of auto, classes, parts/);
  });
});

describe("a split by any names", () => {
  const trains = ["train", "Train", "TRAINING", "train_set", "Train Set", "train-images", "train2017", "training data"];
  const tests = [
    "test",
    "Testing",
    "val",
    "VAL",
    "valid",
    "validation-set",
    "val2017",
    "dev",
    "eval",
    "holdout",
    "held_out",
  ];
  test("is a split", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...trains), fc.constantFrom(...tests), async (train, held) => {
        const root = tree(`${train}/a/1.png`, `${train}/b/1.png`, `${held}/a/1.png`);
        expect(await opened(root)).toEqual({ classes: ["a", "b"], count: 2, held: 1, warnings: [] });
      }),
      { numRuns: 12 },
    );
  });
});
