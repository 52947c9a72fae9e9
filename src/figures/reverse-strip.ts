import { UnnoiseError } from "../math/error.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { columnOf, equalAspect, planePoints, rangeOf, tallyNotes, type Domain, type Tally } from "./cloud.ts";
import { renderSheet, type Panel } from "./sheet.ts";
import { columnNames, densityFrame, planeFrame, stripClouds, type CloudPanel } from "./strip.ts";
import { colours, figureWidth, maxDots } from "./theme.ts";

/** One time of the reverse process. */
export interface ReverseMoment {
  /** Heading, e.g. "t = 250" */
  readonly label: string;
  /** x_t `[n, D]`, data units */
  readonly xt: FloatTensor;
  /** x̂_0 as predicted from x_t `[n, D]`, data units */
  readonly x0: FloatTensor;
  /** ᾱ_t in [0, 1]; sets the share of noise in the colour of x_t */
  readonly alphaCumprod: number;
}

/** What `reverseStripFigure` draws. */
export interface ReverseStripOptions {
  readonly title: string;
  /** From noise to sample, 1…7 */
  readonly moments: readonly ReverseMoment[];
  /** Name of each column, with its unit where it has one */
  readonly columns?: readonly string[];
  readonly notes?: readonly string[];
}

const MOST_MOMENTS = 7;

/**
 * Draws the reverse process as two rows of panels with shared axes, which hold the states: the states x_t above, and below them what the
 * network takes their end x̂_0 for.
 * @returns SVG markup
 * @throws UnnoiseError `data` for no moment or more than seven, an empty panel, or panels that differ in columns
 */
export function reverseStripFigure({ title, moments, columns, notes = [] }: ReverseStripOptions): string {
  const count = moments.length;
  if (count === 0 || count > MOST_MOMENTS) {
    throw new UnnoiseError("data", `reverse strip: expected 1…${MOST_MOMENTS} times, got ${count}`);
  }
  const panels = panelsOf(moments);
  const states = panels.slice(0, count);
  const width = panels[0]?.cloud.columns.length ?? 0;
  const inner = (figureWidth - 76 - 18 * count) / count;
  const limit = maxDots / panels.length;
  const frameOf = width === 1 ? densityFrame : planeFrame;
  const shared = frameOf(states, inner, columnNames(columns, width), limit);
  const made = panels.map((each, i): Panel => shared.panel(each, { first: i % count === 0, last: i >= count }));
  const mark = width === 1 ? "area" : "dot";
  return renderSheet({
    title,
    rows: [made.slice(0, count), made.slice(count)],
    legend: [
      { label: "state x_t: noise at first", colour: colours.noise, mark },
      { label: "samples, and predicted samples x̂₀", colour: colours.samples, mark },
    ],
    notes: [...shared.notes, ...notes, ...(width === 1 ? [] : tallyNotes(panels.map(tallyIn(states, inner, limit))))],
    gap: 0,
  });
}

function panelsOf(moments: readonly ReverseMoment[]): CloudPanel[] {
  const states = moments.map(({ label, xt, alphaCumprod }) => ({ label, points: xt, alphaCumprod }));
  const ends = moments.map(({ label, x0 }) => ({ label: `x̂₀ from ${label}`, points: x0, alphaCumprod: 1 }));
  return stripClouds([...states, ...ends], "reverse");
}

/** What a panel draws on the axes of the states, which are those of `planeFrame`. */
function tallyIn(states: readonly CloudPanel[], inner: number, limit: number): (panel: CloudPanel) => Tally {
  const range = (column: number): Domain => rangeOf(states.map(({ cloud }) => columnOf(cloud, column)));
  const axes = equalAspect(range(0), range(1), inner, [inner * 0.6, inner * 1.1]);
  return ({ cloud }) => planePoints(cloud, [0, 1], axes.x, axes.y, limit).tally;
}
