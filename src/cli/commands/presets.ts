import { comparePresets, type PresetComparison, type PresetDifference } from "../../diffusion/preset-difference.ts";
import {
  presetKeys,
  presetNames,
  presets,
  presetSettings,
  presetValue,
  type PresetName,
} from "../../diffusion/presets.ts";
import { UnnoiseError } from "../../math/error.ts";
import { short } from "../../math/short.ts";
import { nearMiss } from "../../train/config.ts";
import type { Io } from "../io.ts";
import { Terminal } from "../terminal.ts";
import { alignedLines } from "../../math/text.ts";

export interface PresetsCommandOptions {
  readonly json?: boolean;
}

/** `unnoise presets` */
export async function listPresets({ json = false }: PresetsCommandOptions, io: Io): Promise<void> {
  const rows = presetKeys.map((key) => [
    presetSettings[key].part,
    presetSettings[key].label,
    ...presetNames.map((name) => presetValue(presets[name], key)),
  ]);
  const table = leftAligned([["acts in", "setting", ...presetNames], ...rows]);
  const text = `${[...table, "", "compare two with: unnoise presets diff openai diffusers"].join("\n")}\n`;
  await new Terminal(io).print(json ? `${JSON.stringify(settingsOf(), null, 2)}\n` : text);
}

/** `unnoise presets diff` */
export async function diffPresets(
  a: string,
  b: string,
  { json = false }: PresetsCommandOptions,
  io: Io,
): Promise<void> {
  const comparison = await comparePresets(presetNamed(a), presetNamed(b));
  await new Terminal(io).print(json ? `${JSON.stringify(comparison, null, 2)}\n` : differenceText(comparison));
}

/** Presets as data; functions are told by their rule. */
function settingsOf(): Record<string, Record<string, unknown>> {
  const entries = presetNames.map((name) => {
    const { spacing, ...rest } = presets[name];
    return [name, { ...rest, spacing: spacing.rule }] as const;
  });
  return Object.fromEntries(entries);
}

function presetNamed(name: string): PresetName {
  const found = presetNames.find((known) => known === name);
  if (found) return found;
  const near = nearMiss(name, presetNames);
  const advice = near === undefined ? "" : `; did you mean ${near}?`;
  throw new UnnoiseError("usage", `presets: expected one of ${presetNames.join(", ")}, got ${name}${advice}`);
}

function differenceText({ presets: [a, b], differences, moved, size, steps, count }: PresetComparison): string {
  const rows = differences.map((difference) => [
    difference.part,
    difference.label,
    ...difference.values,
    effectOf(difference),
  ]);
  const total = ["", "all of sampling at once", "", "", `${short(moved)} of ${short(size)}`];
  const remarks = [
    `moved: root mean square by which ${count} samples of DDIM with ${steps} steps move, from the same noise, when one setting of`,
    `${a} becomes that of ${b}; the denoiser is the exact one of eight Gaussians in [−1, 1]², its ε enlarged by 5 %`,
  ];
  const table = leftAligned([["acts in", "setting", a, b, "moved"], ...rows, total]);
  return `${[...table, "", ...remarks].join("\n")}\n`;
}

function effectOf({ moved, logVariances, part }: PresetDifference): string {
  if (moved !== null) return short(moved);
  if (logVariances) return `log σ² ${logVariances.map((value) => value.toFixed(2)).join(" against ")}`;
  return part === "network" || part === "U-Net" ? "weights of one do not fit the other" : "not in sampling";
}

const leftAligned = (rows: readonly (readonly string[])[]): string[] => alignedLines(rows, "  ", Infinity);
