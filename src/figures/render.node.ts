import type { Resvg } from "@resvg/resvg-js";
import { UnnoiseError } from "../math/error.ts";
import { fontFiles } from "../formats/fonts.node.ts";
import { encodeGif } from "../formats/gif.ts";
import type { RgbaImage } from "../formats/image.ts";

/** Pixels of a picture that is drawn at its natural size times `PNG_SCALE`. */
const PNG_SCALE = 2;
const GIF_WIDTH = 480;
const GIF_DELAY = 80;
const LAST_FRAME = 15;

/** How large a picture is drawn. */
export interface RasterOptions {
  /** Width in pixels; the height follows. Default: twice the figure's own width. */
  readonly width?: number;
}

/** How an animation is drawn. */
export interface GifOptions {
  /** Time that each frame stands, in ms (default 80); the last one stands 15 times as long. */
  readonly delay?: number;
  /** Width in pixels (default 480); the height follows. */
  readonly width?: number;
}

/** File formats of figures. */
export type FigureFormat = "svg" | "png" | "gif";

/**
 * Draws SVG with DejaVu Sans as pixels.
 * @returns straight-alpha RGBA
 * @throws UnnoiseError `format` when the markup is not valid SVG
 */
export async function svgToImage(svg: string, options: RasterOptions = {}): Promise<RgbaImage> {
  const { width, height, pixels } = (await rasterizer(svg, options)).render();
  return { width, height, data: new Uint8Array(pixels) };
}

/**
 * Draws SVG with DejaVu Sans as a PNG file.
 * @throws UnnoiseError `format` when the markup is not valid SVG
 */
export async function svgToPng(svg: string, options: RasterOptions = {}): Promise<Uint8Array> {
  return (await rasterizer(svg, options)).render().asPng();
}

/**
 * Draws frames of one size as an endlessly looping GIF file.
 * @throws UnnoiseError `format` when a frame is not valid SVG, `usage` when there is none
 */
export async function framesToGif(svgs: readonly string[], options: GifOptions = {}): Promise<Uint8Array> {
  if (svgs.length === 0) throw new UnnoiseError("usage", "animation: expected at least one frame, got none");
  const images: RgbaImage[] = [];
  for (const svg of svgs) images.push(await svgToImage(svg, { width: options.width ?? GIF_WIDTH }));
  const delay = options.delay ?? GIF_DELAY;
  return encodeGif(images, {
    delay: images.map((_, index) => (index === images.length - 1 ? LAST_FRAME * delay : delay)),
  });
}

/**
 * A figure (one SVG) or an animation (several) as the bytes of a file.
 * @throws UnnoiseError `usage` for an animation as SVG or PNG
 */
export async function renderFigure(
  figure: string | readonly string[],
  format: FigureFormat,
  options: GifOptions = {},
): Promise<Uint8Array> {
  if (format === "gif") return framesToGif(typeof figure === "string" ? [figure] : figure, options);
  if (typeof figure !== "string") {
    throw new UnnoiseError("usage", `animation: expected format gif, got ${format}; ask for a .gif file`);
  }
  return format === "svg" ? new TextEncoder().encode(figure) : svgToPng(figure, options);
}

async function rasterizer(svg: string, { width }: RasterOptions): Promise<Resvg> {
  const { Resvg } = await import("@resvg/resvg-js");
  try {
    return new Resvg(svg, {
      font: { fontFiles: fontFiles(), loadSystemFonts: false, defaultFontFamily: "DejaVu Sans" },
      fitTo: width === undefined ? { mode: "zoom", value: PNG_SCALE } : { mode: "width", value: width },
      background: "white",
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UnnoiseError("format", `svg: expected well-formed SVG markup, got an error: ${reason}`, { cause });
  }
}
