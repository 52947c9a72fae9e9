import { vector, type Markish } from "@observablehq/plot";
import type { Frame } from "./picture.ts";
import { rampHex, type Tone } from "./ramp.ts";

/** Arrows of a field in px: where each stands, its direction (degrees clockwise from up) and its length before scaling. */
export interface PixelArrows {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly rotate: Float64Array;
  readonly size: Float64Array;
}

/** Directions and sizes of `vectors` as a frame shows them; rows that are not finite are left out. */
export function pixelArrows(origins: Float32Array, vectors: Float32Array, frame: Frame): PixelArrows {
  const perX = frame.width / (frame.x[1] - frame.x[0]);
  const perY = frame.height / (frame.y[1] - frame.y[0]);
  const rows = Uint32Array.from({ length: origins.length / 2 }, (_, row) => row).filter((row) =>
    [origins, vectors].every((pairs) => pairs.subarray(2 * row, 2 * row + 2).every(Number.isFinite)),
  );
  const across = (row: number): number => (vectors[2 * row] ?? 0) * perX;
  const up = (row: number): number => (vectors[2 * row + 1] ?? 0) * perY;
  return {
    x: Float64Array.from(rows, (row) => origins[2 * row] ?? 0),
    y: Float64Array.from(rows, (row) => origins[2 * row + 1] ?? 0),
    rotate: Float64Array.from(rows, (row) => (Math.atan2(across(row), up(row)) * 180) / Math.PI),
    size: Float64Array.from(rows, (row) => Math.hypot(across(row), up(row))),
  };
}

/**
 * Distance in px between neighbours, were `count` places a grid of squares over the box that they span: the root s of
 * count = (w / s + 1)(h / s + 1).
 */
export function gridSpacing(count: number, width: number, height: number): number {
  if (count < 2) return 0;
  const half = width + height;
  return (half + Math.sqrt(half * half + 4 * (count - 1) * width * height)) / (2 * (count - 1));
}

/** Share of the ramp at which the shortest arrows start, so that they are seen on white. */
const FAINTEST = 0.4;
const SHORTEST = 0.5;

/** Arrows centred on their places, at most `longest` px long: the longer, the darker. */
export function arrowMark(arrows: PixelArrows, scale: number, longest: number, tone: Exclude<Tone, "signed">): Markish {
  const length = arrows.size.map((size) => Math.min(longest, size * scale));
  const colours = Array.from(length, (each) => rampHex(tone, FAINTEST + (1 - FAINTEST) * (each / longest)));
  const drawn = Array.from(length.keys()).filter((row) => (length[row] ?? 0) >= SHORTEST);
  return vector(drawn, {
    x: drawn.map((row) => arrows.x[row] ?? 0),
    y: drawn.map((row) => arrows.y[row] ?? 0),
    rotate: drawn.map((row) => Math.round(arrows.rotate[row] ?? 0)),
    length: { value: drawn.map((row) => length[row] ?? 0), scale: null },
    stroke: { value: drawn.map((row) => colours[row] ?? ""), scale: null },
    strokeWidth: longest < 10 ? 1 : 1.25,
    shape: { draw: drawArrow },
  });
}

interface Pen {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
}

/** An arrow upwards, whose head keeps a size that can be seen. */
function drawArrow(pen: Pen, length: number): void {
  const head = Math.min(length * 0.6, Math.max(2.4, Math.min(5, length * 0.3)));
  pen.moveTo(0, 0);
  pen.lineTo(0, -length);
  pen.moveTo(-head * 0.75, head - length);
  pen.lineTo(0, -length);
  pen.lineTo(head * 0.75, head - length);
}
