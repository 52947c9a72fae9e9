import { at } from "../math/error.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { weightedSum, type Term } from "./combine.ts";
import type { Estimate, Sampler, SamplingMethod } from "./sampler.ts";
import { samplerFrom, type Move, type Position } from "./sampling-loop.ts";
import type { Walk } from "./walk.ts";

/**
 * Turns a method's weights into a sampler: one evaluation a step, x_s a weighted sum.
 * @returns a sampler; each run takes `SamplerOptions`
 */
export function samplerOf(method: SamplingMethod): Sampler {
  return samplerFrom({
    name: method.name,
    begin: (walk) => {
      const run = new LinearRun(method, walk);
      return (xt, position) => run.advance(xt, position);
    },
  });
}

/** One run of a method, with what it remembers: x̂_0 at the steps before, the latest first, and the state before x_t. */
class LinearRun {
  readonly #method: SamplingMethod;
  readonly #walk: Walk;
  #steps: readonly number[] = [];
  #x0s: readonly FloatTensor[] = [];
  #last: FloatTensor | undefined;

  constructor(method: SamplingMethod, walk: Walk) {
    this.#method = method;
    this.#walk = walk;
  }

  async advance(xt: FloatTensor, position: Position): Promise<Move> {
    const estimate = await this.#walk.estimate(xt, position.step);
    const corrected = this.#correct(xt, estimate, position);
    const xPrevious = this.#transition(corrected, estimate, position);
    const { memory = 0 } = this.#method;
    this.#steps = [position.step, ...this.#steps].slice(0, memory);
    this.#x0s = [estimate.x0, ...this.#x0s].slice(0, memory);
    this.#last = corrected;
    return { x0: estimate.x0, eps: estimate.eps, xPrevious, ...(corrected !== xt && { xt: corrected }) };
  }

  #correct(xt: FloatTensor, estimate: Estimate, position: Position): FloatTensor {
    const { corrector } = this.#method;
    if (this.#last === undefined || !corrector) return xt;
    const weights = corrector(this.#walk.schedule, position.step, this.#steps, remainingAfter(position));
    return weightedSum([
      [weights.last, this.#last],
      ...estimate.terms(weights.x0, 0),
      ...pairs(weights.earlier, this.#x0s),
    ]);
  }

  #transition(xt: FloatTensor, estimate: Estimate, position: Position): FloatTensor {
    const [{ coefficients, deviations }, walk] = [this.#method, this.#walk];
    const { step, previousStep } = position;
    const weights = coefficients(walk.schedule, step, previousStep, this.#steps, remainingAfter(position));
    const terms: Term[] = [
      [weights.xt, xt],
      ...estimate.terms(weights.x0, weights.eps),
      ...pairs(weights.earlier ?? [], this.#x0s),
    ];
    if (weights.noise !== 0) {
      const deviation = deviations?.(estimate, walk.schedule, step, previousStep) ?? weights.noise;
      terms.push([deviation, walk.normals(step)]);
    }
    return weightedSum(terms);
  }
}

const remainingAfter = ({ index, count }: Position): number => count - index - 1;

const pairs = (weights: readonly number[], tensors: readonly FloatTensor[]): Term[] =>
  weights.map((weight, i) => [weight, at(tensors, i)] as const);
