import { chartFigure } from "../../figures/chart.ts";
import { rangeOf } from "../../figures/cloud.ts";
import { colourOf } from "../../figures/colour-of.ts";
import { histogram } from "../../figures/density.ts";
import { flowFigure, type FlowPanel } from "../../figures/flow.ts";
import { pathsFigure } from "../../figures/paths.ts";
import { at } from "../../math/error.ts";
import { floatTensor, type FloatTensor } from "../../tensor/tensor.ts";
import type { DoneJob } from "../job.ts";
import type { PathValues } from "../path-recorder.ts";
import { projected, type Axis } from "../projection.ts";
import type { Figure } from "../study.ts";
import { sliceOf, statesOf } from "../tensor-rows.ts";
import type { Ways } from "./trajectories-report.node.ts";

/** Points that are followed in the plane, and along an axis. */
const PLANE_PATHS = 5;
const FLOW_PATHS = 5;
const BINS = 100;

/** What moves, by name. */
const processesOf = ({
  forward,
  back,
}: Ways): { label: string; done: DoneJob<PathValues>; tone: FlowPanel["tone"] }[] => [
  { label: "forward", done: forward, tone: "data" },
  ...back.map(({ sampler, done }) => ({ label: `back with ${sampler}`, done, tone: "samples" as const })),
];

/** Chosen points on their way through each process. */
export function planeFigure(ways: Ways): Figure {
  const { subject, forward } = ways;
  const rows = forward.values.chosen.slice(0, PLANE_PATHS);
  const panels = processesOf(ways).map(({ label, done }) => ({ label, paths: pathsOf(statesOf(done), rows) }));
  return {
    name: `${subject.file}-paths`,
    caption: `${rows.length} points of ${subject.name} on their way to noise (left) and the ways on which samplers lead their noise back. A point has the same colour everywhere; rings are starts, dots are ends. Look at how straight the paths are, and whether a sampler returns to the ring of the same colour in the first picture.`,
    svg: pathsFigure({
      title: `${subject.name}: paths of single points`,
      panels,
      reference: sliceOf(statesOf(forward), 0),
      columns: forward.values.columns,
    }),
  };
}

/** Some rows of states `[times, n, D]` as paths `[rows, times, D]`. */
function pathsOf({ data, shape }: FloatTensor, rows: readonly number[]): FloatTensor {
  const [times = 0, count = 0, width = 0] = shape;
  const out = new Float32Array(rows.length * times * width);
  rows.forEach((row, path) => {
    for (let time = 0; time < times; time++) {
      const start = (time * count + row) * width;
      out.set(data.subarray(start, start + width), (path * times + time) * width);
    }
  });
  return floatTensor(out, [rows.length, times, width]);
}

/** Density against time along each axis. */
export function flowsFigure(ways: Ways): Figure[] {
  const { subject, forward } = ways;
  return forward.values.axes.map((axis, index) => ({
    name: `${subject.file}-flow${index === 0 ? "" : "-principal"}`,
    caption: `Density of ${axis.name} of ${subject.name} at each t, with ${FLOW_PATHS} single paths: the forward process, and the ways back by each sampler. Look at where one broad hill parts into the places of the data, and how the paths get there.`,
    svg: flowFigure({
      title: `${subject.name}: density of ${axis.name} against t`,
      panels: flowPanels(ways, axis),
      xLabel: "step t (data at 0, noise at the end)",
      yLabel: axis.name,
      valueLabel: "density",
    }),
  }));
}

function flowPanels(ways: Ways, axis: Axis): FlowPanel[] {
  const rows = ways.forward.values.chosen.slice(0, FLOW_PATHS);
  const processes = processesOf(ways).map((process) => ({ ...process, along: placesOf(process.done, axis) }));
  const y = rangeOf(processes.flatMap(({ along }) => [at(along, 0), at(along, along.length - 1)]));
  return processes.map(({ label, done, tone, along }) => ({
    label,
    times: done.values.times,
    densities: smoothed(along.map((places) => histogram(places, y, BINS).densities)),
    bins: BINS,
    y,
    paths: rows.map((row) => along.map((places) => at(places, row))),
    tone,
  }));
}

function placesOf(done: DoneJob<PathValues>, axis: Axis): Float64Array[] {
  const states = statesOf(done);
  return Array.from({ length: at(states.shape, 0) }, (_, index) => projected(sliceOf(states, index), axis));
}

const PASSES_ALONG = 5;
const PASSES_IN_TIME = 1;

/** Each pass averages a row with both neighbours, 1 : 2 : 1. */
function averaged(rows: readonly Float64Array[], passes: number): readonly Float64Array[] {
  let current = rows;
  for (let pass = 0; pass < passes; pass++) {
    const last = current;
    current = last.map((row, i) => {
      const [before, after] = [last[i - 1] ?? row, last[i + 1] ?? row];
      return row.map((value, k) => ((before[k] ?? 0) + 2 * value + (after[k] ?? 0)) / 4);
    });
  }
  return current;
}

/** Histograms, smoothed along both axes. */
function smoothed(histograms: readonly Float64Array[]): number[] {
  const columns = averaged(transposed(histograms), PASSES_ALONG);
  return averaged(transposed(columns), PASSES_IN_TIME).flatMap((row) => Array.from(row));
}

function transposed(rows: readonly Float64Array[]): Float64Array[] {
  return Array.from(at(rows, 0), (_, column) => Float64Array.from(rows, (row) => at(row, column)));
}

/** Rank correlation with the start against t. */
export function orderFigure(ways: readonly Ways[]): Figure {
  const panels = ways.map(({ subject, back }) => ({
    title: subject.name,
    x: { label: "step t" },
    y: { label: "rank correlation with start", domain: [-0.2, 1.02] as const },
    series: back.flatMap(({ sampler, done: { values } }) =>
      values.orders.slice(0, 1).map(({ correlations }) => ({
        label: sampler,
        colour: colourOf("sampler", sampler),
        x: values.times,
        y: correlations,
        dots: false,
      })),
    ),
  }));
  return {
    name: "order",
    caption:
      "Rank correlation of the points’ order along the first axis at each t with their order in the noise, where both samplers start (right end). Look at how long DDIM keeps it and how early DDPM forgets it.",
    svg: chartFigure({
      title: "How the order of the noise is kept",
      panels,
      notes: ["Samplers start on the right, at the last step, and end on the left, at t = 0."],
    }),
  };
}
