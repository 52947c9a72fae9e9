import type { Resvg, ResvgRenderOptions } from "@resvg/resvg-js";
import { UnnoiseError } from "../math/error.ts";
import { fontFiles } from "./fonts.node.ts";
import type { DeepImage } from "./image.ts";

/** Pixels along the longer side of a drawing. */
const LONGER_SIDE = 1024;

/**
 * Draws SVG markup on white as pixels, 1024 along its longer side; text is set in DejaVu Sans.
 * @param where what error messages call the source, such as the file's name
 * @throws UnnoiseError `format` when the markup is not valid SVG or has no size
 */
export async function decodeSvg(svg: string, where: string): Promise<DeepImage> {
  const { Resvg } = await import("@resvg/resvg-js");
  try {
    const { width, height }: Resvg = new Resvg(svg, { font: font() });
    const mode = width >= height ? "width" : "height";
    const image = new Resvg(svg, optionsFor(mode)).render();
    return { width: image.width, height: image.height, data: new Uint8Array(image.pixels), largest: 255 };
  } catch (cause) {
    const reason = (cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s+/g, " ");
    throw new UnnoiseError("format", `${where}: expected a drawing in SVG, got an error: ${reason}`, { cause });
  }
}

function font(): NonNullable<ResvgRenderOptions["font"]> {
  return { fontFiles: fontFiles(), loadSystemFonts: false, defaultFontFamily: "DejaVu Sans" };
}

function optionsFor(mode: "width" | "height"): ResvgRenderOptions {
  return {
    font: font(),
    fitTo: { mode, value: LONGER_SIDE },
    background: "white",
  };
}
