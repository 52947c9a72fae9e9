import { shown } from "../math/shown.ts";
import { UnnoiseError } from "../math/error.ts";
import type { LegendEntry } from "./legend.ts";
import { shorten } from "./text-layout.ts";
import { categories, colours, dashes, fontSizes } from "./theme.ts";

/** One curve of a chart; all arrays have one length. */
export interface ChartSeries {
  /** Equal labels share one colour and one entry of the legend. */
  readonly label: string;
  /** Default: the next free colour of the palette */
  readonly colour?: string;
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  /** Half-length of an error bar, ≥ 0; drawn as a band where there are more than 60 points */
  readonly error?: ArrayLike<number>;
  /** Edges of a shaded band */
  readonly band?: { readonly low: ArrayLike<number>; readonly high: ArrayLike<number> };
  readonly dashed?: boolean;
  /** Whether every point is marked; default: up to 30 points */
  readonly dots?: boolean;
}

/** A straight line across a panel, at one `x` or one `y`. */
export interface ChartReference {
  readonly label: string;
  readonly x?: number;
  readonly y?: number;
}

/** How what bears a label is drawn in every panel. */
export interface LineStyle {
  readonly colour: string;
  /** Pattern of dashes; empty for a solid line */
  readonly dash: string;
}

const referenceStyles: readonly LineStyle[] = [
  { colour: colours.data, dash: "" },
  { colour: colours.muted, dash: "6 3" },
  { colour: colours.data, dash: "2 2.5" },
  { colour: colours.muted, dash: "" },
];

/** Styles by label: given colours first, then the palette's others in order of appearance, then both again with dashes. */
export function seriesStyles(
  all: readonly Pick<ChartSeries, "label" | "colour" | "dashed">[],
): ReadonlyMap<string, LineStyle> {
  const given = new Map(all.flatMap(({ label, colour }) => (colour === undefined ? [] : [[label, colour] as const])));
  const taken = new Set([...given.values()].map((colour) => colour.toLowerCase()));
  const others = categories.filter((colour) => !taken.has(colour));
  const free = others.length > 0 ? others : categories;
  const styles = new Map<string, LineStyle>();
  let used = 0;
  for (const { label, dashed = false } of all) {
    if (styles.has(label)) continue;
    const own = given.get(label);
    const turn = (own === undefined ? Math.floor(used / free.length) : 0) + (dashed ? 1 : 0);
    const colour = own ?? free[used % free.length] ?? colours.ink;
    if (own === undefined) used++;
    styles.set(label, { colour, dash: dashes[turn % dashes.length] ?? "" });
  }
  return styles;
}

/** Styles of references by label, the first in the data's blue. */
export function referenceStylesOf(all: readonly ChartReference[]): ReadonlyMap<string, LineStyle> {
  const labels = [...new Set(all.map(({ label }) => label))];
  return new Map(
    labels.map((label, i) => [
      label,
      referenceStyles[i % referenceStyles.length] ?? { colour: colours.data, dash: "" },
    ]),
  );
}

const LEGEND_LABEL = 330;

/** One entry for each label. */
export function legendOf(styles: ReadonlyMap<string, LineStyle>): LegendEntry[] {
  return [...styles].map(([name, { colour, dash }]): LegendEntry => {
    const label = shorten(name, LEGEND_LABEL, fontSizes.text);
    return dash === "" ? { label, colour, mark: "line" } : { label, colour, mark: "dashed", dash };
  });
}

/** @throws UnnoiseError `data` for arrays of different lengths or without values, and for negative errors */
export function checkSeries({ label, x, y, error = x, band }: ChartSeries, where: string): void {
  const what = `${where}, series ${shown(label)}`;
  const lengths = [x.length, y.length, error.length, band?.low.length ?? x.length, band?.high.length ?? x.length];
  if (x.length === 0 || lengths.some((length) => length !== x.length)) {
    const shown = [...lengths.slice(0, 3), ...(band ? lengths.slice(3) : [])].join(", ");
    refuse(`${what}: expected x, y, error and band of one length ≥ 1, got ${shown}`);
  }
  const negative = error === x ? -1 : Array.from(error).findIndex((half) => half < 0);
  if (negative !== -1) refuse(`${what}: expected errors ≥ 0, got ${error[negative] ?? 0} at position ${negative}`);
}

/** @throws UnnoiseError `data` unless exactly one of x and y is a finite number, positive where its axis is logarithmic */
export function checkReference(reference: ChartReference, logX: boolean, logY: boolean, where: string): void {
  const { label, x, y } = reference;
  const what = `${where}, reference ${shown(label)}`;
  if ((x === undefined) === (y === undefined))
    refuse(`${what}: expected either x or y, got ${x === undefined ? "none" : "both"}`);
  const value = x ?? y ?? 0;
  const log = x === undefined ? logY : logX;
  if (!Number.isFinite(value) || (log && value <= 0)) {
    refuse(`${what}: expected a finite number${log ? " > 0 on a log axis" : ""}, got ${value}`);
  }
}

/** A domain or ticks as a caller may give them. */
export interface AxisLimits {
  readonly log?: boolean;
  readonly domain?: readonly [number, number];
  readonly ticks?: readonly number[];
}

/** @throws UnnoiseError `data` for a domain that does not increase, and for what a log axis cannot show */
export function checkAxis({ log = false, domain, ticks = [] }: AxisLimits, where: string): void {
  const least = log ? " > 0" : "";
  const isShown = (value: number): boolean => Number.isFinite(value) && (!log || value > 0);
  if (domain !== undefined && !(domain.every(isShown) && domain[0] < domain[1])) {
    refuse(`${where}: expected a domain of two increasing numbers${least}, got ${domain.join(", ")}`);
  }
  const wrong = ticks.find((value) => !isShown(value));
  if (wrong !== undefined) refuse(`${where}: expected finite ticks${least}, got ${wrong}`);
}

/** @throws UnnoiseError `data` always */
export function refuse(message: string): never {
  throw new UnnoiseError("data", message);
}
