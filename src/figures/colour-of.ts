import { categories, colours, mixColours } from "./theme.ts";

/** Kinds of things that have one colour in all figures. */
export type ColourKind = "sampler" | "parameterisation" | "variance" | "schedule" | "data";

const [orange, green, pink, indigo, brown, violet, crimson, black, slate, plum] = categories as ColourTuple;
type ColourTuple = readonly [string, string, string, string, string, string, string, string, string, string];

/** What stands next to each other here often stands next to each other in a figure, so it differs most. */
const fixed: Readonly<Record<ColourKind, Readonly<Record<string, string>>>> = {
  sampler: {
    ddpm: orange,
    ddim: green,
    "ddim-hat": pink,
    euler: brown,
    heun: violet,
    "dpmpp-2m": crimson,
    "dpmpp-2m-sde": plum,
    unipc: indigo,
    langevin: slate,
    "predictor-corrector": black,
  },
  parameterisation: { eps: orange, x0: green, v: indigo, mean: pink, score: black },
  variance: { large: orange, small: green, "learned-range": indigo, learned: crimson },
  schedule: {
    linear: orange,
    "scaled-linear": indigo,
    quadratic: pink,
    cosine: green,
    sigmoid: violet,
    constant: black,
    warmup10: "#8888ee",
    warmup50: "#551199",
    jsd: brown,
    exponential: crimson,
    geometric: slate,
    karras: plum,
    custom: "#dd00bb",
    learned: "#994400",
  },
  data: {
    "swiss-roll": orange,
    moons: green,
    cross: indigo,
    circles: pink,
    spirals: brown,
    "s-curve": violet,
    pinwheel: crimson,
    checkerboard: black,
    "8-gaussians": slate,
    "25-gaussians": plum,
  },
};

/** Other ways in which figures and tables write the same names. */
const aliases: Readonly<Record<string, string>> = {
  σ̂: "ddim-hat",
  "ddpm-σ̂": "ddim-hat",
  "dpm-solver++": "dpmpp-2m",
  "dpm-solver++-2m": "dpmpp-2m",
  "dpm-solver++-2m-sde": "dpmpp-2m-sde",
  "annealed-langevin": "langevin",
  ε: "eps",
  epsilon: "eps",
  μ̃: "mean",
};

/** Colour of DDIM where η = 1. */
const NOISIEST_DDIM = "#00401c";

/**
 * The colour that a sampler, parameterisation, variance, family of schedules or data set has in every figure.
 * @param name as the command line writes it, or as labels do: `ddim`, `DDIM, 50 steps, η = 0.5` (the darker, the larger η), `σ̂`,
 * `DPM-Solver++ 2M`. What stands after the first comma says nothing but η. Names that are not known get a colour of the palette
 * that depends on nothing but the name.
 */
export function colourOf(kind: ColourKind, name: string): string {
  const key = keyOf(name);
  if (kind === "sampler" && key.startsWith("ddim")) return ddimColour(name);
  const table = fixed[kind];
  return (Object.hasOwn(table, key) ? table[key] : undefined) ?? hashedColour(name);
}

/** The names of a kind whose colours are fixed, those most often side by side first. */
export function colouredNames(kind: ColourKind): readonly string[] {
  return Object.keys(fixed[kind]);
}

function keyOf(name: string): string {
  const [head = ""] = name.normalize("NFC").toLowerCase().split(",");
  const key = head.trim().replace(/[\s_–]+/g, "-");
  return Object.hasOwn(aliases, key) ? (aliases[key] ?? key) : key;
}

function ddimColour(name: string): string {
  if (/hat\b|σ̂/.test(name.normalize("NFC").toLowerCase())) return pink;
  const eta = Number(/(?:η|eta)[\s=:_-]*(\d*\.?\d+)/i.exec(name)?.[1] ?? 0);
  return mixColours(colours.third, NOISIEST_DDIM, eta ** 0.6);
}

/** FNV-1a (Fowler, Noll & Vo): a name's place in the palette. */
function hashedColour(name: string): string {
  let hash = 0x811c9dc5;
  for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return categories[hash % categories.length] ?? colours.ink;
}
