import type { DenoiserWithVjp } from "../diffusion/ode-likelihood.ts";
import { isLearned } from "../diffusion/objectives/bound-terms.ts";
import { constant, input, mul, slice, sum } from "../graph/builders.ts";
import { grad } from "../graph/grad.ts";
import type { Node } from "../graph/node.ts";
import { at } from "../math/error.ts";
import { compile, type CompileOptions, type Executable } from "../runtime/executable.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { denoiserPredict } from "./denoiser-spec.ts";
import type { DiffusionModel } from "./model.ts";

/** Rows of one call; activations and their gradients of this many fit a core's cache. */
const CHUNK_ROWS = 512;

/**
 * A network with its weights baked in that gives Jᵀv of its prediction beside it, for `odeLikelihood`: forward and backward pass
 * in one graph. `dispose` frees its memory.
 */
export class VjpSession {
  readonly model: DiffusionModel;
  readonly #options: CompileOptions;
  readonly #sessions = new Map<number, Promise<Executable>>();

  constructor(model: DiffusionModel, options: CompileOptions = {}) {
    this.model = model;
    this.#options = options;
  }

  /** The prediction for a batch [B, D] that shares one step, and v multiplied by its Jacobian. */
  readonly predict: DenoiserWithVjp = async (xt, step, v) => {
    const [rows, width] = [at(xt.shape, 0), at(xt.shape, 1)];
    const chunk = Math.ceil(rows / Math.ceil(rows / CHUNK_ROWS));
    const executable = await this.#session(chunk);
    const [output, vjp] = [new Float32Array(xt.data.length), new Float32Array(xt.data.length)];
    const steps = Int32Array.of(step);
    for (let row = 0; row < rows; row += chunk) {
      // The last chunk starts early rather than being short: its overlap is computed twice, to the same values.
      const start = Math.min(row, rows - chunk) * width;
      const part = (array: Float32Array): Float32Array => array.subarray(start, start + chunk * width);
      await executable.run({ xt: part(xt.data), v: part(v.data), steps }, { output: part(output), vjp: part(vjp) });
    }
    const tensor = (data: Float32Array): FloatTensor => ({ dtype: "float32", shape: xt.shape, data });
    return { parameterisation: this.model.prediction, output: tensor(output), vjp: tensor(vjp) };
  };

  async dispose(): Promise<void> {
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    await Promise.all(sessions.map(async (session) => (await session).dispose()));
  }

  #session(rows: number): Promise<Executable> {
    const known = this.#sessions.get(rows);
    if (known) return known;
    const compiled = compile(vjpGraph(this.model, rows), this.#options);
    this.#sessions.set(rows, compiled);
    compiled.catch(() => this.#sessions.delete(rows));
    return compiled;
  }
}

/** The prediction for x_t [rows, D], and ∂(Σ output·v)/∂x_t. */
function vjpGraph({ denoiser, weights, variance }: DiffusionModel, rows: number): { output: Node; vjp: Node } {
  const constants = [...weights].map(([name, { data, shape }]) => [name, constant(data, shape)] as const);
  const shape = [rows, denoiser.dimensions];
  const [xt, v] = [input("xt", shape), input("v", shape)];
  const whole = denoiserPredict(denoiser)(Object.fromEntries(constants))(xt, input("steps", [1], "int32"));
  const output = isLearned(variance) ? slice(whole, [0, 0], shape) : whole;
  return { output, vjp: at(grad(sum(mul(output, v)), [xt]), 0) };
}
