import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { encodeNpy } from "../formats/npy.ts";
import { floatTensor } from "../tensor/tensor.ts";
import { loadBetas } from "./betas.node.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unnoise-betas-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function loaded(name: string, content: string | Uint8Array): Promise<readonly number[]> {
  await writeFile(join(folder, name), content);
  return loadBetas(join(folder, name));
}

it.each([
  ["array.json", "[0.25, 0.5]"],
  ["object.json", '{"name": "mine", "betas": [0.25, 0.5]}'],
  ["plain.csv", "0.25\n0.5\n"],
  ["header.CSV", "beta\n0.25\n0.5\n"],
  ["plain.txt", "0.25\n0.5\n"],
  ["row.npy", encodeNpy(floatTensor([0.25, 0.5], [2]))],
  ["column.npy", encodeNpy(floatTensor([0.25, 0.5], [2, 1]))],
])("reads %s", async (name, content) => {
  expect(await loaded(name, content)).toEqual([0.25, 0.5]);
});

it.each([
  ["wide.npy", encodeNpy(floatTensor([0.1, 0.2, 0.3, 0.4], [2, 2])), /expected betas of shape \(T,\), got \(2, 2\)/],
  ["nested.json", "[[0.1], [0.2]]", /expected an array of numbers/],
  ["null.json", "null", /expected an array of numbers/],
  ["bytes.json", Uint8Array.of(0xff, 0xfe, 0xff), /not text/],
  ["betas.dat", "0.1", /expected a file that ends in/],
])("refuses %s", async (name, content, message) => {
  await expect(loaded(name, content)).rejects.toThrow(message);
});
