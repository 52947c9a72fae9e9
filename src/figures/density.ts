import { areaY, lineY, type Markish } from "@observablehq/plot";
import type { Domain } from "./cloud.ts";

/** Counts in equal bins as a probability density: the bars' area is the share of values inside the domain. */
export interface Histogram {
  readonly domain: Domain;
  readonly densities: Float64Array;
}

/** Number of bins for `count` values: grows with the cube root (Rice's rule), within 10…80. */
export function binsFor(count: number): number {
  return Math.min(80, Math.max(10, Math.ceil(2.5 * Math.cbrt(count))));
}

/** Histogram of `values` over `domain`; values outside count in the total but in no bin. */
export function histogram(values: ArrayLike<number>, domain: Domain, bins: number): Histogram {
  const densities = new Float64Array(bins);
  const width = (domain[1] - domain[0]) / bins;
  const weight = 1 / (Math.max(1, values.length) * width);
  for (let position = 0; position < values.length; position++) {
    const value = values[position] ?? Number.NaN;
    if (!(value >= domain[0] && value <= domain[1])) continue;
    const bin = Math.min(bins - 1, Math.floor((value - domain[0]) / width));
    densities[bin] = (densities[bin] ?? 0) + weight;
  }
  return { domain, densities };
}

/** Highest bar of some histograms, with room above it. */
export function densityDomain(histograms: readonly Histogram[]): Domain {
  const highest = Math.max(...histograms.map(({ densities }) => densities.reduce((a, b) => Math.max(a, b), 0)));
  return [0, highest > 0 ? highest * 1.06 : 1];
}

/** A histogram as a filled stepped area with its outline. */
export function densityMarks(shown: Histogram, colour: string, fillOpacity: number): Markish[] {
  const { x, y } = outline(shown);
  const data = { length: x.length };
  return [
    areaY(data, { x, y1: 0, y2: y, fill: colour, fillOpacity }),
    lineY(data, { x, y, stroke: colour, strokeWidth: 1.5 }),
  ];
}

function outline({ domain, densities }: Histogram): { x: Float64Array; y: Float64Array } {
  const bins = densities.length;
  const edge = (bin: number): number => domain[0] + ((domain[1] - domain[0]) * bin) / bins;
  const height = (bin: number): number => densities[bin] ?? 0;
  const x = Float64Array.from({ length: 2 * bins + 2 }, (_, corner) => edge(corner >>> 1));
  const y = Float64Array.from({ length: 2 * bins + 2 }, (_, corner) => (corner === 0 ? 0 : height((corner - 1) >>> 1)));
  return { x, y };
}
