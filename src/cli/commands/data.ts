import { toyDataset, type Dataset } from "../../data/dataset.ts";
import { noColumnsToDrop } from "../../data/drop-columns.ts";
import { loadPoints } from "../../data/points.node.ts";
import { summaryLines, summaryOf } from "../../data/summary.ts";
import { isToyName, toyDatasets, toyNames, type ToyName } from "../../data/toy.ts";
import { UnnoiseError, at } from "../../math/error.ts";
import { Random } from "../../math/random.ts";
import { checkDataName, missingData } from "../data-name.ts";
import type { Io } from "../io.ts";
import { openOutput, writeOutput, type OutputFlags } from "../output.ts";
import { encodePoints, isPointFormat, pointFormats, withLabels, type NamedPoints } from "../points-text.ts";
import { randomRows } from "../../data/rows.ts";
import { Terminal } from "../terminal.ts";
import { alignedLines, counted } from "../../math/text.ts";

export interface DataCommandOptions extends OutputFlags {
  readonly count?: number;
  readonly noise?: number;
  readonly seed?: number;
  readonly labels?: boolean;
  readonly drop?: readonly string[];
  readonly list?: boolean;
  readonly quiet?: boolean;
}

const FORMATS = [...pointFormats, "png", "svg"] as const;

/** `unnoise data` */
export async function writeData(source: string | undefined, options: DataCommandOptions, io: Io): Promise<void> {
  const terminal = new Terminal(io, options);
  if (options.list === true) return listToySets(source, terminal);
  if (source === undefined) throw missingData();
  checkDataName(source);
  const target = await openOutput(options, FORMATS, terminal);
  const { warnings = [], ...named } = await pointsOf(source, options);
  for (const warning of warnings) terminal.warn(warning);
  const { format } = target;
  const content = isPointFormat(format)
    ? encodePoints(withLabels(named), format, { source })
    : await drawn(source, named, format);
  await writeOutput(target, content, terminal);
  const count = counted(at(named.points.shape, 0), "point");
  if (target.path === "-") return;
  terminal.say(`${target.path}: ${count} of ${source}`);
  for (const line of summaryLines(summaryOf(named))) terminal.say(`  ${line}`);
}

async function listToySets(source: string | undefined, terminal: Terminal): Promise<void> {
  if (source !== undefined) {
    throw new UnnoiseError("usage", `--list: it names all toy sets and takes no source, got ${source}; leave one out`);
  }
  const rows = toyNames.map((name) => [name, String(toyDatasets[name].noise), toyDatasets[name].summary]);
  const lines = alignedLines([["toy set", "usual noise", "shape"], ...rows], "  ", Infinity);
  await terminal.print(`${lines.join("\n")}\n`);
}

/** Points, and the class of each where it is asked for. */
type MaybeLabelled = NamedPoints & Pick<Dataset, "labels" | "classes" | "warnings">;

async function drawn(source: string, named: MaybeLabelled, format: "png" | "svg"): Promise<Uint8Array> {
  const { renderFigure } = await import("../../figures/render.node.ts");
  const { scatterFigure } = await import("../../figures/scatter.ts");
  return renderFigure(scatterFigure({ ...named, title: source, kind: "data" }), format);
}

async function pointsOf(source: string, options: DataCommandOptions): Promise<MaybeLabelled> {
  return isToyName(source) ? toyPoints(source, options) : filePoints(source, options);
}

const DEFAULT_COUNT = 1000;

function toyPoints(
  name: ToyName,
  { count = DEFAULT_COUNT, noise, seed = 0, labels, drop }: DataCommandOptions,
): MaybeLabelled {
  if (drop !== undefined) throw noColumnsToDrop(name);
  const { columns, points, ...classes } = toyDataset(name, { count, seed, ...(noise === undefined ? {} : { noise }) });
  return { columns, points, ...(labels === true ? { labels: classes.labels, classes: classes.classes } : {}) };
}

async function filePoints(
  source: string,
  { count, noise, seed = 0, labels, drop }: DataCommandOptions,
): Promise<NamedPoints & Pick<Dataset, "warnings">> {
  const extra = noise === undefined ? (labels === true ? "--labels" : undefined) : "--noise";
  if (extra !== undefined) {
    throw new UnnoiseError("usage", `${extra}: only the toy sets take it, a file has its own; leave it out`);
  }
  const loading = { count: count ?? DEFAULT_COUNT, seed, ...(drop && { drop }) };
  const { columns, points, draw, warnings = [] } = await loadPoints(source, loading);
  const total = at(points.shape, 0);
  if (draw !== undefined || count === undefined) return { columns, points, warnings };
  if (count > total) {
    throw new UnnoiseError(
      "usage",
      `--count: expected an integer in 1…${total} (the points of ${source}), got ${count}`,
    );
  }
  return { columns, points: randomRows(points, count, new Random(seed, "figure")), warnings };
}
