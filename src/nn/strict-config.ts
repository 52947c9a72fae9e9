import { z } from "zod";
import { UnnoiseError } from "../math/error.ts";
import { shortened } from "../math/shown.ts";
import { nearMiss } from "../math/near-miss.ts";

/**
 * A schema of a network's configuration file: keys outside `shape` are refused with the nearest known one, keys that start with
 * `_` are dropped, and `build` must be able to make the network.
 * @param build throws UnnoiseError for settings that do not go together
 */
export function strictConfig<S extends z.ZodRawShape>(
  shape: S,
  build: (config: z.output<z.ZodObject<S>>) => unknown,
): z.ZodType<z.output<z.ZodObject<S>>> {
  const known = Object.keys(shape);
  return z
    .unknown()
    .superRefine((value, context) => {
      if (typeof value !== "object" || value === null) return;
      const key = Object.keys(value).find((name) => !name.startsWith("_") && !known.includes(name));
      if (key !== undefined)
        context.addIssue({ code: "custom", path: [shortened(key, 60)], message: unknownKey(key, known) });
    })
    .pipe(z.object(shape))
    .superRefine((config, context) => {
      // Numbers out of range are no reason for zod to stop here, but building with them may never end.
      if (context.issues.length > 0) return;
      try {
        build(config);
      } catch (error) {
        if (!(error instanceof UnnoiseError)) throw error;
        context.addIssue({ code: "custom", message: error.message });
      }
    });
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearMiss(key, known);
  return `unknown key; ${near ? `did you mean ${near}?` : `known keys: ${known.join(", ")}`}`;
}
