import type { SamplerFlags } from "../diffusion/sampler-choice.ts";
import type { ColourKind } from "../figures/colour-of.ts";
import type { TrainingChoice } from "./study.ts";

/** One way to train and sample. */
export interface Setting {
  /** For tables and figures; one of a kind in its study. */
  readonly label: string;
  /** Settings of one group share a colour, and a curve where something else is on the axis. */
  readonly group?: string;
  /** What differs from the training of the study. */
  readonly training: TrainingChoice;
  readonly sampling: SamplerFlags;
}

/** How much is measured. */
export interface GridSizes {
  /** Points in each set whose distance is measured. */
  readonly points: number;
  /** How the variational bound is measured; null for not at all. */
  readonly bound: GridBound | null;
}

/** How the variational bound is measured. */
export interface GridBound {
  /** Rows of fresh data. */
  readonly rows: number;
  /** Random steps at which each row is evaluated; null for all. */
  readonly stepsPerRow: number | null;
}

/** A study as data: every setting is trained, sampled and measured on every data set with every seed. */
export interface GridStudy {
  readonly name: string;
  readonly title: string;
  /** The question, in a sentence. */
  readonly question: string;
  readonly settings: readonly Setting[];
  /** What all settings share; over the usual training of the scale. */
  readonly training: TrainingChoice;
  readonly sizes: GridSizes;
  /** What groups are, where they have colours of their own. */
  readonly colours?: ColourKind;
}

/** An option of training or sampling by name: "train.batchSize", "sample.eta". */
export type OptionName = `train.${string}` | `sample.${string}`;

/** The value of an option in a setting; undefined where it leaves the default. */
export function optionOf({ training, sampling }: Setting, name: OptionName): unknown {
  const [part, key = ""] = name.split(".");
  return (part === "train" ? (training as Record<string, unknown>) : (sampling as Record<string, unknown>))[key];
}

/** Options that differ between settings, in the order in which they first appear. */
export function variedOptions(settings: readonly Setting[]): OptionName[] {
  const names = settings.flatMap(({ training, sampling }) => [
    ...Object.keys(training).map((key): OptionName => `train.${key}`),
    ...Object.keys(sampling).map((key): OptionName => `sample.${key}`),
  ]);
  const differs = (name: OptionName): boolean =>
    new Set(settings.map((setting) => JSON.stringify(optionOf(setting, name)))).size > 1;
  return [...new Set(names)].filter(differs);
}

/** A numeric option as the axis of a chart. */
export interface GridAxis {
  readonly option: OptionName;
  readonly label: string;
}

const axisLabels: Readonly<Record<string, string>> = {
  steps: "sampling steps",
  eta: "η, noise of DDIM",
  timesteps: "T, diffusion steps",
  betaStart: "β₁",
  betaEnd: "β_T",
  batchSize: "batch size",
  learningRate: "learning rate",
  iterations: "training iterations",
};

/** Options with numbers that differ between at least two settings. */
export function numericAxes(settings: readonly Setting[]): GridAxis[] {
  const numbers = (option: OptionName): Set<unknown> =>
    new Set(settings.map((setting) => optionOf(setting, option)).filter((value) => typeof value === "number"));
  return variedOptions(settings)
    .filter((option) => numbers(option).size > 1)
    .map((option) => ({ option, label: axisLabels[keyOf(option)] ?? keyOf(option) }));
}

const keyOf = (option: OptionName): string => option.slice(option.indexOf(".") + 1);

/** Of which curve a setting is a point where `axis` is horizontal: its group, or what else differs. */
export function curveOf(setting: Setting, settings: readonly Setting[], { option }: GridAxis): string {
  if (setting.group !== undefined) return setting.group;
  const others = variedOptions(settings).filter((name) => name !== option);
  const words = others.map((name) => {
    const value = optionOf(setting, name);
    const shown = value === undefined ? "as usual" : typeof value === "string" ? value : JSON.stringify(value);
    return `${keyOf(name)} ${shown}`;
  });
  return words.length === 0 ? "all settings" : words.join(", ");
}
