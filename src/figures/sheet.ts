import { plot, type PlotOptions } from "@observablehq/plot";
import { SvgDocument, serialize, type SvgElement } from "./svg-document.ts";
import { legendRows, type LegendEntry } from "./legend.ts";
import { wrapText } from "./text-layout.ts";
import { colours, figureWidth, fontFamily, fontSizes, spacing } from "./theme.ts";

/** One plot of a figure, with margins inside its width and height (px). */
export interface Panel {
  readonly plot: PlotOptions;
  readonly width: number;
  readonly height: number;
  readonly title?: string;
  readonly legend?: readonly LegendEntry[];
}

/** A whole figure: title, legend, rows of panels and a note below. */
export interface Sheet {
  readonly title: string;
  readonly rows: readonly (readonly Panel[])[];
  readonly legend?: readonly LegendEntry[];
  readonly notes?: readonly string[];
  readonly width?: number;
  readonly gap?: number;
}

/**
 * Lays a figure out on an opaque light sheet, so that it reads the same on light and dark pages.
 * @returns SVG markup that needs no style sheet, script or network
 */
export function renderSheet(sheet: Sheet): string {
  const document = new SvgDocument();
  const width = sheet.width ?? figureWidth;
  const parts: SvgElement[] = [];
  let y: number = spacing.edge;
  y = addLines(document, parts, wrapText(sheet.title, width - 2 * spacing.edge, fontSizes.title, true), y, {
    size: fontSizes.title,
    bold: true,
  });
  y = addLegend(document, parts, sheet.legend ?? [], { x: spacing.edge, y: y + 4, width: width - 2 * spacing.edge });
  for (const row of sheet.rows) y = addRow(document, parts, row, y + 6, sheet.gap ?? spacing.gap);
  for (const note of sheet.notes ?? []) {
    const lines = wrapText(note, width - 2 * spacing.edge, fontSizes.tick);
    y = addLines(document, parts, lines, y + 4, { size: fontSizes.tick, colour: colours.muted });
  }
  return serialize(rootElement(document, sheet.title, width, Math.ceil(y + spacing.edge / 2), parts));
}

function rootElement(document: SvgDocument, title: string, width: number, height: number, parts: SvgElement[]) {
  const attributes = {
    xmlns: "http://www.w3.org/2000/svg",
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
    color: colours.ink,
    fill: colours.ink,
    "font-family": fontFamily,
    "font-size": fontSizes.text,
  };
  const background = document.element("rect", { width, height, fill: colours.background });
  return document.element("svg", attributes, document.element("title", {}, title), background, ...parts);
}

interface LineStyle {
  readonly size: number;
  readonly bold?: boolean;
  readonly colour?: string;
}

function addLines(document: SvgDocument, parts: SvgElement[], lines: readonly string[], y: number, style: LineStyle) {
  let bottom = y;
  for (const line of lines) {
    bottom += style.size + 4;
    const attributes = {
      x: spacing.edge,
      y: bottom - 4,
      "font-size": style.size,
      "font-weight": style.bold === true ? "bold" : undefined,
      fill: style.colour,
    };
    parts.push(document.element("text", attributes, line));
  }
  return bottom;
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

function addLegend(document: SvgDocument, parts: SvgElement[], entries: readonly LegendEntry[], box: Box): number {
  const rows = legendRows(document, entries, box.width);
  rows.forEach((row, index) => {
    row.setAttribute("transform", `translate(${box.x},${box.y + index * spacing.line})`);
    parts.push(row);
  });
  return box.y + rows.length * spacing.line;
}

/** Places panels side by side; their plots start at one height, below the tallest heading. */
function addRow(document: SvgDocument, parts: SvgElement[], row: readonly Panel[], top: number, gap: number): number {
  let x = 0;
  const headings = row.map((panel) => headingHeight(document, panel));
  const plotTop = top + Math.max(0, ...headings);
  for (const panel of row) {
    addHeading(document, parts, panel, x, top);
    const drawn = plotElement(document, panel);
    drawn.setAttribute("transform", `translate(${x},${plotTop})`);
    parts.push(drawn);
    x += panel.width + gap;
  }
  return plotTop + Math.max(0, ...row.map((panel) => panel.height));
}

const innerLeft = (panel: Panel): number => panel.plot.marginLeft ?? 0;
const innerWidth = (panel: Panel): number => panel.width - innerLeft(panel) - (panel.plot.marginRight ?? 0);

function headingLines(panel: Panel): string[] {
  return panel.title === undefined ? [] : wrapText(panel.title, innerWidth(panel), fontSizes.panel);
}

function headingHeight(document: SvgDocument, panel: Panel): number {
  const legend = legendRows(document, panel.legend ?? [], innerWidth(panel)).length;
  return (headingLines(panel).length + legend) * spacing.line + 2;
}

function addHeading(document: SvgDocument, parts: SvgElement[], panel: Panel, x: number, top: number): void {
  const lines = headingLines(panel);
  lines.forEach((line, index) => {
    const y = top + 13 + index * spacing.line;
    parts.push(document.element("text", { x: x + innerLeft(panel), y, "font-size": fontSizes.panel }, line));
  });
  const y = top + lines.length * spacing.line;
  addLegend(document, parts, panel.legend ?? [], { x: x + innerLeft(panel), y, width: innerWidth(panel) });
}

/** What Plot draws for a panel, as a group: its own style sheet and root attributes are left behind. */
function plotElement(document: SvgDocument, panel: Panel): SvgElement {
  const drawn = plot({
    ...panel.plot,
    width: panel.width,
    height: panel.height,
    document: document as unknown as Document,
  }) as unknown as SvgElement;
  const shown = drawn.children.filter((child) => child.tagName !== "style");
  return document.element("g", { "text-anchor": "middle", "font-size": fontSizes.tick }, ...shown);
}
