import { noColumnsToDrop } from "../../data/drop-columns.ts";
import type { Dataset } from "../../data/dataset.ts";
import { loadPoints } from "../../data/points.node.ts";
import { summaryLines, summaryOf } from "../../data/summary.ts";
import { toyClasses } from "../../data/toy-labels.ts";
import { isToyName, toyDatasets, toyNames, type ToyName } from "../../data/toy.ts";
import { UnnoiseError, at } from "../../math/error.ts";
import { Random } from "../../math/random.ts";
import { checkDataName, missingData } from "../data-name.ts";
import { checkDrawable, NUMBERS_ADVICE } from "../figure-memory.ts";
import type { Io } from "../io.ts";
import { openOutput, writeOutput, type OutputFlags } from "../output.ts";
import {
  encodedPoints,
  isPointFormat,
  pointFormats,
  withLabels,
  type NamedPoints,
  type PointGroups,
} from "../points-text.ts";
import { randomRows } from "../../data/rows.ts";
import { Terminal } from "../terminal.ts";
import { floatTensor, type FloatTensor } from "../../tensor/tensor.ts";
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

/** Points of a density that are drawn when it is loaded; others follow. */
const LEAST_DRAWN = 2;
const FORMATS = [...pointFormats, "png", "svg"] as const;

/** `unnoise data` */
export async function writeData(source: string | undefined, options: DataCommandOptions, io: Io): Promise<void> {
  const terminal = new Terminal(io, options);
  if (options.list === true) return listToySets(source, terminal);
  if (source === undefined) throw missingData();
  checkDataName(source);
  const target = await openOutput(options, FORMATS, terminal);
  const { format } = target;
  const listed = await listedOf(source, options);
  for (const warning of listed.warnings ?? []) terminal.warn(warning);
  if (!isPointFormat(format)) checkDrawable(listed.count, listed.columns.length, "still", NUMBERS_ADVICE);
  const content = isPointFormat(format)
    ? encodedPoints(groupsOf(listed), format, { source })
    : await drawn(source, listed.rows(0, listed.count), format);
  await writeOutput(target, content, terminal);
  if (target.path === "-") return;
  terminal.say(`${target.path}: ${counted(listed.count, "point")} of ${source}`);
  for (const line of listed.understood ?? []) terminal.say(`  ${line}`);
}

async function listToySets(source: string | undefined, terminal: Terminal): Promise<void> {
  if (source !== undefined) {
    throw new UnnoiseError("usage", `--list: it names all toy sets and takes no source, got ${source}; leave one out`);
  }
  const rows = toyNames.map((name) => [name, String(toyDatasets[name].noise), toyDatasets[name].summary]);
  const lines = alignedLines([["toy set", "usual noise", "shape"], ...rows], "  ", Infinity);
  await terminal.tell(`${lines.join("\n")}\n`);
}

/** Points, and the class of each where it is asked for. */
type MaybeLabelled = NamedPoints & Pick<Dataset, "labels" | "classes">;

async function drawn(source: string, named: MaybeLabelled, format: "png" | "svg"): Promise<Uint8Array> {
  const { renderFigure } = await import("../../figures/render.node.ts");
  const { scatterFigure } = await import("../../figures/scatter.ts");
  return renderFigure(scatterFigure({ ...named, title: source, kind: "data" }), format);
}

/** Points by their numbers, so that any number of them is written in the memory of a few. */
interface Listed {
  readonly columns: readonly string[];
  readonly count: number;
  readonly warnings?: readonly string[];
  /** What was understood of a file's columns, in lines. */
  readonly understood?: readonly string[];
  readonly rows: (first: number, count: number) => MaybeLabelled;
}

/** Points that are drawn and written at a time. */
const GROUP = 2 ** 16;

function groupsOf({ count, rows }: Listed): PointGroups {
  const group = (first: number): NamedPoints => withLabels(rows(first, Math.min(GROUP, count - first)));
  function* groups(): Generator<FloatTensor> {
    for (let first = 0; first < count; first += GROUP) yield group(first).points;
  }
  return { columns: withLabels(rows(0, 1)).columns, count, groups: groups() };
}

async function listedOf(source: string, options: DataCommandOptions): Promise<Listed> {
  return isToyName(source) ? toyPoints(source, options) : filePoints(source, options);
}

const DEFAULT_COUNT = 1000;

function toyPoints(
  name: ToyName,
  { count = DEFAULT_COUNT, noise, seed = 0, labels, drop }: DataCommandOptions,
): Listed {
  if (drop !== undefined) throw noColumnsToDrop(name);
  const { generate, noise: usualNoise } = toyDatasets[name];
  const { classes, label } = toyClasses[name];
  const columns = ["x", "y"];
  return {
    columns,
    count,
    rows: (firstIndex, n) => {
      const which = { count: n, seed, firstIndex };
      const points = generate({ ...which, noise: noise ?? usualNoise });
      return { columns, points, ...(labels === true && { labels: label(which), classes }) };
    },
  };
}

/** @throws UnnoiseError `usage` for flags that only toy sets have */
function checkFileFlags({ noise, labels }: Pick<DataCommandOptions, "noise" | "labels">): void {
  const extra = noise === undefined ? (labels === true ? "--labels" : undefined) : "--noise";
  if (extra !== undefined) {
    throw new UnnoiseError("usage", `${extra}: only the toy sets take it, a file has its own; leave it out`);
  }
}

/** Rows of points that are held whole. */
function rowsOf(columns: readonly string[], { data }: FloatTensor): Listed["rows"] {
  const width = columns.length;
  return (first, n) => ({
    columns,
    points: floatTensor(data.subarray(first * width, (first + n) * width), [n, width]),
  });
}

async function filePoints(source: string, options: DataCommandOptions): Promise<Listed> {
  const { count, seed = 0, drop } = options;
  checkFileFlags(options);
  const {
    columns,
    points,
    drawRows,
    warnings = [],
  } = await loadPoints(source, {
    count: LEAST_DRAWN,
    seed,
    ...(drop && { drop }),
  });
  if (drawRows !== undefined) {
    const rows = (firstIndex: number, n: number): NamedPoints => ({
      columns,
      points: drawRows({ count: n, seed, firstIndex }),
    });
    return { columns, count: count ?? DEFAULT_COUNT, warnings, rows };
  }
  const total = at(points.shape, 0);
  if (count !== undefined && count > total) {
    throw new UnnoiseError(
      "usage",
      `--count: expected an integer in 1…${total} (the points of ${source}), got ${count}`,
    );
  }
  const chosen = count === undefined ? points : randomRows(points, count, new Random(seed, "figure"));
  const understood = summaryLines(summaryOf({ columns, points: chosen }));
  return { columns, count: count ?? total, warnings, understood, rows: rowsOf(columns, chosen) };
}
