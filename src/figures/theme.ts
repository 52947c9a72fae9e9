/** One colour for each thing that figures show, safe for colour-blind readers (after Okabe and Ito 2008). */
export const colours = {
  data: "#0072b2",
  faintData: "#8cc0de",
  samples: "#d55e00",
  noise: "#8a8a8a",
  second: "#cc79a7",
  third: "#009e73",
  fourth: "#56b4e9",
  fifth: "#b58900",
  ink: "#222222",
  muted: "#595959",
  grid: "#e4e4e4",
  background: "#ffffff",
} as const;

/**
 * Colours for things that stand side by side, in the order in which they are given: each at least 3 : 1 against white, and any
 * two of them (and `colours.data`) apart for colour-blind readers too.
 */
export const categories: readonly string[] = [
  colours.samples,
  colours.third,
  colours.second,
  "#2a22d0",
  "#6b2a00",
  "#9a5cff",
  "#dd0044",
  colours.ink,
  "#445566",
  "#5c0a66",
];

/** Dash patterns of lines, in the order in which they are taken once all colours are. */
export const dashes: readonly string[] = ["", "6 3", "2 2.5", "9 3 2 3"];

/** The font of every figure; DejaVu Sans is what PNG and GIF are drawn with. */
export const fontFamily = "DejaVu Sans, system-ui, sans-serif";

/** Font sizes in px. */
export const fontSizes = { title: 16, panel: 13, text: 12, tick: 11 } as const;

/** Distances in px. */
export const spacing = { edge: 16, gap: 12, line: 17 } as const;

/** Default width of a figure in px. */
export const figureWidth = 800;

/** Most dots that one figure draws, so that its SVG stays below about 1.5 MB. */
export const maxDots = 24_000;

/**
 * The colour a part `weight` of the way from one hex colour to another.
 * @param weight 0 gives `from`, 1 gives `to`; values outside are clamped
 */
export function mixColours(from: string, to: string, weight: number): string {
  const share = Math.min(1, Math.max(0, weight));
  const channel = (start: number): string => {
    const low = Number.parseInt(from.slice(start, start + 2), 16);
    const high = Number.parseInt(to.slice(start, start + 2), 16);
    return Math.round(low + (high - low) * share)
      .toString(16)
      .padStart(2, "0");
  };
  return `#${channel(1)}${channel(3)}${channel(5)}`;
}

/** Radius (px) and opacity of the dots of a cloud of `count` points: the denser, the smaller and fainter. */
export function dotStyle(count: number, scale = 1): { r: number; fillOpacity: number } {
  const root = Math.sqrt(Math.max(count, 1));
  const r = Math.min(3, Math.max(1, 70 / root)) * scale;
  return { r: Math.max(0.8, Math.round(r * 100) / 100), fillOpacity: Math.min(0.85, Math.max(0.3, 24 / root)) };
}
