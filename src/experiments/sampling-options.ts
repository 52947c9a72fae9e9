import { z } from "zod";
import { presetNames } from "../diffusion/presets.ts";
import { checkSamplerFlags, samplerFlagNames, type SamplerFlags } from "../diffusion/sampler-choice.ts";
import { samplerNames } from "../diffusion/sampler-table.ts";
import { spacingNames } from "../diffusion/spacings.ts";
import { UnnoiseError } from "../math/error.ts";
import { shortened, shown } from "../math/shown.ts";
import { nearMiss } from "../math/near-miss.ts";

const positive = z.number().positive();

const schema = z.strictObject({
  sampler: z.enum(samplerNames),
  steps: z.union([z.int().min(1), z.array(z.int().min(0)).min(1)]),
  spacing: z.enum(spacingNames),
  clip: positive,
  threshold: positive.max(1),
  epsAfterLimit: z.enum(["rederived", "kept"]),
  preset: z.enum(presetNames),
  eta: z.union([z.number().min(0).max(1), z.literal("hat")]),
  variance: z.enum(["large", "small", "learned"]),
  churn: z.number().min(0),
  order: z.union([z.literal(1), z.literal(2), z.literal(3)]),
  innerSteps: z.int().min(1),
  stepSize: positive.lt(4),
  corrections: z.int().min(0).max(10_000),
  snr: positive,
} satisfies Record<keyof SamplerFlags, z.ZodType>);

/**
 * Checks options of sampling as a file holds them, under the names that flags have in camelCase.
 * @param where what error messages call the source
 * @throws UnnoiseError `usage` for an unknown key (a near miss is suggested), a value out of range, or options that do not go together
 */
export function checkSamplingOptions(options: Readonly<Record<string, unknown>>, where: string): SamplerFlags {
  const unknown = Object.keys(options).find((key) => !samplerFlagNames.some((name) => name === key));
  if (unknown !== undefined) {
    const near = nearMiss(unknown, samplerFlagNames);
    const advice = near === undefined ? `known keys: ${samplerFlagNames.join(", ")}` : `did you mean ${near}?`;
    throw new UnnoiseError("usage", `${where}: unknown key ${shortened(unknown, 60)}; ${advice}`);
  }
  const parsed = schema.partial().safeParse(options);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const key = String(issue?.path[0] ?? "");
    const got = shown(options[key]);
    throw new UnnoiseError("usage", `${where}: ${key}: got ${got}; ${issue?.message ?? "not understood"}`);
  }
  const flags = parsed.data as SamplerFlags;
  try {
    checkSamplerFlags(flags);
  } catch (cause) {
    throw new UnnoiseError("usage", `${where}: ${(cause as Error).message}`, { cause });
  }
  return flags;
}
