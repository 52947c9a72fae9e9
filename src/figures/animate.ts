import { UnnoiseError } from "../math/error.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { readCloud, tallyNotes, type Tally } from "./cloud.ts";
import { densityFrame, planeFrame, columnNames, stripClouds, type StripPanel } from "./strip.ts";
import { renderSheet } from "./sheet.ts";
import type { LegendEntry } from "./legend.ts";
import { colours } from "./theme.ts";

/** Most dots of a frame; its reference has at most half as many. */
const DOTS = 2000;

/** What `animateStrip` draws. */
export interface AnimationOptions {
  /** In the order of time */
  readonly frames: readonly StripPanel[];
  /** Real data `[m, D]` that stays behind the points, data units */
  readonly reference?: FloatTensor;
  /** `forward`: data to noise; `reverse` (default): noise to samples */
  readonly direction?: "forward" | "reverse";
  readonly title: string;
  /** Name of each column, with its unit where it has one */
  readonly columns?: readonly string[];
  /** Width in px (default 480) */
  readonly width?: number;
}

/**
 * Draws x_t at every given time on axes that stay fixed, one picture a frame.
 * @returns SVG markup of each frame, all of one size
 * @throws UnnoiseError `data` when there is no frame, a frame is empty, or frames differ in columns
 */
export function animateStrip(options: AnimationOptions): string[] {
  const direction = options.direction ?? "reverse";
  const panels = stripClouds(options.frames, direction);
  const reference = options.reference && readCloud(options.reference, "reference");
  const columns = panels[0]?.cloud.columns.length ?? 0;
  if (reference && reference.columns.length !== columns) {
    const got = reference.columns.length;
    throw new UnnoiseError("data", `animation: reference: expected ${columns} columns like the frames, got ${got}`);
  }
  const width = options.width ?? 480;
  const frameOf = columns === 1 ? densityFrame : planeFrame;
  const shared = frameOf(panels, width - 92, columnNames(options.columns, columns), DOTS, reference);
  const notes = [...shared.notes, ...tallyNotes([worst(shared.tallies)])];
  return panels.map((panel) => {
    const legend = frameLegend(panel.colour, direction, columns === 1 ? "area" : "dot", reference !== undefined);
    const rows = [[shared.panel(panel, { first: true, last: true })]];
    return renderSheet({ title: options.title, rows, legend, notes, width });
  });
}

/** The most that a frame leaves out, so that all frames carry one note and have one size. */
function worst(tallies: readonly Tally[]): Tally {
  const most = (key: keyof Tally): number => Math.max(...tallies.map((tally) => tally[key]));
  return {
    total: most("total"),
    considered: most("considered"),
    notFinite: most("notFinite"),
    outside: most("outside"),
  };
}

function frameLegend(colour: string, direction: string, mark: "dot" | "area", hasReference: boolean): LegendEntry[] {
  const label = direction === "forward" ? "data with noise" : "samples from noise";
  const shown: LegendEntry = { label, colour, mark };
  return hasReference ? [{ label: "data", colour: colours.faintData, mark }, shown] : [shown];
}
