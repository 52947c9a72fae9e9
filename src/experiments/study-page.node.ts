import { reportPage, type ReportFigure, type ReportSection, type ReportTable } from "../figures/report.ts";
import type { JobFailure } from "./job.ts";
import type { DrawnFigure } from "./pictures.node.ts";
import { failureLine, type Section, type Study, type StudyReport, type Table } from "./study.ts";

/** What a page is made of. */
export interface StudyPageOptions {
  readonly study: Pick<Study, "title" | "question">;
  readonly command: string;
  readonly report: StudyReport;
  readonly failures: readonly JobFailure[];
  /** By the name of the figure. */
  readonly figures: ReadonlyMap<string, DrawnFigure>;
}

/** Markup up to this size stands in a page as it is, so that it stays sharp; larger one as pixels. */
const LARGEST_SVG = 60_000;

/** The report of one study as a page. */
export function studyPage({ study, command, report, failures, figures }: StudyPageOptions): string {
  const sections = report.sections.map((section) => pageSection(section, figures));
  return reportPage({
    title: study.title,
    command,
    lead: `${study.question}\n\n${report.findings}`,
    sections: failures.length === 0 ? sections : [...sections, failureSection(failures)],
  });
}

function pageSection(section: Section, drawn: ReadonlyMap<string, DrawnFigure>): ReportSection {
  const { heading, text, figures = [], tables = [] } = section;
  const shown = figures.flatMap(({ name }) => drawn.get(name) ?? []);
  return { heading, text, figures: shown.map(pageFigure), tables: tables.map(pageTable) };
}

/** A figure as a page embeds it: moving, as markup, or as pixels. */
function pageFigure({ caption, files }: DrawnFigure): ReportFigure {
  const [svg, png, gif] = [files.get("svg"), files.get("png"), files.get("gif")];
  if (gif) return { caption, gifDataUri: dataUri("gif", gif) };
  if (svg && svg.length <= LARGEST_SVG) return { caption, svg: new TextDecoder().decode(svg) };
  return { caption, pngDataUri: dataUri("png", png ?? new Uint8Array()) };
}

const dataUri = (kind: string, bytes: Uint8Array): string =>
  `data:image/${kind};base64,${Buffer.from(bytes).toString("base64")}`;

const DIGITS = 4;

function pageTable({ header, rows, folded }: Table): ReportTable {
  const text = (cell: string | number | null): string =>
    cell === null ? "–" : typeof cell === "string" ? cell : String(Number(cell.toPrecision(DIGITS)));
  return { header, rows: rows.map((row) => row.map(text)), ...(folded !== undefined && { folded }) };
}

function failureSection(failures: readonly JobFailure[]): ReportSection {
  const text =
    "These runs gave no result. All else is shown without them; the same command tries them again and repeats nothing else.";
  return {
    heading: "Failed runs",
    text,
    tables: [{ header: ["run", "reason"], rows: failures.map(({ job, reason }) => [job.label, reason]) }],
  };
}

/** One study, as the overview shows it. */
export interface OverviewEntry {
  readonly study: Pick<Study, "title" | "question" | "name">;
  readonly findings: string;
  readonly lead: DrawnFigure | undefined;
  readonly failures: readonly JobFailure[];
}

/** The page above the reports of several studies. */
export function overviewPage(entries: readonly OverviewEntry[], command: string): string {
  return reportPage({
    title: "Denoising diffusion, measured",
    command,
    lead: "Each study below asks one question of diffusion models on points in the plane, answers it with measured numbers, and links to its full report.",
    sections: entries.map(({ study, findings, lead, failures }) => ({
      heading: study.title,
      text: [study.question, findings, ...failures.map(failureLine)].join("\n\n"),
      figures: lead ? [pageFigure(lead)] : [],
      link: { text: `The whole report: ${study.title}`, href: `${study.name}/report.html` },
    })),
  });
}
