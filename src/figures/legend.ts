import type { SvgDocument, SvgElement } from "./svg-document.ts";
import { textWidth } from "./text-layout.ts";
import { fontSizes, spacing } from "./theme.ts";

/** How a legend shows an entry: as the figure draws it. */
export type LegendMark = "dot" | "ring" | "line" | "dashed" | "area";

/** One line of a legend. */
export interface LegendEntry {
  readonly label: string;
  readonly colour: string;
  readonly mark: LegendMark;
  /** Pattern of a dashed line; default "5 3" */
  readonly dash?: string;
}

const KEY_WIDTH = 22;
const ENTRY_GAP = 16;

/** The entries as groups, one a row, each row at most `width` px wide unless a single entry is wider. */
export function legendRows(document: SvgDocument, entries: readonly LegendEntry[], width: number): SvgElement[] {
  const rows: SvgElement[] = [];
  let x = 0;
  for (const entry of entries) {
    const entryWidth = KEY_WIDTH + textWidth(entry.label, fontSizes.text) + ENTRY_GAP;
    let row = rows.at(-1);
    if (row === undefined || x + entryWidth - ENTRY_GAP > width) {
      row = document.element("g", { "aria-label": "legend" });
      rows.push(row);
      x = 0;
    }
    row.appendChild(entryElement(document, entry, x));
    x += entryWidth;
  }
  return rows;
}

function entryElement(document: SvgDocument, entry: LegendEntry, x: number): SvgElement {
  const label = document.element("text", { x: KEY_WIDTH, y: 12, "font-size": fontSizes.text }, entry.label);
  return document.element("g", { transform: `translate(${x},0)` }, keyElement(document, entry), label);
}

function keyElement(document: SvgDocument, { mark, colour, dash = "5 3" }: LegendEntry): SvgElement {
  const middle = spacing.line / 2 - 0.5;
  switch (mark) {
    case "dot":
      return document.element("circle", { cx: 10, cy: middle, r: 4.5, fill: colour });
    case "ring":
      return document.element("circle", {
        cx: 10,
        cy: middle,
        r: 4,
        fill: "none",
        stroke: colour,
        "stroke-width": 1.5,
      });
    case "area":
      return document.element("rect", {
        x: 2,
        y: middle - 5,
        width: 16,
        height: 10,
        fill: colour,
        "fill-opacity": 0.5,
      });
    case "line":
      return document.element("path", { d: `M1,${middle}H19`, stroke: colour, "stroke-width": 2.5 });
    case "dashed":
      return document.element("path", {
        d: `M1,${middle}H19`,
        stroke: colour,
        "stroke-width": 2.5,
        "stroke-dasharray": dash,
      });
  }
}
