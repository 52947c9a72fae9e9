import { describe, expect, it } from "vitest";
import { Random } from "../math/random.ts";
import { seededNoise } from "./noise.ts";

describe("seeded noise", () => {
  it("draws x_T from the stream start and z from the stream sampling", () => {
    const noise = seededNoise(7);
    for (const [source, stream] of [
      [noise.start, "start"],
      [noise.steps, "sampling"],
    ] as const) {
      const [got, expected] = [new Float32Array(6), new Float32Array(6)];
      source.normals(got, 3, 4, 9);
      new Random(7, stream).normals(expected, 3, 4, 9);
      expect([...got]).toEqual([...expected]);
    }
  });

  it("rejects seeds that are no integers", () => {
    expect(() => seededNoise(1.5)).toThrow(/seed/);
  });
});
