import { chartFigure } from "../figures/chart.ts";
import type { ChartSeries } from "../figures/chart-series.ts";
import type { StepLossValues } from "./step-loss.ts";
import type { Figure, Table } from "./study.ts";

/** Errors of one setting's model on one data set. */
export interface StepLossCurve {
  readonly label: string;
  readonly colour?: string;
  readonly data: string;
  readonly values: StepLossValues;
}

/** √((1 − ᾱ)/ᾱ), the noise over the signal. */
const sigmaOf = (alphaCumprod: number): number => Math.sqrt((1 - alphaCumprod) / alphaCumprod);

const BEST = "least possible";

/** Loss of ε̂ against t/T, and its distance from the best possible prediction against the noise. */
export function stepLossFigures(curves: readonly StepLossCurve[]): Figure[] {
  if (curves.length === 0) return [];
  const names = [...new Set(curves.map(({ data }) => data))];
  const byTime = panelsOf(names, curves, ({ label, colour, values }) => ({
    label,
    ...(colour !== undefined && { colour }),
    x: values.t.map((t) => t / values.timesteps),
    y: values.eps,
    dots: false,
  }));
  const figures: Figure[] = [
    {
      name: "step-loss",
      caption:
        "Mean squared error of the predicted noise ε at single steps t, against t/T: near the data (left) the noise is small and hard to see, so the error is near 1; far out (right) x_t is almost all noise. What differs between schedules is where along the chain the transition lies.",
      svg: chartFigure({
        title: "Loss at each step",
        panels: byTime.map(({ data, series }) => ({
          title: data,
          x: { label: "t / T", domain: [0, 1] },
          y: { label: "mean squared error of ε", log: true },
          series,
        })),
      }),
    },
  ];
  return [...figures, ...excessFigure(names, curves)];
}

/** By how much the loss of ε̂ exceeds the least possible, against the noise level. */
function excessFigure(names: readonly string[], curves: readonly StepLossCurve[]): Figure[] {
  const panels = panelsOf(names, curves, ({ label, colour, values }) => ({
    ...againstNoise(values, values.excess ?? []),
    label,
    ...(colour !== undefined && { colour }),
  }));
  if (panels.length === 0) return [];
  return [
    {
      name: "step-loss-excess",
      caption:
        "How far the predicted noise is from the best possible prediction, which is known exactly for these data: mean squared difference against the noise level √((1 − ᾱ)/ᾱ). 0 would be a perfect network; the peak shows at which noise level it has most left to learn.",
      svg: chartFigure({
        title: "Distance from the best possible prediction",
        panels: panels.map(({ data, series }) => ({
          title: data,
          x: { label: "noise level", log: true },
          y: { label: "squared difference", log: true },
          series,
        })),
      }),
    },
  ];
}

function panelsOf(
  names: readonly string[],
  curves: readonly StepLossCurve[],
  seriesOf: (curve: StepLossCurve) => ChartSeries,
): { readonly data: string; readonly series: readonly ChartSeries[] }[] {
  return names
    .map((data) => ({ data, series: curves.filter((curve) => curve.data === data).map(seriesOf) }))
    .map(({ data, series }) => ({ data, series: series.filter(({ x }) => x.length > 0) }))
    .filter(({ series }) => series.length > 0);
}

/** Error of x̂_0 against the noise level, with the least possible beside it. */
export function x0ErrorFigure(curves: readonly StepLossCurve[]): Figure[] {
  const names = [...new Set(curves.map(({ data }) => data))];
  const panels = panelsOf(names, curves, ({ label, colour, values }) => ({
    ...againstNoise(values, values.x0),
    label,
    ...(colour !== undefined && { colour }),
  })).map(({ data, series }) => {
    const values = curves.find((curve) => curve.data === data)?.values;
    const best = values?.bayesX0
      ? [{ ...againstNoise(values, values.bayesX0), label: BEST, colour: "#0072b2", dashed: true }]
      : [];
    return { data, series: [...series, ...best] };
  });
  if (panels.length === 0) return [];
  return [
    {
      name: "x0-error",
      caption:
        "Mean squared error of the predicted data x̂_0 against the noise level √((1 − ᾱ)/ᾱ), in units of the data's variance: 1 is no better than guessing the mean. The dashed line is the least that any predictor can reach.",
      svg: chartFigure({
        title: "Error of the predicted data",
        panels: panels.map(({ data, series }) => ({
          title: data,
          x: { label: "noise level", log: true },
          y: { label: "mean squared error of x̂_0", log: true },
          series,
        })),
      }),
    },
  ];
}

function againstNoise(
  values: StepLossValues,
  errors: readonly (number | null)[],
): Pick<ChartSeries, "x" | "y" | "dots"> {
  const points = errors
    .map((y, i) => ({ x: sigmaOf(values.alphasCumprod[i] ?? 1), y }))
    .filter(
      (point): point is { x: number; y: number } =>
        point.y !== null && point.y > 0 && point.x > 0 && Number.isFinite(point.x),
    );
  return { x: points.map(({ x }) => x), y: points.map(({ y }) => y), dots: false };
}

/** All that was measured at single steps. */
export function stepLossTable(curves: readonly StepLossCurve[]): Table {
  return {
    name: "step-loss",
    header: ["data", "setting", "t", "T", "ᾱ_t", "error of ε", "± s.e.", "least possible", "error of x̂_0", "± s.e."],
    rows: curves.flatMap(({ data, label, values }) =>
      values.t.map((t, i) => [
        data,
        label,
        t,
        values.timesteps,
        values.alphasCumprod[i] ?? null,
        values.eps[i] ?? null,
        values.epsError[i] ?? null,
        values.bayesEps?.[i] ?? null,
        values.x0[i] ?? null,
        values.x0Error[i] ?? null,
      ]),
    ),
    folded: "errors at single steps, all settings",
  };
}
