import { axisX, axisY, gridX, gridY, type Markish } from "@observablehq/plot";
import { formatPower } from "./axes.ts";
import type { Domain } from "./cloud.ts";
import { shorten, textWidth } from "./text-layout.ts";
import { colours, fontSizes } from "./theme.ts";

/** An axis of a chart: all that is needed to draw it. */
export interface ChartAxis {
  readonly domain: Domain;
  readonly log: boolean;
  readonly label: string;
  readonly ticks: readonly number[];
  readonly format: (value: number) => string;
}

/** What a caller says about an axis. */
export interface AxisChoice {
  readonly label: string;
  readonly log?: boolean;
  readonly domain?: Domain;
  readonly ticks?: readonly number[];
}

/**
 * The extent of the values, and of what surrounds them (bars, bands), which may widen the axis but not dominate it.
 * @param air share of the extent that is added at either end
 */
export function fitDomain(
  values: readonly number[],
  surroundings: readonly number[],
  log: boolean,
  air: number = 0.05,
): Domain {
  const drawable = (value: number): boolean => Number.isFinite(value) && (!log || value > 0);
  const forward = (value: number): number => (log ? Math.log10(value) : value);
  const inner = extent(values.filter(drawable).map(forward));
  if (inner === undefined) return log ? [0.1, 1] : [0, 1];
  const outer = extent(surroundings.filter(drawable).map(forward)) ?? inner;
  const room = inner[1] - inner[0] || (log ? 0.5 : Math.abs(inner[0]));
  const low = Math.min(inner[0], Math.max(outer[0], inner[0] - room));
  const high = Math.max(inner[1], Math.min(outer[1], inner[1] + room));
  const margin = high > low ? (high - low) * air : log ? 0.2 : Math.abs(low) / 10 || 1;
  if (log) return [10 ** (low - margin), 10 ** (high + margin)];
  const fromZero = inner[0] >= 0 && low < high / 2;
  return [fromZero ? 0 : low - margin, high + margin];
}

function extent(values: readonly number[]): Domain | undefined {
  if (values.length === 0) return undefined;
  return values.reduce<Domain>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Infinity, -Infinity],
  );
}

/**
 * An axis with ticks at round values, at most about `count` of them.
 * @param domain where the caller gives none
 */
export function chartAxis({ label, log = false, ...given }: AxisChoice, fitted: Domain, count: number): ChartAxis {
  const domain = given.domain ?? fitted;
  const own = log ? logTicks(domain, count) : linearTicks(domain, count);
  const ticks = (given.ticks ?? own).filter((value) => value >= domain[0] && value <= domain[1]);
  return { domain, log, label, ticks, format: tickFormat(ticks, log) };
}

function linearTicks([low, high]: Domain, count: number): number[] {
  const raw = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find((digit) => digit * power >= raw * 0.999) ?? 10) * power;
  const first = Math.ceil(low / step - 1e-9);
  const length = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** Digits 1, 2 and 5 of each decade, powers of ten only where that is too many, even steps within less than a decade. */
function logTicks(domain: Domain, count: number): number[] {
  const [low, high] = domain.map(Math.log10) as [number, number];
  if (high - low < 0.9) return linearTicks(domain, count).filter((value) => value > 0);
  const digits = (high - low) * 3 <= count + 1 ? [1, 2, 5] : (high - low) * 2 <= count + 1 ? [1, 3] : [1];
  const stride = Math.max(1, Math.ceil((high - low) / count));
  const ticks: number[] = [];
  for (let power = Math.floor(low); power <= high; power++) {
    if (power % stride === 0) ticks.push(...digits.map((digit) => Number(`${digit}e${power}`)));
  }
  return ticks;
}

function tickFormat(ticks: readonly number[], log: boolean): (value: number) => string {
  const sizes = ticks.map(Math.abs).filter((size) => size > 0);
  const isLong = Math.max(0, ...sizes) >= 1e5 || (log ? Math.min(1, ...sizes) < 1e-3 : Math.max(0, ...sizes) < 5e-3);
  return sizes.length > 0 && isLong ? formatPower : (value): string => String(value).replace("-", "−");
}

/** Width (px) of the widest tick label. */
export function tickWidth({ ticks, format }: ChartAxis): number {
  return Math.max(0, ...ticks.map((value) => textWidth(format(value), fontSizes.tick)));
}

/** An axis' label, with a word on a logarithmic scale where that fits into `width` px. */
function labelWithin({ label, log }: ChartAxis, width: number): string {
  const full = log && !/\blog/i.test(label) ? `${label} (log scale)` : label;
  return shorten(textWidth(full, fontSizes.tick) <= width ? full : label, width, fontSizes.tick);
}

/** Where on the axis a value lies, 0 at its start and 1 at its end. */
export function positionOf({ domain: [low, high], log }: ChartAxis, value: number): number {
  return log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
}

/** Labels for the ticks, empty where one would meet the next; the last tick keeps its own. */
function labelledTicks(axis: ChartAxis, length: number, sizeOf: (label: string) => number): (value: number) => string {
  const labelled = new Set<number>();
  let free = Infinity;
  for (const value of axis.ticks.toSorted((a, b) => b - a)) {
    const half = sizeOf(axis.format(value)) / 2;
    const middle = positionOf(axis, value) * length;
    if (middle + half > free) continue;
    labelled.add(value);
    free = middle - half - 2;
  }
  return (value) => (labelled.has(value) ? axis.format(value) : "");
}

const grid = { stroke: colours.grid, strokeOpacity: 1 };
/** Labels go in as `text`: given a `tickFormat`, a log scale would leave some out by rules of its own. */
const common = {
  labelAnchor: "center",
  labelArrow: "none",
  fontSize: fontSizes.tick,
  fill: colours.ink,
  tickSize: 4,
  tickPadding: 3,
} as const;

/** Grid, ticks and label of a horizontal axis that is `length` px long. */
export function xMarks(axis: ChartAxis, length: number): Markish[] {
  const text = labelledTicks(axis, length, (shown) => textWidth(shown, fontSizes.tick) + 4);
  const label = labelWithin(axis, length + 20);
  return [gridX({ ...grid, ticks: axis.ticks }), axisX({ ...common, ticks: axis.ticks, text, label, labelOffset: 36 })];
}

/** Ticks of the same horizontal axis above a tall plot. */
export function topMarks(axis: ChartAxis, length: number): Markish[] {
  const text = labelledTicks(axis, length, (shown) => textWidth(shown, fontSizes.tick) + 4);
  return [axisX({ ...common, anchor: "top", ticks: axis.ticks, text, label: null })];
}

/** Grid, ticks and label of a vertical axis that is `length` px long, in a margin of `margin` px. */
export function yMarks(axis: ChartAxis, length: number, margin: number): Markish[] {
  const text = labelledTicks(axis, length, () => fontSizes.tick);
  const label = labelWithin(axis, length);
  return [
    gridY({ ...grid, ticks: axis.ticks }),
    axisY({ ...common, ticks: axis.ticks, text, label, labelOffset: margin - 6 }),
  ];
}
