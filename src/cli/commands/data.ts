import { toyDataset } from "../../data/dataset.ts";
import { loadPoints } from "../../data/points.node.ts";
import { isToyName, toyDatasets, toyNames } from "../../data/toy.ts";
import { UnnoiseError, at } from "../../math/error.ts";
import { Random } from "../../math/random.ts";
import { checkDataName, missingData } from "../data-name.ts";
import type { Io } from "../io.ts";
import { openOutput, writeOutput, type OutputFlags } from "../output.ts";
import { encodePoints, isPointFormat, pointFormats, type NamedPoints } from "../points-text.ts";
import { randomRows } from "../../data/rows.ts";
import { Terminal } from "../terminal.ts";
import { alignedLines, counted } from "../../math/text.ts";

export interface DataCommandOptions extends OutputFlags {
  readonly count?: number;
  readonly noise?: number;
  readonly seed?: number;
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
  const { columns, points } = await pointsOf(source, options);
  const { format } = target;
  const content = isPointFormat(format)
    ? encodePoints({ columns, points }, format, { source })
    : await drawn(source, { columns, points }, format);
  await writeOutput(target, content, terminal);
  if (target.path !== "-") terminal.say(`${target.path}: ${counted(at(points.shape, 0), "point")} of ${source}`);
}

async function listToySets(source: string | undefined, terminal: Terminal): Promise<void> {
  if (source !== undefined) {
    throw new UnnoiseError("usage", `--list: it names all toy sets and takes no source, got ${source}; leave one out`);
  }
  const rows = toyNames.map((name) => [name, String(toyDatasets[name].noise), toyDatasets[name].summary]);
  const lines = alignedLines([["toy set", "usual noise", "shape"], ...rows], "  ", Infinity);
  await terminal.print(`${lines.join("\n")}\n`);
}

async function drawn(source: string, named: NamedPoints, format: "png" | "svg"): Promise<Uint8Array> {
  const { renderFigure } = await import("../../figures/render.node.ts");
  const { scatterFigure } = await import("../../figures/scatter.ts");
  return renderFigure(scatterFigure({ ...named, title: source, kind: "data" }), format);
}

async function pointsOf(source: string, { count, noise, seed = 0 }: DataCommandOptions): Promise<NamedPoints> {
  if (isToyName(source)) {
    return toyDataset(source, { count: count ?? 1000, seed, ...(noise === undefined ? {} : { noise }) });
  }
  if (noise !== undefined) {
    throw new UnnoiseError("usage", "--noise: only the toy sets take it, a file has its own; leave it out");
  }
  const { columns, points } = await loadPoints(source);
  const total = at(points.shape, 0);
  if (count !== undefined && count > total) {
    throw new UnnoiseError(
      "usage",
      `--count: expected an integer in 1…${total} (the points of ${source}), got ${count}`,
    );
  }
  return { columns, points: count === undefined ? points : randomRows(points, count, new Random(seed, "figure")) };
}
