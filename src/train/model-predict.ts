import type { VarianceKind } from "../diffusion/objectives/bound-terms.ts";
import type { Predict } from "../diffusion/objectives/objective.ts";
import { gatherColumns } from "../diffusion/objectives/step-columns.ts";
import type { NoiseSchedule } from "../diffusion/schedule.ts";
import { posteriorLogVariance, type FirstLogVariance } from "../diffusion/variance.ts";
import { add, concat, split } from "../graph/builders.ts";
import type { Node } from "../graph/node.ts";
import { at, invariant } from "../math/error.ts";
import type { Weights } from "../nn/parameters.ts";
import { denoiserPredict, type DenoiserConfig } from "./denoiser-spec.ts";

/** What decides how a network's outputs are read. */
export interface OutputFacts {
  readonly variance: VarianceKind;
  readonly firstLogVariance: FirstLogVariance;
}

/**
 * What a model predicts, as a graph function of its weights. A free log σ² is what the network says plus log β̃_t: it spans ten
 * units over the steps, which a network that starts near 0 learns late and badly.
 */
export function modelPredict(
  denoiser: DenoiserConfig,
  { variance, firstLogVariance: first }: OutputFacts,
  schedule: NoiseSchedule,
): (weights: Weights) => Predict {
  const network = denoiserPredict(denoiser);
  if (variance !== "learned") return network;
  const base = Float64Array.from(schedule.betas, (_, step) => posteriorLogVariance({ schedule, step, first }));
  return (weights) => (xt, steps) => {
    const said = network(weights)(xt, steps);
    const half = at(said.shape, 1) / 2;
    const [output, ratio] = split(said, 1, [half, half]) as [Node, Node];
    const { logVariance } = gatherColumns({ logVariance: base }, steps, said.shape.length);
    invariant(logVariance, "the column was asked for");
    return concat([output, add(ratio, logVariance)], 1);
  };
}
