import { readFileSync } from "node:fs";

interface FeatureNets {
  /** The weights [8, 3] of `fixed`. */
  readonly weights: readonly number[];
  readonly models: Readonly<Record<string, string>>;
}

const stored = JSON.parse(readFileSync(new URL("golden/feature-nets.json", import.meta.url), "utf8")) as FeatureNets;

/** What test/golden/make-feature-nets.py writes. */
export const fixedWeights: readonly number[] = stored.weights;

/** The bytes of one of its models. */
export function featureNetFile(name: string): Uint8Array {
  const text = stored.models[name];
  if (text === undefined) throw new Error(`no model ${name}`);
  return Uint8Array.from(Buffer.from(text, "base64"));
}
