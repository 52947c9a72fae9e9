import { UnnoiseError, at } from "../math/error.ts";
import { sameShape, sizeOf, type FloatTensor } from "../tensor/tensor.ts";
import { sampleWidth, type Sampler, type SamplerOptions, type SamplerStep } from "./sampler.ts";
import { explicitSteps, trailingSteps } from "./steps.ts";
import { Walk, sumOf } from "./walk.ts";

/** One transition, before it is made. */
export type Position = Pick<SamplerStep, "index" | "count" | "step" | "previousStep">;

/** One transition, made: x_s, what was known of x_t, and x_t where a corrector moved it. */
export type Move = Pick<SamplerStep, "x0" | "eps" | "xPrevious"> & { readonly xt?: FloatTensor };

/** Moves x_t to x_s. */
export type Advance = (xt: FloatTensor, position: Position) => Promise<Move>;

/** A sampler with evaluations of its own. */
export interface SamplingProcedure {
  readonly name: string;
  /** Starts a run; what the method remembers between steps lives in the function that it returns. */
  readonly begin: (walk: Walk) => Advance;
  /** Goes up from the data, `start`, to the first of the steps. */
  readonly upwards?: boolean;
  /** The states in the order in which they are visited, for methods that go back up; as they are given if absent. */
  readonly route?: (stops: readonly number[]) => readonly number[];
}

/**
 * Turns a procedure into a sampler: the one loop that all of them share.
 * @returns a sampler; each run takes `SamplerOptions`
 */
export function samplerFrom(procedure: SamplingProcedure): Sampler {
  return (options) => {
    checkOptions(options, procedure);
    const steps = stops(options, procedure.upwards === true);
    const route = procedure.route?.(steps) ?? steps;
    return samplingLoop(procedure, new Walk(procedure.name, options), options, route);
  };
}

async function* samplingLoop(
  { name, begin }: SamplingProcedure,
  walk: Walk,
  options: SamplerOptions,
  stops: readonly number[],
): AsyncGenerator<SamplerStep, FloatTensor> {
  const advance = begin(walk);
  let xt = options.start ?? drawStart(options);
  const count = stops.length - 1;
  for (let index = 0; index < count; index++) {
    const position = { index, count, step: at(stops, index), previousStep: at(stops, index + 1) };
    walk.enter(position);
    const move = await advance(xt, position);
    requireFinite(move.xPrevious, `${name}: step ${position.step} (${index + 1} of ${count})`);
    yield { ...position, xt, ...move };
    xt = move.xPrevious;
  }
  return xt;
}

function drawStart(options: SamplerOptions): FloatTensor {
  const data = new Float32Array(sizeOf(options.shape));
  options.noise.start.normals(data, sampleWidth(options.shape), options.firstIndex ?? 0, 0);
  return { dtype: "float32", shape: options.shape, data };
}

/** The states that a run visits, the first and the last included. */
function stops({ schedule, steps = schedule.timesteps, until = -1 }: SamplerOptions, upwards: boolean): number[] {
  const { timesteps } = schedule;
  const descending = typeof steps === "number" ? trailingSteps(timesteps, steps) : explicitSteps(timesteps, steps);
  const last = descending.at(-1) ?? 0;
  if (!Number.isInteger(until) || until < -1 || until >= last) {
    throw new UnnoiseError("usage", `until: expected an integer in −1…${last - 1}, before all steps, got ${until}`);
  }
  const all = [...descending, until];
  return upwards ? all.reverse() : all;
}

function checkOptions({ shape, start, firstIndex = 0 }: SamplerOptions, { name, upwards }: SamplingProcedure): void {
  if (shape.length === 0 || !shape.every((extent) => Number.isInteger(extent) && extent >= 1)) {
    throw new UnnoiseError("usage", `shape: expected [count, …] of integers ≥ 1, got [${shape.join(", ")}]`);
  }
  if (start === undefined && upwards === true) {
    throw new UnnoiseError("usage", `${name}: expected start, the data [${shape.join(", ")}], got nothing`);
  }
  if (start !== undefined && !sameShape(start.shape, shape)) {
    throw new UnnoiseError("usage", `start: expected shape [${shape.join(", ")}], got [${start.shape.join(", ")}]`);
  }
  if (!Number.isInteger(firstIndex) || firstIndex < 0) {
    throw new UnnoiseError("usage", `firstIndex: expected an integer ≥ 0, got ${firstIndex}`);
  }
}

function requireFinite({ data }: FloatTensor, where: string): void {
  if (Number.isFinite(sumOf(data))) return;
  throw new UnnoiseError("not-finite", `${where}: the sample has overflowed; check the model's training, or clip x̂_0`);
}
