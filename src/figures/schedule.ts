import { dot, line, ruleY, type Markish } from "@observablehq/plot";
import { UnnoiseError } from "../math/error.ts";
import { axisMargins, axisMarks, scaleOf, type AxisOptions } from "./axes.ts";
import type { Domain } from "./cloud.ts";
import type { LegendEntry } from "./legend.ts";
import { renderSheet, type Panel } from "./sheet.ts";
import { colours, figureWidth } from "./theme.ts";

/** What `scheduleFigure` draws; position i of each array belongs to t = i + 1. */
export interface ScheduleOptions {
  readonly schedule: {
    readonly betas: ArrayLike<number>;
    readonly alphasCumprod: ArrayLike<number>;
    /** 1 − ᾱ_t without cancellation; default: the difference */
    readonly noiseVariances?: ArrayLike<number>;
  };
  /** β̃_t */
  readonly posteriorVariances: ArrayLike<number>;
  readonly title: string;
  /** Lines below the figure */
  readonly notes?: readonly string[];
}

interface Curve {
  readonly label: string;
  readonly colour: string;
  readonly values: readonly number[];
  readonly dashed?: boolean;
}

const MAX_VERTICES = 500;

/** Most steps whose values are marked each by a dot. */
const MAX_DOTS = 30;

/**
 * Draws a noise schedule against t in three panels: β_t and β̃_t; ᾱ_t, √ᾱ_t and √(1−ᾱ_t); log SNR = log(ᾱ_t/(1−ᾱ_t)), which is
 * left out where ᾱ_t = 0.
 * @returns SVG markup
 * @throws UnnoiseError `data` when the arrays are empty or differ in length
 */
export function scheduleFigure({ schedule, posteriorVariances, title, notes = [] }: ScheduleOptions): string {
  checkLengths(schedule, posteriorVariances);
  const steps = schedule.betas.length;
  const kept = Math.min(steps, MAX_VERTICES);
  const shown = Array.from({ length: kept }, (_, i) => Math.round((i * (steps - 1)) / Math.max(1, kept - 1)));
  const pick = (values: ArrayLike<number>): number[] => shown.map((index) => values[index] ?? Number.NaN);
  const t = shown.map((index) => index + 1);
  const signals = pick(schedule.alphasCumprod);
  const noises = pick(schedule.noiseVariances ?? Array.from(schedule.alphasCumprod, (signal) => 1 - signal));
  const panels = schedulePanels(pick(schedule.betas), pick(posteriorVariances), signals, noises);
  return renderSheet({
    title,
    rows: [panels.map(([label, curves]) => curvePanel(t, steps, label, curves))],
    notes: [...notes, ...terminalNote(schedule.alphasCumprod)],
    gap: 0,
  });
}

function checkLengths(schedule: ScheduleOptions["schedule"], posteriorVariances: ArrayLike<number>): void {
  const { betas, alphasCumprod, noiseVariances = alphasCumprod } = schedule;
  const lengths = [betas, alphasCumprod, posteriorVariances, noiseVariances].map(({ length }) => length);
  if (betas.length > 0 && new Set(lengths).size === 1) return;
  throw new UnnoiseError(
    "data",
    `schedule figure: expected betas, alphasCumprod and variances of one length, got ${lengths.slice(0, 3).join(", ")}`,
  );
}

function terminalNote(alphasCumprod: ArrayLike<number>): string[] {
  const zero = Array.from(alphasCumprod).findIndex((signal) => signal === 0);
  return zero === -1 ? [] : [`ᾱ = 0 at t = ${zero + 1}: log SNR is −∞ there and not drawn.`];
}

function schedulePanels(
  betas: number[],
  variances: number[],
  signals: number[],
  noises: number[],
): [string, Curve[]][] {
  const root = (value: number): number => Math.sqrt(Math.max(0, value));
  const signal: Curve = { label: "√ᾱ (signal)", colour: colours.data, values: signals.map(root) };
  const noise: Curve = { label: "√(1−ᾱ) (noise)", colour: colours.noise, values: noises.map(root) };
  const product: Curve = { label: "ᾱ", colour: colours.fourth, values: signals, dashed: true };
  const logSnr = signals.map((value, i) => Math.log(value) - Math.log(noises[i] ?? Number.NaN));
  return [
    [
      "variance of a step",
      [
        { label: "β (forward)", colour: colours.noise, values: betas },
        { label: "β̃ (posterior)", colour: colours.second, values: variances, dashed: true },
      ],
    ],
    ["coefficient", [signal, noise, product]],
    ["log SNR (nats)", [{ label: "log ᾱ/(1−ᾱ)", colour: colours.third, values: logSnr }]],
  ];
}

function curvePanel(t: readonly number[], steps: number, label: string, curves: readonly Curve[]): Panel {
  const x: AxisOptions = { domain: [0, steps], label: "timestep t", spacing: 70 };
  const y: AxisOptions = { domain: curveDomain(curves), label };
  const legend = curves.map(({ label: name, colour, dashed }): LegendEntry => {
    return { label: name, colour, mark: dashed === true ? "dashed" : "line" };
  });
  const marks = [...axisMarks(x, y), ruleY([0], { stroke: colours.muted, strokeWidth: 0.75 })];
  const plot = {
    ...axisMargins(x, y),
    x: scaleOf(x),
    y: scaleOf(y),
    marks: [...marks, ...curves.flatMap((curve) => curveMarks(t, curve))],
  };
  return { width: Math.floor(figureWidth / 3), height: 290, legend, plot };
}

function curveMarks(t: readonly number[], { values, colour, dashed }: Curve): Markish[] {
  const finite = [...values.keys()].filter((index) => Number.isFinite(values[index]));
  const points = { x: finite.map((index) => t[index] ?? 0), y: finite.map((index) => values[index] ?? 0) };
  const dash = dashed === true ? { strokeDasharray: "5 3" } : {};
  const data = { length: finite.length };
  const curve = line(data, { ...points, stroke: colour, strokeWidth: dashed === true ? 1.75 : 3, ...dash });
  return t.length > MAX_DOTS ? [curve] : [curve, dot(data, { ...points, r: 3, fill: colour, stroke: "none" })];
}

function curveDomain(curves: readonly Curve[]): Domain {
  const finite = curves.flatMap(({ values }) => values.filter(Number.isFinite));
  const [low, high] = [Math.min(0, ...finite), Math.max(0, ...finite)];
  const margin = (high - low || 1) * 0.04;
  return [low < 0 ? low - margin : 0, high + margin];
}
