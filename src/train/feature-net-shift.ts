import type { ImageShape } from "./feature-net.ts";

/**
 * Moves each image in place; what comes in from outside repeats the edge.
 * @param images `[B, …shape]`
 * @param shifts `[B, 2]`, pixels down and right
 */
export function shiftImages(images: Float32Array, [channels, height, width]: ImageShape, shifts: Int32Array): void {
  const size = height * width;
  const plane = new Float32Array(size);
  for (let p = 0; p * size < images.length; p++) {
    const image = Math.floor(p / channels);
    const [down, right] = [shifts[2 * image] as number, shifts[2 * image + 1] as number];
    if (down === 0 && right === 0) continue;
    plane.set(images.subarray(p * size, (p + 1) * size));
    for (let y = 0, i = p * size; y < height; y++) {
      const row = inside(y - down, height) * width;
      for (let x = 0; x < width; x++, i++) images[i] = plane[row + inside(x - right, width)] as number;
    }
  }
}

const inside = (position: number, extent: number): number => Math.min(extent - 1, Math.max(0, position));
