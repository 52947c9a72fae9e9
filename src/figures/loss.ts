import { dot, line, ruleX, type Markish } from "@observablehq/plot";
import { UnnoiseError } from "../math/error.ts";
import { axisMargins, axisMarks, formatPower, scaleOf, type AxisOptions } from "./axes.ts";
import type { Domain } from "./cloud.ts";
import type { LegendEntry } from "./legend.ts";
import { renderSheet, type Panel } from "./sheet.ts";
import { colours, figureWidth } from "./theme.ts";

/** What `lossFigure` draws; the arrays have one length. */
export interface LossOptions {
  /** Iterations at which the losses were measured, ascending */
  readonly iterations: ArrayLike<number>;
  readonly losses: ArrayLike<number>;
  /** Smoothed losses; default: `smoothLosses` */
  readonly smoothed?: ArrayLike<number>;
  readonly learningRates?: ArrayLike<number>;
  /** Bounds that were measured on the way, ascending */
  readonly bounds?: readonly MeasuredBound[];
  readonly title: string;
}

/** A bound on held-out data. */
export interface MeasuredBound {
  readonly iteration: number;
  readonly bitsPerDimension: number;
  readonly bitsStandardError: number;
  /** Samples that it was measured on */
  readonly images: number;
}

const BUCKETS = 350;
/** Ratio of largest to smallest loss above which a logarithmic axis shows more. */
const LOG_RATIO = 8;

/**
 * Draws training losses against the iteration: raw values faint, smoothed ones strong, the axis logarithmic where they span
 * more than a factor of 8; below it the bounds with their standard errors and the learning rate, where given.
 * @returns SVG markup
 * @throws UnnoiseError `data` when the arrays are empty or differ in length
 */
export function lossFigure(options: LossOptions): string {
  const { iterations, losses, smoothed = smoothLosses(losses), learningRates, bounds = [] } = options;
  checkLengths(iterations.length, [losses.length, smoothed.length, learningRates?.length ?? iterations.length]);
  const x: AxisOptions = { domain: [0, Math.max(1, iterations[iterations.length - 1] ?? 1)], label: "iteration" };
  const draw: ((x: AxisOptions) => Panel)[] = [(axis) => lossPanel(axis, iterations, losses, smoothed)];
  if (bounds.length > 0) draw.push((axis) => boundPanel(axis, bounds));
  if (learningRates) draw.push((axis) => ratePanel(axis, iterations, learningRates));
  const panels = draw.map((panel, i) => panel(i === draw.length - 1 ? x : { domain: x.domain, ticks: false }));
  const legend: LegendEntry[] = [
    { label: "as logged", colour: colours.fourth, mark: "line" },
    { label: "smoothed", colour: colours.samples, mark: "line" },
  ];
  return renderSheet({
    title: options.title,
    rows: panels.map((panel) => [panel]),
    legend,
    notes: [...boundNote(bounds), ...missingNote(losses)],
  });
}

/**
 * Exponential moving mean of losses with half-life 1 % of their number, corrected for its start; skips values that are not
 * finite.
 */
export function smoothLosses(losses: ArrayLike<number>): Float64Array {
  const decay = 0.5 ** (1 / Math.max(1, losses.length / 100));
  let [sum, weight] = [0, 0];
  return Float64Array.from(losses, (loss) => {
    if (Number.isFinite(loss)) {
      sum = decay * sum + (1 - decay) * loss;
      weight = decay * weight + (1 - decay);
    }
    return weight > 0 ? sum / weight : Number.NaN;
  });
}

function checkLengths(count: number, lengths: readonly number[]): void {
  if (count > 0 && lengths.every((length) => length === count)) return;
  throw new UnnoiseError(
    "data",
    `loss figure: expected arrays of one length ≥ 1, got ${[count, ...lengths].join(", ")}`,
  );
}

function boundNote(bounds: readonly MeasuredBound[]): string[] {
  const images = bounds.at(-1)?.images;
  return images === undefined
    ? []
    : [`Bound: ${images} held-out images, the same each time; bars: ± 1 standard error.`];
}

function missingNote(losses: ArrayLike<number>): string[] {
  const missing = Array.from(losses).filter((loss) => !Number.isFinite(loss)).length;
  return missing === 0 ? [] : [`Not finite, so not drawn: ${missing} ${missing === 1 ? "loss" : "losses"}.`];
}

