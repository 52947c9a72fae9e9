import { shown } from "../math/shown.ts";
import { UnnoiseError } from "../math/error.ts";
import { escapeXml } from "./svg-document.ts";
import { colours } from "./theme.ts";

/** One picture of a report, from exactly one source. */
export type ReportFigure = { readonly caption: string } & (
  { readonly svg: string } | { readonly pngDataUri: string } | { readonly gifDataUri: string }
);

/** Cells as text; numbers are best formatted by the caller. */
export interface ReportTable {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Folds the table away behind this line. */
  readonly folded?: string;
}

/** A heading, what it says, its pictures and its tables. */
export interface ReportSection {
  readonly heading: string;
  /** Paragraphs, separated by an empty line */
  readonly text: string;
  readonly figures?: readonly ReportFigure[];
  readonly tables?: readonly ReportTable[];
  /** Where to read on. */
  readonly link?: ReportLink;
}

/** A link to another page. */
export interface ReportLink {
  readonly text: string;
  /** Relative to the page. */
  readonly href: string;
}

/** What `reportPage` shows. */
export interface ReportOptions {
  readonly title: string;
  /** Command that made the report */
  readonly command: string;
  /** What stands above all sections: paragraphs, separated by an empty line */
  readonly lead?: string;
  readonly sections: readonly ReportSection[];
}

/**
 * A page that holds everything it shows: no network, no script, light or dark as the reader prefers, fit for print.
 * All text is escaped, and SVG is embedded as an image, so that nothing in it can run.
 * @returns the HTML of one file
 * @throws UnnoiseError `usage` when a data URI is not base64 of the kind its name says
 */
export function reportPage({ title, command, lead = "", sections }: ReportOptions): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeXml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<header>
<h1>${escapeXml(title)}</h1>
<pre><code>${escapeXml(command)}</code></pre>
${paragraphs(lead)}
</header>
${contents(sections)}
${sections.map(sectionHtml).join("\n")}
</main>
</body>
</html>
`;
}

/** Most sections that need no list of them. */
const FEW_SECTIONS = 3;

function contents(sections: readonly ReportSection[]): string {
  if (sections.length <= FEW_SECTIONS) return "";
  const items = sections.map(({ heading }, index) => `<li><a href="#s${index + 1}">${escapeXml(heading)}</a></li>`);
  return `<nav aria-label="Contents"><ol>\n${items.join("\n")}\n</ol></nav>`;
}

function paragraphs(text: string): string {
  return text
    .split(/\n\s*\n/)
    .filter((paragraph) => paragraph.trim() !== "")
    .map((paragraph) => `<p>${escapeXml(paragraph.trim())}</p>`)
    .join("\n");
}

function sectionHtml({ heading, text, figures = [], tables = [], link }: ReportSection, index: number): string {
  return [
    `<section id="s${index + 1}">`,
    `<h2>${escapeXml(heading)}</h2>`,
    paragraphs(text),
    ...figures.map(figureHtml),
    ...tables.map(tableHtml),
    ...(link === undefined ? [] : [`<p><a href="${escapeXml(link.href)}">${escapeXml(link.text)}</a></p>`]),
    "</section>",
  ].join("\n");
}

function tableHtml({ folded, ...table }: ReportTable): string {
  if (folded === undefined) return plainTable(table);
  return `<details><summary>${escapeXml(folded)}</summary>\n${plainTable(table)}\n</details>`;
}

function plainTable({ header, rows }: ReportTable): string {
  const words = header.map((_, column) => rows.some((cells) => !isNumber(cells[column] ?? "")));
  const row = (cells: readonly string[], tag: "th" | "td"): string => {
    const scope = tag === "th" ? ' scope="col"' : "";
    const cell = (text: string, column: number): string =>
      `<${tag}${scope}${words[column] === true ? ' class="words"' : ""}>${escapeXml(text)}</${tag}>`;
    return `<tr>${cells.map(cell).join("")}</tr>`;
  };
  const body = rows.map((cells) => row(cells, "td")).join("\n");
  return `<div class="table"><table>\n<thead>${row(header, "th")}</thead>\n<tbody>\n${body}\n</tbody>\n</table></div>`;
}

/** Whether a cell is a number, a range or a gap; all else is set to the left. */
const isNumber = (cell: string): boolean => /^([-−+]?\d[\d.,]*(e[-+]?\d+)?( ?[±…%].*)?|–|)$/.test(cell);

function figureHtml(figure: ReportFigure): string {
  const caption = escapeXml(figure.caption);
  return `<figure><img src="${sourceOf(figure)}" alt="${caption}"><figcaption>${caption}</figcaption></figure>`;
}

function sourceOf(figure: ReportFigure): string {
  if ("svg" in figure) return `data:image/svg+xml,${encodeSvg(figure.svg)}`;
  return "pngDataUri" in figure ? checkedUri(figure.pngDataUri, "png") : checkedUri(figure.gifDataUri, "gif");
}

/** Percent-encodes only what a URI in a quoted attribute needs, which keeps large figures at about their own size. */
function encodeSvg(svg: string): string {
  return svg
    .replace(/[%#<>"&?[\]\\^`{|}\n\r\t]/g, (character) => encodeURIComponent(character))
    .replace(/[^\u0020-\u007e]+/gu, (text) => encodeURIComponent(text));
}

function checkedUri(uri: string, kind: "png" | "gif"): string {
  if (new RegExp(`^data:image/${kind};base64,[A-Za-z0-9+/]+={0,2}$`).test(uri)) return uri;
  const got = shown(uri, 40);
  throw new UnnoiseError("usage", `report: expected a data URI "data:image/${kind};base64,…", got ${got}`);
}

const style = `
:root { color-scheme: light dark; --ink: ${colours.ink}; --muted: ${colours.muted}; --page: #fafafa; --line: #d8d8d8; --code: #efefef; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e8; --muted: #b0b0b0; --page: #17181a; --line: #3a3c40; --code: #26282b; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.55 system-ui, "DejaVu Sans", sans-serif; }
main { max-width: 880px; margin: 0 auto; padding: 24px 20px 48px; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 12px; }
h2 { font-size: 1.25rem; margin: 36px 0 8px; }
p { margin: 0 0 12px; max-width: 70ch; }
pre { margin: 0; padding: 10px 14px; background: var(--code); border-radius: 6px; overflow-x: auto; font-size: 0.875rem; }
figure { margin: 16px 0 24px; }
img { display: block; max-width: 100%; height: auto; border: 1px solid var(--line); border-radius: 6px; }
figcaption { margin-top: 6px; color: var(--muted); font-size: 0.875rem; }
a { color: inherit; text-underline-offset: 2px; }
nav ol { margin: 16px 0; padding-left: 22px; }
details { margin: 0 0 16px; }
summary { cursor: pointer; color: var(--muted); }
.table { overflow-x: auto; margin: 0 0 16px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 14px 6px 0; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child, .words { text-align: left; }
@media print {
  :root { --ink: #000; --muted: #333; --page: #fff; --line: #bbb; --code: #f2f2f2; }
  main { max-width: none; padding: 0; }
  figure, tr { break-inside: avoid; }
  h2 { break-after: avoid; }
}
`;
