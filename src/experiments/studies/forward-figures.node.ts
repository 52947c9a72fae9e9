import { logSnr, type NoiseSchedule } from "../../diffusion/schedule.ts";
import { animateStrip } from "../../figures/animate.ts";
import { chartFigure, type ChartOptions } from "../../figures/chart.ts";
import { colourOf } from "../../figures/colour-of.ts";
import { heatmapFigure } from "../../figures/heatmap.ts";
import { stripFigure, type StripPanel } from "../../figures/strip.ts";
import { colours } from "../../figures/theme.ts";
import { UnnoiseError, at } from "../../math/error.ts";
import { short } from "../../math/short.ts";
import { grouped } from "../../math/text.ts";
import type { FloatTensor } from "../../tensor/tensor.ts";
import type { DoneJob } from "../job.ts";
import type { ForwardStatesValues } from "../jobs/forward-states.node.ts";
import type { Figure } from "../study.ts";
import { sliceOf, statesOf } from "../tensor-rows.ts";
import type { DistanceCurve, ForwardSubject, PowerCurve } from "./forward-report.node.ts";

type States = DoneJob<ForwardStatesValues>;
type ChartPanel = ChartOptions["panels"][number];

/** ᾱ and SNR against t. */
export function levelsFigure(schedule: NoiseSchedule): Figure {
  const { alphasCumprod, noiseVariances, timesteps } = schedule;
  const steps = Array.from({ length: timesteps }, (_, step) => step);
  const x = steps.map((step) => step + 1);
  const ratio = steps.map((step) => Math.exp(logSnr(schedule, step)));
  const axis = { label: "step t", domain: [0, timesteps] } as const;
  return {
    name: "levels",
    caption:
      "Left: the shares of data and of noise in the variance cross where both are one half. Right: their ratio SNR falls over many orders of magnitude (logarithmic scale); it is 1 at the same t.",
    svg: chartFigure({
      title: "What is left of the data at each step",
      panels: [
        {
          title: "Shares of the variance",
          x: axis,
          y: { label: "share", domain: [0, 1] },
          series: [
            { label: "data: ᾱ", colour: colours.data, x, y: alphasCumprod },
            { label: "noise: 1 − ᾱ", colour: colours.noise, x, y: noiseVariances },
          ],
        },
        {
          title: "Signal-to-noise ratio",
          x: axis,
          y: { label: "SNR = ᾱ/(1 − ᾱ)", log: true },
          series: [
            { label: "SNR", colour: colours.ink, x, y: ratio },
            levelLine("SNR = 1", colours.muted, [1, timesteps], 1),
          ],
        },
      ],
    }),
  };
}

function panelsOf({ values, arrays }: States, times: readonly number[]): StripPanel[] {
  const states = statesOf({ arrays });
  return times.map((t, i) => ({
    label: `t = ${t}`,
    points: sliceOf(states, i),
    alphaCumprod: at(values.alphasCumprod, i),
  }));
}

function arrayOf(arrays: States["arrays"], name: string): FloatTensor {
  const array = arrays[name];
  if (array) return array;
  throw new UnnoiseError("format", `kept result: expected an array ${name}, got none; delete the cache of experiments`);
}

/** Points at each time. */
export function stripsFigure({ name, file, stripTimes }: ForwardSubject, states: States): Figure {
  return {
    name: `${file}-strip`,
    caption: `${grouped(at(statesOf(states).shape, 1))} points of ${name} at t = ${stripTimes.join(", ")}, with ᾱ, the share of data in the variance. Look for the first panel in which you could no longer draw the original shape.`,
    svg: stripFigure({
      title: `${name}: points on the way to noise`,
      direction: "forward",
      panels: panelsOf(states, stripTimes),
      columns: states.values.columns,
    }),
  };
}

