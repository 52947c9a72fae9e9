import { readFileSync } from "node:fs";

type Numbers = readonly number[];

/** What test/golden/make-torch.py writes. */
export interface TorchGolden {
  readonly adamw: readonly {
    readonly weightDecay: number;
    readonly clipNorm: number;
    readonly start: Numbers;
    readonly gradients: readonly Numbers[];
    readonly learningRates: Numbers;
    readonly history: readonly { readonly norm: number; readonly weights: Numbers }[];
  }[];
  readonly embeddings: readonly {
    readonly features: number;
    readonly steps: Numbers;
    readonly rows: readonly Numbers[];
  }[];
  readonly training: {
    readonly config: {
      readonly dimensions: number;
      readonly timesteps: number;
      readonly width: number;
      readonly depth: number;
      readonly timeFeatures: number;
    };
    readonly start: Numbers;
    readonly alphasCumprod: Numbers;
    readonly learningRate: number;
    readonly weightDecay: number;
    readonly clipNorm: number;
    readonly emaDecay: number;
    readonly batches: readonly { readonly x0: Numbers; readonly eps: Numbers; readonly steps: Numbers }[];
    readonly history: readonly {
      readonly loss: number;
      readonly norm: number;
      readonly weights: Numbers;
      readonly ema: Numbers;
      readonly xt: Numbers;
      readonly prediction: Numbers;
    }[];
  };
}

/** Results of PyTorch in float64. */
export const torchGolden: TorchGolden = JSON.parse(
  readFileSync(new URL("golden/torch.json", import.meta.url), "utf8"),
) as TorchGolden;

/** Largest difference between two lists of numbers of one length. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  return Math.max(0, ...Array.from(a, (value, i) => Math.abs(value - (b[i] ?? NaN))));
}
