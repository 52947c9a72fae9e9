import { add, detach, mean, mul, split } from "../../graph/builders.ts";
import { scope, type Node } from "../../graph/node.ts";
import { UnnoiseError, at } from "../../math/error.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import type { Parameterisation } from "../parameterisation.ts";
import type { NoiseSchedule } from "../schedule.ts";
import type { FirstLogVariance } from "../variance.ts";
import {
  boundColumns,
  boundConstant,
  boundElements,
  isLearned,
  type BoundColumn,
  type VarianceKind,
} from "./bound-terms.ts";
import { lossOf, type LossNorm } from "./loss-norm.ts";
import { column, errorColumns, predictionError, type ErrorColumn } from "./prediction-error.ts";
import { gatherColumns, type GatheredColumns, type StepColumns } from "./step-columns.ts";
import { stepWeights, usualGamma, type Weighting } from "./weighting.ts";

/** A network inside a graph: what it predicts for xt [B, …D] and 0-based steps [B]; with a learned variance both, joined along axis 1. */
export type Predict = (xt: Node, steps: Node) => Node;

export interface LossInputs {
  /** Clean data x_0 [B, …D]. */
  readonly x0: Node;
  /** Standard normal noise ε [B, …D]. */
  readonly eps: Node;
  /** Timesteps, 0-based, int32 [B]. */
  readonly steps: Node;
  /** Weight of each row [B], where steps are not drawn uniformly; the loss of each row is then given too. */
  readonly lossWeights?: Node;
}

/** The loss of a batch. */
export interface BatchLoss {
  /** A float32 scalar. */
  readonly loss: Node;
  /** The scalar whose gradient is followed, where that is not `loss`. */
  readonly descent?: Node;
  /** The loss of each row [B] before its weight. */
  readonly losses?: Node;
}

/**
 * What is minimised: `simple`, L_simple = ‖error‖² (Ho et al. 2020, eq. 14, arXiv 2006.11239); `vlb`, the variational bound in
 * bits per dimension (Ho et al. 2020, eq. 5); `hybrid`, L_simple + 0.001·L_vlb, where the bound teaches only the variance
 * (Nichol & Dhariwal 2021, eq. 16, arXiv 2102.09672).
 */
export const objectiveNames = ["simple", "vlb", "hybrid"] as const;
export type ObjectiveName = (typeof objectiveNames)[number];

/** Whether a loss is the mean or the sum over the values of a sample. */
export const lossReductions = ["mean", "sum"] as const;
export type LossReduction = (typeof lossReductions)[number];

/** λ of the hybrid objective. */
const HYBRID = 0.001;

/** What is predicted and how its error counts. */
export interface ObjectiveOptions {
  /** `simple` if absent. */
  readonly objective?: ObjectiveName;
  /** `eps` if absent. */
  readonly prediction?: Parameterisation;
  /** `large` if absent. */
  readonly variance?: VarianceKind;
  /** Of L_simple; `uniform` if absent. */
  readonly weighting?: Weighting;
  /** γ of `min-snr` (5 if absent) and `p2` (1). */
  readonly weightingGamma?: number | null;
  /** Of L_simple; `l2` if absent. */
  readonly lossNorm?: LossNorm;
  /** `mean` if absent. */
  readonly lossReduction?: LossReduction;
  /** Decoder's variance where it is fixed; `second` if absent. */
  readonly firstLogVariance?: FirstLogVariance;
}

type Chosen = Required<ObjectiveOptions>;
type Columns = GatheredColumns<ErrorColumn | BoundColumn | "weight">;

const usual: Chosen = {
  objective: "simple",
  prediction: "eps",
  variance: "large",
  weighting: "uniform",
  weightingGamma: null,
  lossNorm: "l2",
  lossReduction: "mean",
  firstLogVariance: "second",
};

/**
 * Checks that the parts of an objective go together.
 * @throws UnnoiseError `usage` for parts that do not
 */