/** Densities at each time. */
export function densityFigure({ name, file, stripTimes }: ForwardSubject, { values, arrays }: States): Figure {
  const densities = arrayOf(arrays, "densities");
  const cells = Math.round(Math.sqrt(at(densities.shape, 1)));
  const { x, y } = values.extents ?? { x: [0, 1] as const, y: [0, 1] as const };
  const panels = stripTimes.map((t, i) => ({
    label: `t = ${t}`,
    values: sliceOf(densities, i).data,
    columns: cells,
    rows: cells,
    x,
    y,
  }));
  return {
    name: `${file}-density`,
    caption: `The density of x_t of ${name} at the same times, the darkest place of each panel scaled to 1. The largest density, in brackets, falls as the points spread; the last panels are the round hill of pure noise.`,
    svg: heatmapFigure({
      title: `${name}: density of x_t`,
      panels,
      valueLabel: "density",
      shareScale: false,
      columnNames: values.columns,
    }),
  };
}

/** The way to noise as an animation. */
export function movingFigure({ name, file, frameTimes }: ForwardSubject, states: States): Figure {
  const panels = panelsOf(states, frameTimes);
  return {
    name: `${file}-animation`,
    caption: `${name} on the way to noise, ${frameTimes.length} moments from t = 0 to t = ${frameTimes.at(-1) ?? 0}.`,
    svg: animateStrip({
      frames: panels,
      direction: "forward",
      title: `${name}: forward process`,
      columns: states.values.columns,
    }),
  };
}

/** KL to noise and its bound. */
export function distanceFigure(distances: readonly DistanceCurve[]): Figure {
  const panel: ChartPanel = {
    x: { label: "step t" },
    y: { label: "KL to N(0, I) / bits", log: true },
    series: distances.flatMap(({ subject: { name }, times, kl, standardErrors, bounds }) => [
      { label: name, colour: colourOf("data", name), x: times, y: kl, error: standardErrors },
      {
        label: "bound: x_0 known",
        colour: colours.muted,
        dashed: true,
        dots: false,
        x: times,
        y: bounds,
      },
    ]),
  };
  return {
    name: "distance",
    caption:
      "Distance to pure noise against t, on a logarithmic scale. Solid: of the noised data as a whole; dashed: of each point’s own noised version, nearly the same for all data of variance 1. Look at how many times smaller the solid curves are.",
    svg: chartFigure({
      title: "Distance of x_t to pure noise",
      panels: [panel],
      errorBars: "bars: standard error of the estimate",
    }),
  };
}

/** A level that curves are compared with. */
function levelLine(
  label: string,
  colour: string,
  x: readonly [number, number],
  y: number,
): ChartPanel["series"][number] {
  return { label, colour, dashed: true, dots: false, x, y: [y, y] };
}

/** Power of the tests. */
export function powerFigure(powers: readonly PowerCurve[], level: number): Figure {
  const counts = [...new Set(powers.map(({ count }) => count))];
  const domain = [0, Math.max(...powers.map(({ times }) => times.at(-1) ?? 1))] as const;
  const panels = counts.map((count): ChartPanel => ({
    title: `${grouped(count)} points against ${grouped(count)}`,
    x: { label: "step t" },
    y: { label: "power", domain: [0, 1.02] },
    series: [
      levelLine("one half", colours.faintData, domain, 0.5),
      levelLine(`chance, ${short(100 * level)} %`, colours.muted, domain, level),
      ...powers
        .filter((each) => each.count === count)
        .map(({ subject: { name }, times, powers: shares }) => ({
          label: name,
          colour: colourOf("data", name),
          x: times,
          y: shares.map(({ share }) => share),
          band: { low: shares.map(({ low }) => low), high: shares.map(({ high }) => high) },
        })),
    ],
  }));
  return {
    name: "power",
    caption:
      "How often the test tells noised data from noise. Look for the t at which each curve falls through one half and where it meets the line of chance; with more points both lie later.",
    svg: chartFigure({
      title: "Power to tell x_t from pure noise",
      panels,
      errorBars: "bands: 95 % intervals (Wilson)",
    }),
  };
}
