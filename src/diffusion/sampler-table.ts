import type { Sampler } from "./sampler.ts";
import { ddim } from "./samplers/ddim.ts";
import { ddpm, type ReverseVariance } from "./samplers/ddpm.ts";
import { dpmpp2mSde } from "./samplers/dpmpp-2m-sde.ts";
import { dpmpp2m } from "./samplers/dpmpp-2m.ts";
import { euler } from "./samplers/euler.ts";
import { heun } from "./samplers/heun.ts";
import { langevin } from "./samplers/langevin.ts";
import { predictorCorrector } from "./samplers/predictor-corrector.ts";
import { uniPc } from "./samplers/unipc.ts";
import type { SpacingName } from "./spacings.ts";

/** Samplers by name. */
export const samplerNames = [
  "ddpm",
  "ddim",
  "euler",
  "heun",
  "dpmpp-2m",
  "dpmpp-2m-sde",
  "unipc",
  "langevin",
  "predictor-corrector",
] as const;
export type SamplerName = (typeof samplerNames)[number];

/** Options that belong to single samplers, each already in its range. */
export interface MethodFlags {
  readonly eta?: number | "hat";
  readonly variance?: ReverseVariance;
  readonly churn?: number;
  readonly order?: 1 | 2 | 3;
  readonly innerSteps?: number;
  readonly stepSize?: number;
  readonly corrections?: number;
  readonly snr?: number;
}
export const methodFlags: readonly (keyof MethodFlags)[] = [
  "eta",
  "variance",
  "churn",
  "order",
  "innerSteps",
  "stepSize",
  "corrections",
  "snr",
];

/** A sampler as it is chosen by name. */
export interface SamplerRow {
  /** For titles and tables. */
  readonly label: string;
  /** Which of the options it takes. */
  readonly flags: readonly (keyof MethodFlags)[];
  /** Steps where none are asked for. */
  readonly usualSteps: number | "all";
  readonly usualSpacing: SpacingName;
  readonly make: (flags: MethodFlags) => Sampler;
}

/** The given flags without the absent ones, as options with exact optional keys want them. */
function present<T extends object>(flags: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined)) as never;
}

const trailing = { usualSpacing: "trailing" } as const;

/** Every sampler. */
export const samplerTable: Readonly<Record<SamplerName, SamplerRow>> = {
  ddpm: {
    ...trailing,
    label: "DDPM",
    flags: ["variance"],
    usualSteps: "all",
    make: ({ variance }) => ddpm(present({ variance })),
  },
  ddim: {
    ...trailing,
    label: "DDIM",
    flags: ["eta"],
    usualSteps: 50,
    make: ({ eta }) => (eta === "hat" ? ddim({ sigma: "hat" }) : ddim(present({ eta }))),
  },
  euler: {
    ...trailing,
    label: "Euler",
    flags: ["churn"],
    usualSteps: 50,
    make: ({ churn }) => euler(present({ churn })),
  },
  heun: { ...trailing, label: "Heun", flags: ["churn"], usualSteps: 20, make: ({ churn }) => heun(present({ churn })) },
  "dpmpp-2m": { ...trailing, label: "DPM-Solver++ 2M", flags: [], usualSteps: 20, make: () => dpmpp2m() },
  "dpmpp-2m-sde": { ...trailing, label: "DPM-Solver++ 2M SDE", flags: [], usualSteps: 50, make: () => dpmpp2mSde() },
  unipc: {
    ...trailing,
    label: "UniPC",
    flags: ["order"],
    usualSteps: 20,
    make: ({ order }) => uniPc(present({ order })),
  },
  langevin: {
    label: "annealed Langevin",
    flags: ["innerSteps", "stepSize"],
    usualSteps: 20,
    usualSpacing: "log-snr",
    make: ({ innerSteps, stepSize }) => langevin(present({ innerSteps, stepSize })),
  },
  "predictor-corrector": {
    ...trailing,
    label: "predictor–corrector",
    flags: ["corrections", "snr"],
    usualSteps: "all",
    make: ({ corrections, snr }) => predictorCorrector(present({ corrections, snr })),
  },
};