export function checkObjective(options: ObjectiveOptions): void {
  const { objective, variance, weighting, weightingGamma, lossNorm } = { ...usual, ...options };
  const refuse = (text: string): never => {
    throw new UnnoiseError("usage", text);
  };
  if (objective === "simple" && isLearned(variance))
    refuse(`objective: simple teaches no variance, but variance is ${variance}; use hybrid or vlb`);
  if (objective === "hybrid" && !isLearned(variance))
    refuse(`objective: hybrid teaches a variance, but variance is ${variance}; use variance learned-range, or simple`);
  if (objective === "vlb" && weighting !== "uniform")
    refuse("weighting: the bound has weights of its own; use objective simple or hybrid, or leave weighting out");
  if (objective === "vlb" && lossNorm !== "l2")
    refuse(`lossNorm: the bound has no ${lossNorm} form; use objective simple or hybrid, or lossNorm l2`);
  if (weightingGamma !== null && (typeof weighting === "function" || usualGamma[weighting] === undefined))
    refuse("weightingGamma: only the weightings min-snr and p2 have a gamma; leave it out");
}

/**
 * The loss of a batch: x_t = √ᾱ_t x_0 + √(1 − ᾱ_t) ε goes through the network, and its error counts as `options` say.
 * @param schedule gives the coefficients of each step, as a table in the graph
 * @param predict the network; with a learned variance it gives [B, 2·D, …], the prediction first
 * @throws UnnoiseError `usage` for options that do not go together, or do not fit the schedule
 */
export function batchLoss(
  batch: LossInputs,
  schedule: NoiseSchedule,
  predict: Predict,
  options: ObjectiveOptions = {},
): BatchLoss {
  const chosen = { ...usual, ...options };
  checkObjective(chosen);
  return scope(`L_${chosen.objective}`, () => {
    const { x0, eps, steps } = batch;
    const columns: Columns = gatherColumns(columnsOf(schedule, chosen), steps, x0.shape.length);
    const xt = add(mul(column(columns.signal), x0), mul(column(columns.noise), eps));
    const { output, variance } = parts(predict(xt, steps), chosen.variance);
    const error = predictionError(chosen.prediction, output, { x0, eps, xt, columns });
    const { elements, constant } = terms(error, variance, columns, schedule, chosen);
    return reduced(elements, constant, batch, chosen.lossReduction);
  });
}

function columnsOf(schedule: NoiseSchedule, chosen: Chosen): StepColumns<ErrorColumn | BoundColumn | "weight"> {
  const { objective, prediction, weighting, weightingGamma } = chosen;
  const weight = objective === "vlb" ? undefined : stepWeights(schedule, prediction, weighting, weightingGamma);
  return {
    ...errorColumns(schedule, prediction),
    ...(weight && { weight }),
    ...(objective !== "simple" && boundColumns(schedule, chosen)),
  };
}

/** What a network with a learned variance says, taken apart. */
function parts(said: Node, variance: VarianceKind): { readonly output: Node; readonly variance?: Node } {
  if (!isLearned(variance)) return { output: said };
  const half = at(said.shape, 1) / 2;
  const [output, ofVariance] = split(said, 1, [half, half]) as [Node, Node];
  return { output, variance: ofVariance };
}

/** The loss of each element, and what is added to the whole. */
function terms(
  error: Node,
  variance: Node | undefined,
  columns: Columns,
  schedule: NoiseSchedule,
  chosen: Chosen,
): { readonly elements: Node; readonly constant: number } {
  const { objective, lossNorm } = chosen;
  const simple = (): Node => {
    const plain = lossOf(error, lossNorm);
    return columns.weight ? mul(columns.weight, plain) : plain;
  };
  if (objective === "simple") return { elements: simple(), constant: 0 };
  const share = objective === "hybrid" ? HYBRID : 1;
  const seen = objective === "hybrid" ? detach(error) : error;
  const bound = mul(boundElements(seen, variance, columns), (share * schedule.timesteps) / Math.LN2);
  const constant = share * boundConstant(schedule, chosen);
  return { elements: objective === "hybrid" ? add(simple(), bound) : bound, constant };
}

/** Sums up: over the values of a sample as asked, over the batch the mean, with the rows' weights if there are any. */
function reduced(
  elements: Node,
  constant: number,
  { lossWeights }: Pick<LossInputs, "lossWeights">,
  reduction: LossReduction,
): BatchLoss {
  const values = reduction === "sum" ? sizeOf(elements.shape) / at(elements.shape, 0) : 1;
  const whole = (total: Node): Node => (constant === 0 ? total : add(total, constant * values));
  const scaled = (total: Node): Node => (values === 1 ? total : mul(total, values));
  if (!lossWeights) return { loss: whole(scaled(mean(elements))) };
  const axes = elements.shape.map((_, axis) => axis).slice(1);
  const losses = scaled(mean(elements, { axes }));
  return { loss: whole(mean(mul(losses, lossWeights))), losses };
}
