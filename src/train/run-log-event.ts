import type { DataSummary } from "../data/summary.ts";

/** What is measured now and then while training goes on. */
export type MeasureEvent =
  | {
      readonly event: "samples";
      readonly iteration: number;
      /** The grid's file in the folder of the run. */
      readonly path: string;
    }
  | {
      readonly event: "bound";
      readonly iteration: number;
      /** The variational bound, in bits for each value of an image. */
      readonly bitsPerDimension: number;
      readonly bitsStandardError: number;
      /** Held-out images that it was measured on. */
      readonly images: number;
    };

/** Means since the line before. */
export interface ProgressEvent {
  readonly event: "progress";
  readonly iteration: number;
  readonly loss: number;
  readonly gradientNorm: number;
  readonly learningRate: number;
}

/** One line of `log.jsonl`. */
export type LogEvent =
  | {
      readonly event: "start";
      readonly device: string;
      readonly threads: number;
      readonly parameters: number;
      /** What was understood of the data; absent in runs made before it was told. */
      readonly summary?: DataSummary;
    }
  | { readonly event: "resume"; readonly iteration: number; readonly device: string; readonly threads: number }
  | ProgressEvent
  | MeasureEvent
  | { readonly event: "warning"; readonly message: string }
  | { readonly event: "end"; readonly iteration: number };
