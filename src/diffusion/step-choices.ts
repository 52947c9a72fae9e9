import { UnnoiseError, at } from "../math/error.ts";
import { normalCdf } from "../math/special.ts";
import type { BoundSetup } from "./bound-options.ts";

/** The rows that evaluate one transition, and what their value stands for. */
export interface RowChoice {
  /** All of them if absent. */
  readonly rows?: Int32Array;
  /** One over the chance of being chosen. */
  readonly weight: number;
}

/**
 * How the chain is cut: into equal stretches, or into ones that widen from the data, where the terms differ most; of two or more, the
 * first is L_0 alone.
 */
export type Stretches = "equal" | "widening";

/** Where the stretches begin, and where the last one ends. */
function boundsOf(count: number, parts: number, stretches: Stretches): number[] {
  if (stretches === "equal") return Array.from({ length: parts + 1 }, (_, k) => Math.floor((k * count) / parts));
  if (parts === 1) return [0, count];
  const widening = (k: number): number => 1 + Math.round((count - 1) * (k / (parts - 1)) ** 2);
  return [0, ...Array.from({ length: parts }, (_, k) => Math.max(k + 1, widening(k)))];
}

/**
 * Chooses which rows evaluate which transition: all of them, or for each row one transition in each of `stepsPerRow`
 * stretches, independent of other rows. So the sums of rows stay independent draws of the whole, and their spread says how far
 * the mean is off.
 * @returns one choice for each transition
 * @throws UnnoiseError `usage` for a number outside 1…number of transitions
 */
export function stepChoices(
  setup: BoundSetup,
  stepsPerRow: number | undefined,
  stretches: Stretches = "equal",
): RowChoice[] {
  const count = setup.transitions.length;
  if (stepsPerRow === undefined || stepsPerRow === count) return setup.transitions.map(() => ({ weight: 1 }));
  if (!Number.isInteger(stepsPerRow) || stepsPerRow < 1 || stepsPerRow > count) {
    throw new UnnoiseError("usage", `stepsPerRow: expected an integer in 1…${count}, got ${stepsPerRow}`);
  }
  const uniforms = drawUniforms(setup, stepsPerRow);
  const chosen: number[][] = setup.transitions.map(() => []);
  const weights = new Float64Array(count);
  const bounds = boundsOf(count, stepsPerRow, stretches);
  for (let stretch = 0; stretch < stepsPerRow; stretch++) {
    const first = at(bounds, stretch);
    const length = at(bounds, stretch + 1) - first;
    weights.fill(length, first, first + length);
    for (let row = 0; row < setup.rows; row++) {
      const place = Math.min(length - 1, Math.floor((uniforms[row * stepsPerRow + stretch] as number) * length));
      chosen[first + place]?.push(row);
    }
  }
  return chosen.map((rows, i) => ({ rows: Int32Array.from(rows), weight: weights[i] as number }));
}

/** Draws behind the noise of both forms of the bound. */
const ADDRESS = 2;

function drawUniforms({ noise, rows, firstIndex, schedule }: BoundSetup, width: number): Float32Array {
  const draws = new Float32Array(rows * width);
  noise.normals(draws, width, firstIndex, ADDRESS * schedule.timesteps);
  return draws.map(normalCdf);
}