function lossPanel(
  x: AxisOptions,
  iterations: ArrayLike<number>,
  losses: ArrayLike<number>,
  smoothed: ArrayLike<number>,
): Panel {
  const raw = thinned(iterations, losses);
  const smooth = thinned(iterations, smoothed);
  const values = [...raw.y, ...smooth.y];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const log = low > 0 && high / low > LOG_RATIO;
  const domain: Domain = values.length === 0 ? [0, 1] : log ? [low / 1.15, high * 1.15] : linearDomain(low, high);
  const y: AxisOptions = { domain, label: log ? "loss (log scale)" : "loss", log };
  const curves: Markish[] = [
    line({ length: raw.x.length }, { ...raw, stroke: colours.fourth, strokeWidth: 1, strokeOpacity: 0.55 }),
    line({ length: smooth.x.length }, { ...smooth, stroke: colours.samples, strokeWidth: 2 }),
  ];
  return framed([x, y], curves, 330);
}

/** Bounds as dots with bars of their standard errors. */
function boundPanel(x: AxisOptions, bounds: readonly MeasuredBound[]): Panel {
  const bars = bounds.map(({ iteration, bitsPerDimension: bits, bitsStandardError: error }) => {
    return { x: iteration, y: bits, y1: bits - error, y2: bits + error };
  });
  const [low, high] = [Math.min(...bars.map(({ y1 }) => y1)), Math.max(...bars.map(({ y2 }) => y2))];
  const margin = 0.08 * (high - low || 1);
  const y: AxisOptions = { domain: [low - margin, high + margin], label: "bound (bits/dim)" };
  const marks: Markish[] = [
    ruleX(bars, { x: "x", y1: "y1", y2: "y2", stroke: colours.samples, strokeWidth: 1.5 }),
    line(bars, { x: "x", y: "y", stroke: colours.samples, strokeWidth: 2 }),
    dot(bars, { x: "x", y: "y", r: 3.5, fill: colours.samples }),
  ];
  return framed([x, y], marks, 200);
}

/** Marks over the axes they are drawn on. */
function framed([x, y]: readonly [AxisOptions, AxisOptions], marks: readonly Markish[], height: number): Panel {
  const scales = { ...axisMargins(x, y), marginRight: 26, x: scaleOf(x), y: scaleOf(y) };
  return { width: figureWidth, height, plot: { ...scales, marks: [...axisMarks(x, y), ...marks] } };
}

function linearDomain(low: number, high: number): Domain {
  const margin = (high - Math.min(0, low) || 1) * 0.04;
  return [low < 0 ? low - margin : 0, high + margin];
}

function ratePanel(x: AxisOptions, iterations: ArrayLike<number>, rates: ArrayLike<number>): Panel {
  const shown = thinned(iterations, rates);
  const highest = Math.max(...shown.y, 0);
  const unit = highest > 0 && highest < 0.01 ? 10 ** Math.floor(Math.log10(highest)) : 1;
  const label = unit === 1 ? "learning rate" : `learning rate (${formatPower(unit)})`;
  const y: AxisOptions = { domain: linearDomain(0, highest / unit), label };
  const scaled = shown.y.map((rate) => rate / unit);
  const curve = line({ length: shown.x.length }, { x: shown.x, y: scaled, stroke: colours.third, strokeWidth: 2 });
  return framed([x, y], [curve], 170);
}

interface Curve {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** At most two vertices for each of `BUCKETS` stretches, its least and largest value, so that spikes stay. */
function thinned(x: ArrayLike<number>, y: ArrayLike<number>): Curve {
  const finite = Array.from({ length: y.length }, (_, index) => index).filter((index) => Number.isFinite(y[index]));
  const stretch = Math.max(1, finite.length / BUCKETS);
  const kept = new Set([finite[0] ?? 0, finite.at(-1) ?? 0]);
  for (let start = 0; start < finite.length; start += stretch) {
    const bucket = finite.slice(Math.floor(start), Math.floor(start + stretch));
    const value = (index: number): number => y[index] ?? 0;
    if (bucket.length === 0) continue;
    kept.add(bucket.reduce((best, index) => (value(index) < value(best) ? index : best)));
    kept.add(bucket.reduce((best, index) => (value(index) > value(best) ? index : best)));
  }
  const order = finite.length === 0 ? [] : [...kept].sort((a, b) => a - b);
  return { x: order.map((index) => x[index] ?? 0), y: order.map((index) => y[index] ?? 0) };
}
