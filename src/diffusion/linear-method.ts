import type { FloatTensor } from "../tensor/tensor.ts";
import { weightedSum, type Term } from "./combine.ts";
import type { Estimate, Sampler, SamplingMethod } from "./sampler.ts";
import { samplerFrom, type Move, type Position } from "./sampling-loop.ts";
import type { Walk } from "./walk.ts";
import { at } from "../math/error.ts";

/** What a method of several steps keeps: x̂_0 at the steps before, the latest first, and the state before x_t. */
interface Memory {
  readonly steps: readonly number[];
  readonly x0s: readonly FloatTensor[];
  readonly last: FloatTensor | undefined;
}

/**
 * Turns a method's weights into a sampler: one evaluation a step, x_s a weighted sum.
 * @returns a sampler; each run takes `SamplerOptions`
 */
export function samplerOf(method: SamplingMethod): Sampler {
  return samplerFrom({
    name: method.name,
    begin: (walk) => {
      let memory: Memory = { steps: [], x0s: [], last: undefined };
      return async (xt, position) => {
        const estimate = await walk.estimate(xt, position.step);
        const corrected = correct(xt, estimate, position, method, memory, walk);
        const move = transition(corrected, estimate, position, method, memory, walk);
        memory = remember(memory, estimate, position.step, corrected, method.memory ?? 0);
        return corrected === xt ? move : { ...move, xt: corrected };
      };
    },
  });
}

function correct(
  xt: FloatTensor,
  estimate: Estimate,
  position: Position,
  method: SamplingMethod,
  { steps, x0s, last }: Memory,
  walk: Walk,
): FloatTensor {
  if (last === undefined || !method.corrector) return xt;
  const weights = method.corrector(walk.schedule, position.step, steps, remainingAfter(position));
  return weightedSum([[weights.last, last], ...estimate.terms(weights.x0, 0), ...pairs(weights.earlier, x0s)]);
}

function transition(
  xt: FloatTensor,
  estimate: Estimate,
  position: Position,
  method: SamplingMethod,
  { steps, x0s }: Memory,
  walk: Walk,
): Move {
  const { x0, eps } = estimate;
  const { step, previousStep } = position;
  const weights = method.coefficients(walk.schedule, step, previousStep, steps, remainingAfter(position));
  const terms: Term[] = [
    [weights.xt, xt],
    ...estimate.terms(weights.x0, weights.eps),
    ...pairs(weights.earlier ?? [], x0s),
  ];
  if (weights.noise !== 0) {
    const deviation = method.deviations?.(estimate, walk.schedule, step, previousStep) ?? weights.noise;
    terms.push([deviation, walk.normals(step)]);
  }
  return { x0, eps, xPrevious: weightedSum(terms) };
}

const remainingAfter = ({ index, count }: Position): number => count - index - 1;

const pairs = (weights: readonly number[], tensors: readonly FloatTensor[]): Term[] =>
  weights.map((weight, i) => [weight, at(tensors, i)] as const);

function remember(memory: Memory, { x0 }: Estimate, step: number, state: FloatTensor, size: number): Memory {
  const steps = [step, ...memory.steps].slice(0, size);
  return { steps, x0s: [x0, ...memory.x0s].slice(0, size), last: state };
}
