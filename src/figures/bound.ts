import { areaY, line, type Markish } from "@observablehq/plot";
import { UnnoiseError } from "../math/error.ts";
import { axisMargins, axisMarks, scaleOf, type AxisOptions } from "./axes.ts";
import type { Domain } from "./cloud.ts";
import { renderSheet, type Panel } from "./sheet.ts";
import { colours, figureWidth } from "./theme.ts";

/** What `boundFigure` draws; the arrays of a curve have one length. */
export interface BoundFigureOptions {
  /** The bound's terms L_{t−1}, t > 1, in bits for each value, in any order. */
  readonly terms: {
    /** 0-based; t = step + 1 is drawn. */
    readonly steps: ArrayLike<number>;
    readonly bits: ArrayLike<number>;
    readonly standardErrors: ArrayLike<number>;
  };
  readonly rateDistortion: {
    /** Bits for each value. */
    readonly rates: ArrayLike<number>;
    /** Root mean square error, in units of the data. */
    readonly distortions: ArrayLike<number>;
  };
  /** T. */
  readonly timesteps: number;
  readonly title: string;
}

/**
 * Draws the variational bound in two panels: its terms L_{t−1} against t with a band of two standard errors, and the
 * rate–distortion curve.
 * @returns SVG markup
 * @throws UnnoiseError `data` when a curve is empty or its arrays differ in length
 */
export function boundFigure({ terms, rateDistortion, timesteps, title }: BoundFigureOptions): string {
  const { steps, bits, standardErrors } = terms;
  checkLengths([rateDistortion.rates.length, rateDistortion.distortions.length], 1);
  checkLengths([steps.length, bits.length, standardErrors.length], 0);
  const shown = termsOf(terms);
  const panels = [termPanel(shown, timesteps), ratePanel(rateDistortion)];
  return renderSheet({ title, rows: [panels], gap: 0, notes: shown.length === 0 ? [NONE] : [NOTE] });
}

const NOTE =
  "Band: two standard errors. L₀, the term of the decoder, is not drawn. Rate: bits that have arrived with xₜ.";
const NONE = "There is one step only, so that no term stands between prior and decoder.";

function checkLengths(lengths: readonly number[], least: number): void {
  const [first = 0] = lengths;
  if (first >= least && lengths.every((length) => length === first)) return;
  throw new UnnoiseError("data", `bound figure: expected arrays of one length ≥ ${least}, got ${lengths.join(", ")}`);
}

interface TermPoint {
  readonly t: number;
  readonly bits: number;
  readonly low: number;
  readonly high: number;
}

/** Only what a logarithmic axis can show. */
function termsOf({ steps, bits, standardErrors }: BoundFigureOptions["terms"]): TermPoint[] {
  const points = Array.from(steps, (step, i) => {
    const [value, error] = [bits[i] ?? Number.NaN, standardErrors[i] ?? 0];
    const spread = 2 * (Number.isFinite(error) ? error : 0);
    return { t: step + 1, bits: value, low: Math.max(value - spread, value / 3), high: value + spread };
  });
  return points.filter(({ bits: value }) => value > 0 && Number.isFinite(value)).sort((a, b) => a.t - b.t);
}

function termPanel(points: readonly TermPoint[], timesteps: number): Panel {
  const x: AxisOptions = { domain: [0, timesteps], label: "timestep t", spacing: 70 };
  const y: AxisOptions = { domain: logDomain(points), label: "Lₜ₋₁ (bits/dim)", log: true };
  const band = areaY(points, { x: "t", y1: "low", y2: "high", fill: colours.fourth, fillOpacity: 0.4 });
  const curve = line(points, { x: "t", y: "bits", stroke: colours.data, strokeWidth: 2 });
  return panelOf("terms of the bound", x, y, [band, curve]);
}

function logDomain(points: readonly TermPoint[]): Domain {
  if (points.length === 0) return [0.1, 1];
  const low = points.reduce((least, point) => Math.min(least, point.low), Infinity);
  const high = points.reduce((most, point) => Math.max(most, point.high), 0);
  return [low / 1.3, high * 1.3];
}

function ratePanel({ rates, distortions }: BoundFigureOptions["rateDistortion"]): Panel {
  const points = Array.from(rates, (rate, i) => ({ rate, distortion: distortions[i] ?? Number.NaN }));
  const x: AxisOptions = { domain: fromZero(points.map(({ rate }) => rate)), label: "rate (bits/dim)", spacing: 70 };
  const y: AxisOptions = {
    domain: fromZero(points.map(({ distortion }) => distortion)),
    label: "distortion (RMSE, units of the data)",
  };
  const curve = line(points, { x: "rate", y: "distortion", stroke: colours.samples, strokeWidth: 2 });
  return panelOf("rate and distortion", x, y, [curve]);
}

function fromZero(values: readonly number[]): Domain {
  const high = values.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, value) : most), 0);
  return [0, high === 0 ? 1 : high * 1.05];
}

function panelOf(title: string, x: AxisOptions, y: AxisOptions, curves: readonly Markish[]): Panel {
  const marks = [...axisMarks(x, y), ...curves];
  const plot = { ...axisMargins(x, y), x: scaleOf(x), y: scaleOf(y), marks };
  return { width: Math.floor(figureWidth / 2), height: 320, title, plot };
}
