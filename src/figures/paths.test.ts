import { expect, it } from "vitest";
import { floatTensor } from "../tensor/tensor.ts";
import { pathsFigure } from "./paths.ts";
import { categories } from "./theme.ts";

const paths = floatTensor([0, 0, 1, 1, 2, 0, 0, 1, -1, 1, -1, 2], [2, 3, 2]);
const reference = floatTensor([0, 0, 1, 2, -1, 1], [3, 2]);
const occurrences = (svg: string, part: string): number => svg.split(part).length - 1;

it("paths have one colour in all panels, a ring at their start and a dot at their end", () => {
  const panels = ["forward", "back"].map((label) => ({ label, paths }));
  const svg = pathsFigure({ title: "ways", panels, reference, columns: ["u", "v (m)"] });
  for (const colour of categories.slice(0, 2)) {
    expect(occurrences(svg, `stroke="${colour}"`)).toBe(4);
    expect(occurrences(svg, `fill="${colour}"`)).toBe(2);
  }
  expect(occurrences(svg, `stroke="${categories[2] ?? ""}"`)).toBe(0);
  for (const text of ["ways", "forward", "back", "u", "v (m)", "start of a path"])
    expect(svg).toContain(`>${text}</text>`);
  expect(svg).not.toMatch(/NaN|Infinity/);
});

it("what are no paths in the plane is refused", () => {
  const draw = (panels: { label: string; paths: typeof paths }[]) => () =>
    pathsFigure({ title: "ways", panels, reference });
  expect(draw([])).toThrow("at least one panel");
  expect(draw([{ label: "p", paths: floatTensor([1, 2, 3], [1, 3, 1]) }])).toThrow(/panel "p".*got \[1, 3, 1\]/);
});
