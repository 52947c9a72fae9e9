import { UnnoiseError } from "../math/error.ts";
import type { DeepImage } from "./image.ts";
import { renderApart } from "./svg-renderer.node.ts";
import { checkSvgSource } from "./svg-source.ts";

/** Pixels along the longer side of a drawing. */
const LONGER_SIDE = 1024;

/**
 * Draws SVG markup on white as pixels; text is set in DejaVu Sans. It is drawn by a process of its own.
 * @param where what error messages call the source, such as the file's name
 * @param side pixels along the longer side, 1024 by default
 * @throws UnnoiseError `format` when the markup is not valid SVG, has no size, reaches outside itself, or takes more than 4 s or 1 GB
 */
export async function decodeSvg(svg: string, where: string, side: number = LONGER_SIDE): Promise<DeepImage> {
  checkSvgSource(svg, where);
  const rendered = await renderApart(svg, side);
  if ("failed" in rendered) {
    throw new UnnoiseError("format", `${where}: expected a drawing in SVG, got an error: ${rendered.failed}`);
  }
  const { width, height, pixels } = rendered;
  return { width, height, data: new Uint8Array(pixels), largest: 255 };
}
