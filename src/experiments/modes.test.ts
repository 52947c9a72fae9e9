import { describe, expect, it } from "vitest";
import { toyDataset } from "../data/dataset.ts";
import { fitStandardiser, standardise } from "../data/standardise.ts";
import { toyNames } from "../data/toy.ts";
import { floatTensor } from "../tensor/tensor.ts";
import { assignModes, modesOf } from "./modes.ts";

const COUNT = 4000;

describe("modes", () => {
  it.each(toyNames.filter((name) => name !== "25-gaussians"))("of %s are about equally likely", (name) => {
    const data = toyDataset(name, { count: COUNT, seed: 3 });
    const standardiser = fitStandardiser(data.points);
    const modes = modesOf(data, standardiser);
    const assigned = assignModes(modes, standardise(data.points, standardiser));
    const share = 1 / modes.count;
    const error = Math.sqrt((share * (1 - share)) / COUNT);
    for (let mode = 0; mode < modes.count; mode++) {
      const found = assigned.filter((each) => each === mode).length / COUNT;
      // Cells stand for pieces of a curve: their borders may be off by half a cell, less than 5 % of a mode.
      expect(Math.abs(found - share)).toBeLessThan(4 * error + 0.05 * share);
    }
  });

  it("of moons are its classes", () => {
    const data = toyDataset("moons", { count: COUNT, seed: 3 });
    const standardiser = fitStandardiser(data.points);
    const assigned = assignModes(modesOf(data, standardiser), standardise(data.points, standardiser));
    const wrong = assigned.filter((mode, i) => mode !== data.labels?.[i]).length;
    expect(wrong / COUNT).toBeLessThan(0.01);
  });

  it("of labelled data of other kinds are the classes of their neighbours", () => {
    const points = floatTensor([0, 0, 0, 1, 9, 9, 9, 8], [4, 2]);
    const data = {
      name: "own",
      columns: ["x", "y"],
      points,
      labels: Int32Array.of(0, 0, 1, 1),
      classes: ["low", "high"],
    };
    const standardiser = fitStandardiser(points);
    const modes = modesOf(data, standardiser);
    const shown = standardise(floatTensor([1, 1, 8, 8], [2, 2]), standardiser);
    expect(Array.from(assignModes(modes, shown))).toEqual([0, 1]);
  });

  it("of other data surround points far apart", () => {
    const corners = [-1, -1, -1, 1, 1, -1, 1, 1];
    const points = floatTensor([...corners, 0, 0, 0.1, 0, ...corners.map((value) => value * 1.01)], [10, 2]);
    const standardiser = fitStandardiser(points);
    const modes = modesOf({ name: "own.csv", columns: ["x", "y"], points }, standardiser);
    expect(modes.count).toBe(6);
    const assigned = assignModes(modes, standardise(floatTensor(corners, [4, 2]), standardiser));
    expect(new Set(assigned).size).toBe(4);
  });
});
