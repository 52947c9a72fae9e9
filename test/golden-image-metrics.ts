import { readFileSync } from "node:fs";

/** What test/golden/make-image-metrics.py writes for one pair of feature sets. */
export interface ImageMetricsCase {
  readonly name: string;
  readonly width: number;
  /** Row by row. */
  readonly real: readonly number[];
  readonly generated: readonly number[];
  readonly fid: number;
  readonly mmd: number;
  readonly k: number;
  readonly coverageK: number;
  readonly precision: number;
  readonly recall: number;
  readonly density: number;
  readonly coverage: number;
}

/** Results of numpy and scipy in float64. */
export const imageMetricsGolden: { readonly cases: readonly ImageMetricsCase[] } = JSON.parse(
  readFileSync(new URL("golden/image-metrics.json", import.meta.url), "utf8"),
) as { readonly cases: readonly ImageMetricsCase[] };
