import { frame } from "@observablehq/plot";
import { axisMargins, axisMarks, scaleOf, type AxisOptions } from "./axes.ts";
import type { Domain } from "./cloud.ts";
import { leftMargin } from "./multiples.ts";
import { pictureMark } from "./picture.ts";
import { rampColour, rampSteps, type Tone } from "./ramp.ts";
import type { Panel } from "./sheet.ts";
import { colours } from "./theme.ts";

/** A legend that gives the number of each colour of a ramp. */
export interface ColourBar {
  readonly tone: Tone;
  /** Numbers at both ends of the ramp */
  readonly domain: Domain;
  readonly label: string;
  /** Heading, where a figure has more than one bar */
  readonly title?: string;
}

const WIDTH = 280;
const HEIGHT = 12;

/** A colour bar as a panel that stands in line with the plots. */
export function colourBarPanel({ tone, domain, label, title }: ColourBar): Panel {
  const x: AxisOptions = { domain, label, spacing: 55 };
  const y: AxisOptions = { domain: [0, 1], ticks: false };
  const margins = { ...axisMargins(x, y), marginTop: 2, marginLeft: leftMargin };
  const ramp = {
    columns: rampSteps,
    rows: 1,
    x: domain,
    y: [0, 1] as const,
    colourAt: (column: number) => rampColour(tone, column / (rampSteps - 1)),
  };
  const picture = pictureMark(ramp, { x: domain, y: [0, 1], width: WIDTH, height: HEIGHT });
  const marks = [...axisMarks(x, y), picture, frame({ stroke: colours.muted })];
  return {
    ...(title === undefined ? {} : { title }),
    width: WIDTH + margins.marginLeft + margins.marginRight,
    height: HEIGHT + margins.marginTop + margins.marginBottom,
    plot: { ...margins, x: scaleOf(x), y: scaleOf(y), marks },
  };
}
