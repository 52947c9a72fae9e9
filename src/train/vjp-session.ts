import type { DenoiserWithVjp } from "../diffusion/ode-likelihood.ts";
import { isLearned } from "../diffusion/objectives/bound-terms.ts";
import { constant, input, mul, slice, sum } from "../graph/builders.ts";
import { grad } from "../graph/grad.ts";
import type { Node } from "../graph/node.ts";
import { at } from "../math/error.ts";
import type { CompileOptions } from "../runtime/executable.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { denoiserPredict, sampleShapeOf } from "./denoiser-spec.ts";
import type { DiffusionModel } from "./model.ts";
import { SizedSessions } from "./sized-sessions.ts";

/** Rows of one call; activations and their gradients of this many fit a core's cache. */
const CHUNK_ROWS = 512;

/**
 * A network with its weights baked in that gives Jᵀv of its prediction beside it, for `odeLikelihood`: forward and backward pass
 * in one graph. `dispose` frees its memory.
 */
export class VjpSession {
  readonly model: DiffusionModel;
  readonly #sessions: SizedSessions;

  constructor(model: DiffusionModel, options: CompileOptions = {}) {
    this.model = model;
    this.#sessions = new SizedSessions((rows) => vjpGraph(model, rows), CHUNK_ROWS, options);
  }

  /** The prediction for a batch [B, D] that shares one step, and v multiplied by its Jacobian. */
  readonly predict: DenoiserWithVjp = async (xt, step, v) => {
    const [rows, width] = [at(xt.shape, 0), at(xt.shape, 1)];
    const [output, vjp] = [new Float32Array(xt.data.length), new Float32Array(xt.data.length)];
    const steps = Int32Array.of(step);
    await this.#sessions.each(rows, async (session, first, end) => {
      const part = (array: Float32Array): Float32Array => array.subarray(first * width, end * width);
      await session.run({ xt: part(xt.data), v: part(v.data), steps }, { output: part(output), vjp: part(vjp) });
    });
    const tensor = (data: Float32Array): FloatTensor => ({ dtype: "float32", shape: xt.shape, data });
    return { parameterisation: this.model.prediction, output: tensor(output), vjp: tensor(vjp) };
  };

  async dispose(): Promise<void> {
    await this.#sessions.dispose();
  }
}

/** The prediction for x_t [rows, D], and ∂(Σ output·v)/∂x_t. */
function vjpGraph({ denoiser, weights, variance }: DiffusionModel, rows: number): { output: Node; vjp: Node } {
  const constants = [...weights].map(([name, { data, shape }]) => [name, constant(data, shape)] as const);
  const shape = [rows, ...sampleShapeOf(denoiser)];
  const [xt, v, steps] = [input("xt", shape), input("v", shape), input("steps", [1], "int32")];
  const whole = denoiserPredict(denoiser)({ xt, steps }, Object.fromEntries(constants));
  const output = isLearned(variance) ? slice(whole, [0, 0], shape) : whole;
  return { output, vjp: at(grad(sum(mul(output, v)), [xt]), 0) };
}
