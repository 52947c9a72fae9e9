import { dot, type Markish } from "@observablehq/plot";
import { dotStyle } from "./theme.ts";

/** Points in the plane that share a colour. */
export interface ColouredPoints {
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly colour: string;
}

/** Groups into which clouds are cut, to be drawn in turns so that no cloud hides another. */
const TURNS = 12;

/**
 * Clouds of semi-transparent dots, smaller and fainter the more there are.
 * @param scale factor of the radius, for small panels
 */
export function dotMarks(clouds: readonly ColouredPoints[], scale = 1): Markish[] {
  const turns = clouds.length > 1 ? TURNS : 1;
  return Array.from({ length: turns }, (_, turn) => clouds.map((cloud) => turnMark(cloud, turn, turns, scale))).flat();
}

function turnMark({ x, y, colour }: ColouredPoints, turn: number, turns: number, scale: number): Markish {
  const [start, end] = [turn, turn + 1].map((edge) => Math.floor((x.length * edge) / turns));
  const { r, fillOpacity } = dotStyle(x.length, scale);
  const part = { x: x.subarray(start, end), y: y.subarray(start, end) };
  return dot({ length: part.x.length }, { ...part, r, fill: colour, fillOpacity, stroke: "none" });
}
