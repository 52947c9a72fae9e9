import { readStructuredFile } from "../formats/structured-file.node.ts";
import { checkTrainingOptions, type TrainingConfig } from "../train/config.ts";

/**
 * Reads training options from a file: what it sets, and nothing else.
 * @throws UnnoiseError `io` when it cannot be read, `usage` for another kind of file, broken text, an unknown key (a near miss
 * is suggested) or a value out of range
 */
export async function readConfigFile(path: string): Promise<Partial<TrainingConfig>> {
  const where = `--config ${path}`;
  const options = await readStructuredFile(path, where);
  const checked = checkTrainingOptions({ data: "any", ...options }, where);
  // null is a key left to its default, which may depend on others.
  const set = Object.entries(checked).filter(([key, value]) => Object.hasOwn(options, key) && value !== null);
  return Object.fromEntries(set);
}
