import type { SamplerStep } from "../diffusion/sampler.ts";
import { encodeGif } from "../formats/gif.ts";
import { imageGrid, levelsOf, type GridOptions } from "../formats/pixels.ts";
import { at, invariant } from "../math/error.ts";
import { floatTensor, sizeOf, type Shape } from "../tensor/tensor.ts";
import type { SampleGroup } from "../train/draw-samples.ts";
import { towardsZero } from "./moments.ts";

/** Most frames of an animation. */
export const FRAMES = 48;
const FRAME_MS = 80;
const LAST_MS = 2000;

/** How images are laid out so that small ones can be seen: each at least about 64 pixels wide. */
export function gridOptions(shape: Shape, columns?: number): GridOptions {
  const side = Math.max(at(shape, 1), at(shape, 2));
  return { scale: Math.max(1, Math.floor(64 / side)), ...(columns !== undefined && { columns }) };
}

/** Keeps states of the reverse process as levels, group by group, and makes them an animation. */
export class FrameRecorder {
  readonly #shape: Shape;
  readonly #show: "xt" | "x0";
  readonly #frames = new Map<number, Uint8Array>();

  /**
   * @param shape [count, C, H, W]
   * @param show x_t, or x̂_0 as it was predicted from it
   */
  constructor(shape: Shape, show: "xt" | "x0") {
    this.#shape = shape;
    this.#show = show;
  }

  /** Takes a step of a group in. */
  add({ index, count, xt, x0, xPrevious }: SamplerStep, { first }: SampleGroup): void {
    const wanted = new Set(towardsZero(count, FRAMES).map((left) => count - left));
    const keep = (state: number, { data }: SamplerStep["xt"]): void => {
      if (wanted.has(state)) this.#frame(state).set(levelsOf(data), first * sizeOf(this.#shape.slice(1)));
    };
    if (this.#show === "x0") keep(index, x0);
    else if (index === 0) keep(0, xt);
    if (this.#show === "xt" || index === count - 1) keep(index + 1, xPrevious);
  }

  #frame(state: number): Uint8Array {
    const kept = this.#frames.get(state) ?? new Uint8Array(sizeOf(this.#shape));
    this.#frames.set(state, kept);
    return kept;
  }

  /** The animation as a file. */
  async gif(options: GridOptions): Promise<Uint8Array> {
    const states = [...this.#frames].sort(([a], [b]) => a - b);
    invariant(states.length > 0, "an animation of no step");
    const grids = states.map(([, levels]) => {
      const values = Float32Array.from(levels, (level) => level / 127.5 - 1);
      return imageGrid(floatTensor(values, this.#shape), options);
    });
    const delay = grids.map((_, i) => (i === grids.length - 1 ? LAST_MS : FRAME_MS));
    return encodeGif(grids, { delay });
  }
}
