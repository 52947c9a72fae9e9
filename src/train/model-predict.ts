import type { VarianceKind } from "../diffusion/objectives/bound-terms.ts";
import { gatherColumns } from "../diffusion/objectives/step-columns.ts";
import type { NoiseSchedule } from "../diffusion/schedule.ts";
import { posteriorLogVariance, type FirstLogVariance } from "../diffusion/variance.ts";
import { add, concat, split } from "../graph/builders.ts";
import type { Node } from "../graph/node.ts";
import { at, invariant } from "../math/error.ts";
import type { NetworkInputs } from "../nn/network.ts";
import type { Weights } from "../nn/parameters.ts";
import type { DenoiserConfig } from "../nn/networks.ts";
import { denoiserPredict } from "./denoiser-spec.ts";

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
): (inputs: NetworkInputs, weights: Weights) => Node {
  const network = denoiserPredict(denoiser);
  if (variance !== "learned") return network;
  const base = Float64Array.from(schedule.betas, (_, step) => posteriorLogVariance({ schedule, step, first }));
  return (inputs, weights) => {
    const said = network(inputs, weights);
    const half = at(said.shape, 1) / 2;
    const [output, ratio] = split(said, 1, [half, half]) as [Node, Node];
    const { logVariance } = gatherColumns({ logVariance: base }, inputs.steps, said.shape.length);
    invariant(logVariance, "the column was asked for");
    return concat([output, add(ratio, logVariance)], 1);
  };
}
