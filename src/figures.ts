/** `unnoise/figures`: pictures as SVG text, in Node and in browsers. */
export { animateStrip, type AnimationOptions } from "./figures/animate.ts";
export { boundFigure, type BoundFigureOptions } from "./figures/bound.ts";
export { chartFigure, type ChartOptions } from "./figures/chart.ts";
export { type ChartPanel } from "./figures/chart-panel.ts";
export { type AxisChoice } from "./figures/chart-axes.ts";
export { type ChartReference, type ChartSeries } from "./figures/chart-series.ts";
export { colourOf, colouredNames, type ColourKind } from "./figures/colour-of.ts";
export { densityGrid, type DensityGrid, type DensityGridOptions } from "./figures/density-grid.ts";
export { fieldFigure, type FieldOptions, type FieldPanel } from "./figures/field.ts";
export { heatmapFigure, type HeatmapOptions, type HeatmapPanel } from "./figures/heatmap.ts";
export { lossFigure, smoothLosses, type LossOptions } from "./figures/loss.ts";
export { metricFigure, type MetricOptions, type MetricRatio } from "./figures/metric.ts";
export { rankingFigure, type RankingOptions, type RankingRow } from "./figures/ranking.ts";
export { reportPage, type ReportFigure, type ReportOptions, type ReportSection } from "./figures/report.ts";
export { scatterFigure, type ScatterOptions } from "./figures/scatter.ts";
export { scheduleFigure, type ScheduleOptions } from "./figures/schedule.ts";
export { stripFigure, type StripOptions, type StripPanel } from "./figures/strip.ts";
export { trajectoriesFigure, type TrajectoriesOptions } from "./figures/trajectories.ts";
