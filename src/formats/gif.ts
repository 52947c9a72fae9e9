import { encode } from "modern-gif";
import { UnnoiseError, at } from "../math/error.ts";
import { checkImage, type RgbaImage } from "./image.ts";

/** How an animation plays. */
export interface GifOptions {
  /** Time that each frame shows, in milliseconds, stored in hundredths of a second: 20…655,350; or one time for each frame. */
  readonly delay: number | readonly number[];
}

const SHORTEST_MS = 20;
const LONGEST_MS = 655_350;

/**
 * The encoder writes only what changed between opaque frames, and loses the change when it lies in one row of pixels. One
 * transparent pixel behind the last one, which is never drawn, makes it write whole frames.
 */
function wholeFrame({ data }: RgbaImage): Uint8ClampedArray<ArrayBuffer> {
  const padded = new Uint8ClampedArray(data.length + 4);
  padded.set(data);
  return padded;
}

function checkFrames(frames: readonly RgbaImage[], delays: readonly number[]): void {
  const first = frames[0];
  if (first === undefined) throw new UnnoiseError("data", "animation: expected at least one frame, got none");
  frames.forEach((frame, index) => {
    checkImage(frame);
    if (frame.width !== first.width || frame.height !== first.height) {
      throw new UnnoiseError(
        "data",
        `animation: frame ${index + 1} is ${frame.width} × ${frame.height}, expected ${first.width} × ${first.height} as the first`,
      );
    }
  });
  const wrong = delays.find((delay) => !(delay >= SHORTEST_MS && delay <= LONGEST_MS));
  if (wrong !== undefined || delays.length !== frames.length) {
    throw new UnnoiseError(
      "usage",
      `animation: expected ${frames.length} delays of ${SHORTEST_MS}…${LONGEST_MS} ms, got ${wrong ?? `${delays.length} delays`}`,
    );
  }
}

/**
 * Writes an animation as a GIF that repeats for ever, with one palette of at most 255 colours for all frames.
 * @param frames images of one size, at least one; pixels of opacity 0 stay transparent, all others become opaque
 * @returns the whole file; the same frames always give the same bytes
 * @throws UnnoiseError `data` when frames are missing or differ in size, `usage` for a delay out of range
 */
export async function encodeGif(frames: readonly RgbaImage[], { delay }: GifOptions): Promise<Uint8Array> {
  const delays = typeof delay === "number" ? frames.map(() => delay) : delay;
  checkFrames(frames, delays);
  const { width, height } = at(frames, 0);
  const encoded = await encode({
    width,
    height,
    looped: true,
    loopCount: 0,
    frames: frames.map((frame, index) => ({
      data: wholeFrame(frame),
      delay: 10 * Math.round(at(delays, index) / 10),
    })),
  });
  return new Uint8Array(encoded);
}
