import { lintSchedule, scheduleSeverity } from "../../diffusion/lint.ts";
import type { Parameterisation } from "../../diffusion/parameterisation.ts";
import type { NoiseSchedule } from "../../diffusion/schedule.ts";
import type { ScheduleConfig } from "../../diffusion/schedules/schedule-config.ts";
import { at } from "../../math/error.ts";
import { Random } from "../../math/random.ts";
import { kendall, spearman } from "../../math/rank-correlation.ts";
import { bootstrapInterval, permutationProbability, type Interval } from "../../math/resampling.ts";

/** Kinds of verdict, from the best on. */
export const verdicts = ["no finding", "harmless remark", "warning", "data left in x_T"] as const;
export type VerdictName = (typeof verdicts)[number];

/** What the linter says of a schedule before anything is trained. */
export interface Verdict {
  readonly name: VerdictName;
  /** Orders schedules from good to bad. */
  readonly severity: number;
  readonly findings: readonly string[];
}

/** The linter's verdict as an order. */
export function verdictOf(
  schedule: NoiseSchedule,
  config: ScheduleConfig,
  parameterisation: Parameterisation,
): Verdict {
  const findings = lintSchedule(schedule, { parameterisation, config });
  const severity = scheduleSeverity(schedule);
  if (findings.length === 0) return { name: "no finding", severity, findings };
  if (findings.some((line) => line.includes("bits per dimension"))) {
    return { name: "data left in x_T", severity, findings };
  }
  const harmless = findings.every((line) => line.includes("harmless"));
  return { name: harmless ? "harmless remark" : "warning", severity, findings };
}

/** A rank correlation, with what chance says of it. */
export interface Agreement {
  readonly count: number;
  readonly spearman: number;
  readonly spearmanInterval: Interval;
  readonly kendall: number;
  readonly kendallInterval: Interval;
  /** Chance of a Spearman correlation at least as large if verdict and quality had nothing to do with each other. */
  readonly probability: number;
}

const DRAWS = 4000;

/**
 * How well the order of verdicts agrees with the measured order: positive where worse verdicts go with larger distances.
 * @param severities one for each setting
 * @param distances as many
 * @returns undefined for fewer than four settings, or where one side is all equal
 */
export function agreementOf(severities: readonly number[], distances: readonly number[]): Agreement | undefined {
  const count = severities.length;
  const random = new Random(0, "metric");
  if (count < 4 || !Number.isFinite(spearman(severities, distances))) return undefined;
  const options = { draws: DRAWS, random };
  const interval = (of: typeof spearman): Interval => {
    const pick = (values: readonly number[], positions: Int32Array): number[] =>
      Array.from(positions, (position) => at(values, position));
    return bootstrapInterval(
      count,
      (positions) => of(pick(severities, positions), pick(distances, positions)),
      options,
    );
  };
  return {
    count,
    spearman: spearman(severities, distances),
    spearmanInterval: interval(spearman),
    kendall: kendall(severities, distances),
    kendallInterval: interval(kendall),
    probability: permutationProbability(distances, (shuffled) => spearman(severities, shuffled), options),
  };
}
