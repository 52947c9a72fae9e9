/** Where an array lies in the problem's file. */
export interface ArrayPlace {
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly shape: readonly number[];
  readonly dtype: "float32" | "float64" | "int32";
}

/** What every contender computes, from the same numbers: weights, batches and tables lie in one binary file. */
export interface Problem {
  readonly kind: "train" | "sample";
  readonly width: number;
  readonly depth: number;
  readonly batchSize: number;
  readonly dimensions: number;
  readonly timesteps: number;
  readonly timeFeatures: number;
  readonly hyper: {
    readonly learningRate: number;
    readonly beta1: number;
    readonly beta2: number;
    readonly epsilon: number;
    readonly weightDecay: number;
    readonly clipNorm: number;
    readonly emaDecay: number;
  };
  /** Steps that `check` runs and compares. */
  readonly checkSteps: number;
  /** Steps of the DDIM run of a cold start, descending. */
  readonly ddimSteps: readonly number[];
  readonly file: string;
  readonly arrays: Readonly<Record<string, ArrayPlace>>;
  /** The weights of the flat array `weights`, in their order. */
  readonly parameters: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

/** First message to a contender. */
export interface Setup<P = Problem> {
  readonly cmd: "setup";
  readonly problem: P;
  /** Which of its ways a contender is to take. */
  readonly variant: string;
  /** Threads; null leaves the choice to the contender. */
  readonly threads: number | null;
}

/** One line each on a contender's stdin. `check` comes before the first `run`. */
export type Request<P = Problem> =
  Setup<P> | { readonly cmd: "check" } | { readonly cmd: "run"; readonly steps: number };

/** Answer to `setup`. */
export interface Ready {
  readonly versions: Readonly<Record<string, string>>;
  readonly threads: number;
}

/**
 * Answer to `check`: losses of the first training steps, then the norms of the weights and of the first moments after them; or points
 * after the first sampling steps.
 */
export interface Checked {
  readonly values: readonly number[];
}

/** Answer to `run`: milliseconds of each step. */
export interface Timed {
  readonly times: readonly number[];
  /** Largest resident memory of the contender so far, in MiB, where it tells. */
  readonly peak?: number;
}

/** What a contender answers when it cannot. */
export interface Failed {
  readonly error: string;
}
