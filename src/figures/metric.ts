import { dot, ruleX, ruleY, text, type Markish } from "@observablehq/plot";
import { UnnoiseError } from "../math/error.ts";
import { axisMarks, scaleOf, type AxisOptions } from "./axes.ts";
import type { Domain } from "./cloud.ts";
import type { LegendEntry } from "./legend.ts";
import { renderSheet } from "./sheet.ts";
import { shorten } from "./text-layout.ts";
import { categories, colours, figureWidth, fontSizes } from "./theme.ts";

/** One metric of one sampler's points. */
export interface MetricRatio {
  readonly sampler: string;
  readonly metric: string;
  /** Metric of the samples divided by its floor: the same metric between two fresh draws of the data; > 0 */
  readonly ratio: number;
}

/** What `metricFigure` draws. */
export interface MetricOptions {
  readonly ratios: readonly MetricRatio[];
  readonly title: string;
}

const LINE_HEIGHT = 22;
const LEFT = 190;

/**
 * Draws each metric's ratio to its floor, a line for each sampler: 1 (marked) is as good as fresh data.
 * @returns SVG markup
 * @throws UnnoiseError `data` when there is no ratio, or one is not finite and positive
 */
export function metricFigure({ ratios, title }: MetricOptions): string {
  const wrong = ratios.find(({ ratio }) => !(ratio > 0 && ratio < Infinity));
  if (ratios.length === 0 || wrong !== undefined) {
    const got = wrong === undefined ? "none" : `${wrong.ratio} (${wrong.sampler}, ${wrong.metric})`;
    throw new UnnoiseError("data", `metric figure: expected finite ratios > 0, got ${got}`);
  }
  const samplers = [...new Set(ratios.map(({ sampler }) => sampler))];
  const colourOf = (sampler: string): string =>
    categories[samplers.indexOf(sampler) % categories.length] ?? colours.ink;
  const legend: LegendEntry[] = [
    ...samplers.map((label): LegendEntry => ({ label, colour: colourOf(label), mark: "dot" })),
    { label: "floor (fresh data)", colour: colours.data, mark: "line" },
  ];
  const placed = placeRatios(ratios, samplers.length);
  const x = ratioAxis(ratios);
  const height = 6 + 46 + placed.rows * LINE_HEIGHT;
  const marks = metricMarks(placed, x, colourOf);
  const y = { domain: [placed.rows, 0], axis: null };
  const plot = { marginLeft: LEFT, marginRight: 64, marginTop: 6, marginBottom: 46, x: scaleOf(x), y, marks };
  return renderSheet({ title, rows: [[{ width: figureWidth, height, plot }]], legend });
}

function ratioAxis(ratios: readonly MetricRatio[]): AxisOptions {
  const values = ratios.map(({ ratio }) => ratio);
  const [low, high] = [Math.min(1, ...values), Math.max(1, ...values)];
  const log = high / low > 10;
  const domain: Domain = log ? [low / 1.2, high * 1.2] : [0, Math.max(1.5, high * 1.08)];
  return { domain, log, label: `ratio to floor${log ? " (log scale)" : ""}` };
}

interface Placed {
  readonly rows: number;
  readonly metrics: readonly { readonly name: string; readonly row: number; readonly end: number }[];
  readonly dots: readonly (MetricRatio & { readonly row: number })[];
}

/** Gives every ratio a line of its own, metric by metric, with half a line between metrics. */
function placeRatios(ratios: readonly MetricRatio[], samplers: number): Placed {
  let rows = 0.25;
  const gap = samplers > 1 ? 0.5 : 0;
  const placed = [...new Set(ratios.map(({ metric }) => metric))].map((name) => {
    const members = ratios.filter(({ metric }) => metric === name);
    const start = rows;
    rows += members.length + gap;
    const dots = members.map((member, index) => ({ ...member, row: start + index + 0.5 }));
    return { name, row: start + members.length / 2, end: rows - gap / 2, dots };
  });
  return { rows, metrics: placed, dots: placed.flatMap(({ dots }) => dots) };
}

function metricMarks(placed: Placed, x: AxisOptions, colourOf: (sampler: string) => string): Markish[] {
  const names = { x: () => x.domain[0], y: "row", dx: -12, textAnchor: "end" as const, fontSize: fontSizes.text };
  const dots = placed.dots.map((each) => ({
    ...each,
    colour: colourOf(each.sampler),
    shown: each.ratio.toPrecision(3),
    end: Math.max(1, each.ratio),
  }));
  const stroke = { value: dots.map(({ colour }) => colour), scale: null };
  return [
    ...axisMarks(x, { domain: [0, 1], ticks: false }).filter((_, index) => index !== 1),
    ruleX([1], { stroke: colours.data, strokeWidth: 2 }),
    ruleY(placed.metrics.slice(0, -1), { y: "end", stroke: colours.grid }),
    ruleY(dots, { y: "row", x1: 1, x2: "ratio", stroke, strokeWidth: 2 }),
    dot(dots, { x: "ratio", y: "row", r: 5, fill: stroke, stroke: colours.background }),
    text(dots, { x: "end", y: "row", text: "shown", dx: 10, textAnchor: "start", fontSize: fontSizes.tick }),
    text(placed.metrics, { ...names, text: ({ name }: { name: string }) => shorten(name, LEFT - 20, fontSizes.text) }),
  ];
}
