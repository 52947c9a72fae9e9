import { positionOf, type ChartAxis } from "./chart-axes.ts";
import type { ChartSeries } from "./chart-series.ts";

/** The axes of one panel. */
export interface ChartPlane {
  readonly x: ChartAxis;
  readonly y: ChartAxis;
}

/** A vertex of a curve; vertices of one `run` are joined. */
export interface Vertex {
  readonly x: number;
  readonly y: number;
  readonly run: number;
}

/** A vertical stretch at `x`: an error bar, or a slice of a band. */
export interface Stretch {
  readonly x: number;
  readonly low: number;
  readonly high: number;
  /** Whether the axis cuts that end off. */
  readonly lowCut: boolean;
  readonly highCut: boolean;
}

/** How many points of a chart are not drawn, by reason. */
export interface Omissions {
  readonly notFinite: number;
  readonly notPositive: number;
  readonly outside: number;
}

/** Position of a value on its axis in 0…1, outside for values beyond it, NaN for those that it cannot show. */
function share(axis: ChartAxis, value: number): number {
  return Number.isFinite(value) && (!axis.log || value > 0) ? positionOf(axis, value) : Number.NaN;
}

const isWithin = (position: number): boolean => position >= -1e-9 && position <= 1 + 1e-9;

/** The points inside the axes. */
export function visiblePoints({ x, y }: Pick<ChartSeries, "x" | "y">, plane: ChartPlane): Vertex[] {
  const points = Array.from(x, (value, run): Vertex => ({ x: value, y: y[run] ?? Number.NaN, run }));
  return points.filter((point) => isWithin(share(plane.x, point.x)) && isWithin(share(plane.y, point.y)));
}

/** Counts the points that the axes do not show. */
export function omissionsOf({ x, y }: Pick<ChartSeries, "x" | "y">, plane: ChartPlane): Omissions {
  let [notFinite, notPositive, outside] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const [xi, yi] = [x[i] ?? Number.NaN, y[i] ?? Number.NaN];
    const places = [share(plane.x, xi), share(plane.y, yi)];
    if (!Number.isFinite(xi) || !Number.isFinite(yi)) notFinite++;
    else if (places.some(Number.isNaN)) notPositive++;
    else if (!places.every(isWithin)) outside++;
  }
  return { notFinite, notPositive, outside };
}

type Place = readonly [number, number];

/** The part of the segment from `a` to `b` inside the unit square (Liang & Barsky 1984); undefined where there is none. */
function clipped(a: Place, b: Place): readonly [Place, Place] | undefined {
  let [start, end] = [0, 1];
  for (const axis of [0, 1] as const) {
    const delta = b[axis] - a[axis];
    if (delta === 0 && !isWithin(a[axis])) return undefined;
    if (delta === 0) continue;
    const [one, two] = [-a[axis] / delta, (1 - a[axis]) / delta];
    start = Math.max(start, Math.min(one, two));
    end = Math.min(end, Math.max(one, two));
  }
  const along = (part: number): Place => [a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1])];
  return start < end ? [along(start), along(end)] : undefined;
}

function valueAt({ domain: [low, high], log }: ChartAxis, position: number): number {
  return log ? low * (high / low) ** position : low + position * (high - low);
}

/** A curve's vertices, cut at the axes; it breaks where a value is missing. */
export function curveVertices({ x, y }: Pick<ChartSeries, "x" | "y">, plane: ChartPlane): Vertex[] {
  const vertices: Vertex[] = [];
  const places = Array.from(x, (value, i): Place => [share(plane.x, value), share(plane.y, y[i] ?? Number.NaN)]);
  const push = ([px, py]: Place, run: number): unknown =>
    vertices.push({ x: valueAt(plane.x, px), y: valueAt(plane.y, py), run });
  let [run, last]: [number, Place | undefined] = [0, undefined];
  for (const [i, place] of places.entries()) {
    const before = places[i - 1];
    const part = before && ![...before, ...place].some(Number.isNaN) ? clipped(before, place) : undefined;
    if (part !== undefined) {
      if (last?.[0] !== part[0][0] || last[1] !== part[0][1]) push(part[0], ++run);
      push(part[1], run);
    }
    last = part?.[1];
  }
  return vertices;
}

/** Points that no segment reaches, because a value is missing on both sides. */
export function lonePoints({ x, y }: Pick<ChartSeries, "x" | "y">, plane: ChartPlane): Vertex[] {
  const shown = (i: number): boolean =>
    Number.isFinite(share(plane.x, x[i] ?? Number.NaN)) && Number.isFinite(share(plane.y, y[i] ?? Number.NaN));
  return visiblePoints({ x, y }, plane).filter(({ run }) => !shown(run - 1) && !shown(run + 1));
}

/** Error bars (or slices of a band) as far as the axes show them; a low end ≤ 0 goes to the foot of a log axis. */
export function stretches(
  x: ArrayLike<number>,
  low: ArrayLike<number>,
  high: ArrayLike<number>,
  plane: ChartPlane,
): Stretch[] {
  const [least, most] = plane.y.domain;
  return Array.from(x, (value, i): Stretch => {
    const [from, to] = [low[i] ?? Number.NaN, high[i] ?? Number.NaN];
    const ends = { low: Math.max(from, least), high: Math.min(to, most) };
    return { x: value, ...ends, lowCut: from < least, highCut: to > most };
  }).filter((bar) => isWithin(share(plane.x, bar.x)) && (bar.low <= bar.high || Number.isNaN(bar.low + bar.high)));
}

const MOST_VERTICES = 1000;
const BUCKETS = 350;

/** At most about a thousand points: of each of 350 stretches those with the least and the largest value, so that spikes stay. */
export function thinnedSeries(series: ChartSeries): ChartSeries {
  const { x, y, error, band } = series;
  if (x.length <= MOST_VERTICES) return series;
  const kept = new Set([0, x.length - 1]);
  const value = (i: number): number => y[i] ?? Number.NaN;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const [from, to] = [bucket, bucket + 1].map((edge) => Math.floor((edge * x.length) / BUCKETS));
    const inside = Array.from({ length: (to ?? 0) - (from ?? 0) }, (_, i) => (from ?? 0) + i);
    const finite = inside.filter((i) => Number.isFinite(value(i)));
    kept.add(finite.reduce((best, i) => (value(i) < value(best) ? i : best), finite[0] ?? 0));
    kept.add(finite.reduce((best, i) => (value(i) > value(best) ? i : best), finite[0] ?? 0));
    const missing = inside.find((i) => !Number.isFinite(value(i)));
    if (missing !== undefined) kept.add(missing);
  }
  const order = [...kept].sort((a, b) => a - b);
  const pick = (from: ArrayLike<number>): number[] => order.map((i) => from[i] ?? Number.NaN);
  return {
    ...series,
    x: pick(x),
    y: pick(y),
    ...(error ? { error: pick(error) } : {}),
    ...(band ? { band: { low: pick(band.low), high: pick(band.high) } } : {}),
  };
}
