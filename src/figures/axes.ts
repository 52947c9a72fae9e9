import { axisX, axisY, gridX, gridY, type Markish, type ScaleOptions } from "@observablehq/plot";
import type { Domain } from "./cloud.ts";
import { colours, fontSizes } from "./theme.ts";

/** What an axis shows; without `ticks` it draws only its grid. */
export interface AxisOptions {
  readonly domain: Domain;
  readonly label?: string | undefined;
  readonly ticks?: boolean;
  readonly log?: boolean;
  readonly spacing?: number;
  /** Leaves out ticks in the outer tenth, where they would meet those of a neighbour. */
  readonly keepOffEdges?: boolean;
}

/** Margins (px) that the ticks and labels of these axes need. */
export function axisMargins(
  x: AxisOptions,
  y: AxisOptions,
): Record<`margin${"Top" | "Right" | "Bottom" | "Left"}`, number> {
  return {
    marginTop: 6,
    marginRight: x.ticks === false || x.keepOffEdges === true ? 14 : 26,
    marginBottom: x.ticks === false ? 8 : x.label === undefined ? 24 : 42,
    marginLeft: y.ticks === false ? 12 : (y.label === undefined ? 48 : 70) + (needsPowers(y) ? 14 : 0),
  };
}

/** A scale of Plot for an axis whose ticks `axisMarks` draws. */
export function scaleOf(axis: AxisOptions): ScaleOptions {
  return { domain: axis.domain, axis: null, ...(axis.log === true ? { type: "log" } : {}) };
}

/** Grid, ticks and labels of a plot. */
export function axisMarks(x: AxisOptions, y: AxisOptions): Markish[] {
  const grid = { stroke: colours.grid, strokeOpacity: 1 };
  const marks: Markish[] = [gridX({ ...grid, ...tickOptions(x, 70) }), gridY({ ...grid, ...tickOptions(y, 40) })];
  if (x.ticks !== false) marks.push(axisX({ ...axisOptions(x, 70), labelOffset: 36 }));
  if (y.ticks !== false) marks.push(axisY({ ...axisOptions(y, 40), labelOffset: axisMargins(x, y).marginLeft - 8 }));
  return marks;
}

function tickOptions({ domain: [low, high], spacing, keepOffEdges }: AxisOptions, tickSpacing: number) {
  const options = { tickSpacing: spacing ?? tickSpacing };
  if (keepOffEdges !== true) return options;
  const edge = (high - low) / 10;
  return { ...options, filter: (value: number): boolean => value >= low + edge && value <= high - edge };
}

function axisOptions(axis: AxisOptions, tickSpacing: number) {
  return {
    ...tickOptions(axis, tickSpacing),
    label: axis.label ?? null,
    labelAnchor: "center" as const,
    labelArrow: "none" as const,
    fontSize: fontSizes.tick,
    fill: colours.ink,
    tickSize: 4,
    tickPadding: 3,
    ...tickFormat(axis),
  };
}

/** Powers of ten where plain decimals would be long; on log axes, labels only where the leading digit is 1, 2 or 5. */
function tickFormat({ domain, log }: AxisOptions): { tickFormat?: (value: number) => string } {
  const format = needsPowers({ domain }) ? formatPower : String;
  if (log === true) return { tickFormat: (value) => (hasShortLabel(value, domain) ? format(value) : "") };
  return format === formatPower ? { tickFormat: formatPower } : {};
}

function needsPowers({ domain }: Pick<AxisOptions, "domain">): boolean {
  const largest = Math.max(Math.abs(domain[0]), Math.abs(domain[1]));
  return largest >= 1e5 || largest < 5e-3;
}

/** Wider log axes label fewer of the digits 1, 2 and 5 of each decade. */
function hasShortLabel(value: number, [low, high]: Domain): boolean {
  const digit = Number(value.toExponential().charAt(0));
  return digit === 1 || (high / low < 1e4 && (digit === 2 || digit === 5));
}

const superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** A number as mantissa and power of ten, e.g. 2×10⁻⁴. */
export function formatPower(value: number): string {
  if (value === 0) return "0";
  const [mantissa = "", exponent = ""] = Number(value.toPrecision(6)).toExponential().split("e");
  const power = exponent
    .replace("+", "")
    .replace("-", "⁻")
    .replace(/\d/g, (digit) => superscripts[Number(digit)] ?? "");
  const sign = mantissa.replace("-", "−");
  return sign === "1" ? `10${power}` : `${sign}×10${power}`;
}
