import { animateStrip } from "../../figures/animate.ts";
import { chartFigure } from "../../figures/chart.ts";
import type { ChartPanel } from "../../figures/chart-panel.ts";
import { fieldFigure, type FieldPanel } from "../../figures/field.ts";
import { reverseStripFigure } from "../../figures/reverse-strip.ts";
import { colours } from "../../figures/theme.ts";
import { at, invariant } from "../../math/error.ts";
import type { MeanEstimate } from "../../math/running-mean.ts";
import { floatTensor, type FloatTensor } from "../../tensor/tensor.ts";
import type { DoneJob } from "../job.ts";
import type { ScoreErrorAt } from "../jobs/score-error.node.ts";
import type { Figure } from "../study.ts";
import type { ReverseResult } from "./reverse-report.node.ts";

function arrayOf({ arrays }: DoneJob, name: string): FloatTensor {
  const found = arrays[name];
  invariant(found, `no array ${name}`);
  return found;
}

/** The n-th of tensors that stand one after the other. */
function part({ data, shape }: FloatTensor, index: number): FloatTensor {
  const size = data.length / at(shape, 0);
  return floatTensor(data.subarray(index * size, (index + 1) * size), shape.slice(1));
}

/** States above, what the network takes their ends for below. */
export function stripFigures({ name, file, states, stateTimes }: ReverseResult): Figure[] {
  if (!states) return [];
  const [xt, x0] = [arrayOf(states, "xt"), arrayOf(states, "x0")];
  const { columns, alphasCumprod } = states.values;
  const moments = stateTimes.map((t, i) => ({
    label: `t = ${t}`,
    xt: part(xt, i),
    x0: part(x0, i),
    alphaCumprod: at(alphasCumprod, i),
  }));
  const svg = reverseStripFigure({ title: `${name}: from noise to data`, moments, columns });
  const caption =
    "Above: the same points at falling t, from pure noise to nearly finished samples. Below: where the network expects each of them to end. The shape comes out step by step, and towards the end both rows agree.";
  return [{ name: `${file}-reverse`, caption, svg }];
}

/** Points on their way back, as frames. */
export function movingFigure({ name, file, frames, frameTimes }: ReverseResult): Figure[] {
  if (!frames) return [];
  const xt = arrayOf(frames, "xt");
  const { columns, alphasCumprod } = frames.values;
  const moving = frameTimes.map((t, i) => ({
    label: `t = ${t}`,
    points: part(xt, i),
    alphaCumprod: at(alphasCumprod, i),
  }));
  const end = { label: "t = 0", points: arrayOf(frames, "ends"), alphaCumprod: 1 };
  const title = `${name}: noise becomes data`;
  const svg = animateStrip({ frames: [...moving, end], reference: arrayOf(frames, "data"), title, columns });
  const caption =
    "The whole way back; faint blue: data that the model has not seen. Time slows down towards the end, where the shape comes out.";
  return [{ name: `${file}-reverse-moving`, caption, svg }];
}

/** Arrows of the learned score above, of the exact one below. */
export function fieldFigures({ name, file, field, fieldTimes, leastDensity }: ReverseResult): Figure[] {
  if (!field?.values.inPlane) return [];
  const panels = (kind: "learned" | "exact"): FieldPanel[] =>
    fieldTimes.map((t, i) => ({
      label: `${kind}, t = ${t}`,
      origins: arrayOf(field, `places-${i}`),
      vectors: arrayOf(field, `${kind}-${i}`),
      points: arrayOf(field, `points-${i}`),
      tone: kind === "learned" ? "samples" : "data",
    }));
  const svg = fieldFigure({
    title: `${name}: the score ∇ log q(x_t), learned and exact`,
    panels: [...panels("learned"), ...panels("exact")],
    shareScale: false,
    columnNames: ["x (standardised)", "y (standardised)"],
    notes: [
      `No arrows where the density of x_t is below ${leastDensity} of its maximum: hardly any point ever gets there.`,
    ],
  });
  const caption =
    "Arrows point to where noised points get more likely. Above: as the network has learned it; below: the exact field. Pale dots: noised data. Compare the two rows, most of all near the dots, where samples are made.";
  return [{ name: `${file}-score`, caption, svg }];
}

/** Relative error of the score, and the parts of the loss. */
export function errorFigure({ name, file, error, timesteps }: ReverseResult): Figure[] {
  if (!error) return [];
  const svg = chartFigure({
    title: `${name}: how exact is the learned score?`,
    columns: 2,
    panels: errorPanels(error.times, timesteps),
    errorBars: "bars: standard error",
  });
  const caption =
    "Left: squared error of the learned score beside the squared size of the exact one; 0.01 means that arrows are off by a tenth of their length. Right: most of the loss is there for every network, since noised points do not tell their noise; the network's share is what better training could still win.";
  return [{ name: `${file}-score-error`, caption, svg }];
}

function errorPanels(times: readonly ScoreErrorAt[], timesteps: number): ChartPanel[] {
  const x = { label: "t (steps from the data)", log: true, domain: [0.9, 1.1 * timesteps] as const };
  const series = (label: string, colour: string, of: (each: ScoreErrorAt) => MeanEstimate) => ({
    label,
    colour,
    x: times.map(({ t }) => t),
    y: times.map((each) => of(each).mean),
    error: times.map((each) => of(each).standardError),
  });
  const left = series("relative error of the score", colours.samples, ({ relative }) => relative);
  const right = [
    series("whole loss", colours.ink, ({ loss }) => loss),
    series("Bayes loss: no network can avoid it", colours.data, ({ bayes }) => bayes),
    series("network's share", colours.samples, ({ excess }) => excess),
  ];
  return [
    { title: "error of the score", x, y: { label: "relative squared error", log: true }, series: [left] },
    { title: "parts of the training loss", x, y: { label: "squared error of ε, per value", log: true }, series: right },
  ];
}
