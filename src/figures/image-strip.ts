import { UnnoiseError, at } from "../math/error.ts";
import { imageGrid } from "../formats/pixels.ts";
import { sizeOf, type FloatTensor } from "../tensor/tensor.ts";
import { pictureMark, type Frame } from "./picture.ts";
import { renderSheet, type Panel } from "./sheet.ts";
import { figureWidth, spacing } from "./theme.ts";

/** Images at one time of the process. */
export interface ImageMoment {
  /** Heading, e.g. "t = 250" */
  readonly label: string;
  /** `[n, 1 or 3, H, W]`; what lies outside [−1, 1] is drawn black or white */
  readonly images: FloatTensor;
}

/** What `imageStripFigure` draws. */
export interface ImageStripOptions {
  readonly title: string;
  /** In reading order, at most 12 */
  readonly moments: readonly ImageMoment[];
  readonly notes?: readonly string[];
}

const MOST_MOMENTS = 12;
/** Pixels of an image between one and the next. */
const GAP = 1;

/**
 * Draws images at chosen times of the forward or reverse process: a row for each image, a column for each time.
 * @returns SVG markup
 * @throws UnnoiseError `data` for no time or more than twelve, or images of no or different shapes
 */
export function imageStripFigure({ title, moments, notes = [] }: ImageStripOptions): string {
  checkMoments(moments);
  const inner = Math.floor((figureWidth - 2 * spacing.edge - (moments.length - 1) * COLUMN_GAP) / moments.length);
  const row = moments.map((moment, i) => panelOf(moment, inner, i === 0 ? spacing.edge : 0));
  return renderSheet({ title, rows: [row], notes: [CLAMPED, ...notes], gap: COLUMN_GAP });
}

const COLUMN_GAP = 6;
const CLAMPED = "Values outside [−1, 1] are drawn as the nearest of the two.";

function checkMoments(moments: readonly ImageMoment[]): void {
  if (moments.length === 0 || moments.length > MOST_MOMENTS) {
    throw new UnnoiseError("data", `image strip: expected 1…${MOST_MOMENTS} times, got ${moments.length}`);
  }
  const shapes = new Set(moments.map(({ images }) => images.shape.join(" × ")));
  if (shapes.size === 1 && sizeOf(at(moments, 0).images.shape) > 0) return;
  throw new UnnoiseError("data", `image strip: expected images of one shape, got ${[...shapes].join(" and ")}`);
}

/** One time: its images below each other. */
function panelOf({ label, images }: ImageMoment, inner: number, left: number): Panel {
  const { width, height, data } = imageGrid(images, { columns: 1, gap: GAP });
  const frame: Frame = { x: [0, 1], y: [0, 1], width: inner, height: (inner * height) / width };
  const colourAt = (column: number, row: number): [number, number, number] => {
    const source = 4 * ((height - 1 - row) * width + column);
    return [0, 1, 2].map((channel) => at(data, source + channel) / 255) as [number, number, number];
  };
  const picture = { columns: width, rows: height, x: frame.x, y: frame.y, colourAt };
  const axis = { domain: [0, 1], axis: null };
  const margins = { marginLeft: left, marginRight: 0, marginTop: 0, marginBottom: 0 };
  return {
    title: label,
    width: inner + left,
    height: Math.ceil(frame.height),
    plot: { ...margins, x: axis, y: axis, marks: [pictureMark(picture, frame)] },
  };
}
