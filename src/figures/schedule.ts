import { line, ruleY, type Markish } from "@observablehq/plot";
import { UnnoiseError } from "../math/error.ts";
import { axisMargins, axisMarks, scaleOf, type AxisOptions } from "./axes.ts";
import type { Domain } from "./cloud.ts";
import type { LegendEntry } from "./legend.ts";
import { renderSheet, type Panel } from "./sheet.ts";
import { colours, figureWidth } from "./theme.ts";

/** What `scheduleFigure` draws; position i of each array belongs to t = i + 1. */
export interface ScheduleOptions {
  readonly schedule: { readonly betas: ArrayLike<number>; readonly alphasCumprod: ArrayLike<number> };
  /** β̃_t */
  readonly posteriorVariances: ArrayLike<number>;
  readonly title: string;
}

interface Curve {
  readonly label: string;
  readonly colour: string;
  readonly values: readonly number[];
  readonly dashed?: boolean;
}

const MAX_VERTICES = 500;

/**
 * Draws a noise schedule against t in three panels: β_t and β̃_t; ᾱ_t, √ᾱ_t and √(1−ᾱ_t); log SNR = log(ᾱ_t/(1−ᾱ_t)).
 * @returns SVG markup
 * @throws UnnoiseError `data` when the arrays are empty or differ in length
 */
export function scheduleFigure({ schedule, posteriorVariances, title }: ScheduleOptions): string {
  const steps = schedule.betas.length;
  if (steps === 0 || schedule.alphasCumprod.length !== steps || posteriorVariances.length !== steps) {
    const got = `${steps}, ${schedule.alphasCumprod.length} and ${posteriorVariances.length}`;
    throw new UnnoiseError(
      "data",
      `schedule figure: expected betas, alphasCumprod and variances of one length, got ${got}`,
    );
  }
  const kept = Math.min(steps, MAX_VERTICES);
  const shown = Array.from({ length: kept }, (_, i) => Math.round((i * (steps - 1)) / Math.max(1, kept - 1)));
  const pick = (values: ArrayLike<number>): number[] => shown.map((index) => values[index] ?? Number.NaN);
  const t = shown.map((index) => index + 1);
  const panels = schedulePanels(pick(schedule.betas), pick(posteriorVariances), pick(schedule.alphasCumprod));
  return renderSheet({ title, rows: [panels.map(([label, curves]) => curvePanel(t, steps, label, curves))], gap: 0 });
}

function schedulePanels(betas: number[], variances: number[], alphaBars: number[]): [string, Curve[]][] {
  const root = (value: number): number => Math.sqrt(Math.max(0, value));
  const signal: Curve = { label: "√ᾱ (signal)", colour: colours.data, values: alphaBars.map(root) };
  const noise: Curve = { label: "√(1−ᾱ) (noise)", colour: colours.noise, values: alphaBars.map((a) => root(1 - a)) };
  const product: Curve = { label: "ᾱ", colour: colours.fourth, values: alphaBars, dashed: true };
  const logSnr = alphaBars.map((value) => Math.log(value) - Math.log1p(-value));
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
    marks: [...marks, ...curves.map((curve) => curveMark(t, curve))],
  };
  return { width: Math.floor(figureWidth / 3), height: 290, legend, plot };
}

function curveMark(t: readonly number[], { values, colour, dashed }: Curve): Markish {
  const y = values.map((value) => (Number.isFinite(value) ? value : Number.NaN));
  const dash = dashed === true ? { strokeDasharray: "5 3" } : {};
  return line({ length: t.length }, { x: t, y, stroke: colour, strokeWidth: dashed === true ? 1.75 : 3, ...dash });
}

function curveDomain(curves: readonly Curve[]): Domain {
  const finite = curves.flatMap(({ values }) => values.filter(Number.isFinite));
  const [low, high] = [Math.min(0, ...finite), Math.max(0, ...finite)];
  const margin = (high - low || 1) * 0.04;
  return [low < 0 ? low - margin : 0, high + margin];
}
