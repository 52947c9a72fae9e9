import { UnnoiseError, at } from "../../math/error.ts";
import { shapeText, type FloatTensor } from "../../tensor/tensor.ts";
import { weightedSum } from "../combine.ts";
import { forwardStep } from "../forward.ts";
import { sampleWidth, type Estimate, type Sampler } from "../sampler.ts";
import { samplerFrom, type Move, type Position } from "../sampling-loop.ts";
import { alphaCumprodAt, noiseVarianceAt } from "../schedule.ts";
import type { Walk } from "../walk.ts";
import { ddpmCoefficients, learnedDeviations, type ReverseVariance } from "./ddpm.ts";

/** How often and how far RePaint goes back up. */
export interface ResamplingOptions {
  /** r: how often each stretch is walked, an integer ≥ 1; 10 if absent. 1 goes straight down. */
  readonly resamples?: number;
  /** j: steps that are gone back at a time, an integer ≥ 1; 10 if absent. */
  readonly jump?: number;
}

/** What `repaint` takes. */
export interface RepaintOptions extends ResamplingOptions {
  /** x_0 where it is known, `[…D]` for all samples or `[count, …D]` for each; what it holds elsewhere does not matter. */
  readonly known: FloatTensor;
  /** m, as large as `known`: 1 where it holds, 0 where values are to be drawn. */
  readonly mask: FloatTensor;
  /** Variance of the reverse step; large if absent. */
  readonly variance?: ReverseVariance;
}

/**
 * The states of a run in the order in which RePaint visits them: every j steps, counted from the end and once j were made, it goes
 * back up by j steps r − 1 times (Lugmayr et al. 2022, section 4.2 and appendix B, arXiv 2201.09865). From the data it does not
 * go back up.
 * @param stops the states of a plain run, descending, N + 1 of them
 * @throws UnnoiseError `usage` for r or j that is not an integer ≥ 1
 */
export function repaintRoute(
  stops: readonly number[],
  { resamples = 10, jump = 10 }: ResamplingOptions = {},
): readonly number[] {
  checkWhole("resamples", resamples);
  checkWhole("jump", jump);
  const last = stops.length - 2;
  return stops.flatMap((stop, i) => {
    const turns = i >= jump && i <= last && (last - i) % jump === 0 ? resamples - 1 : 0;
    const again = Array.from({ length: turns }, () => stops.slice(i - jump, i + 1)).flat();
    return [stop, ...again];
  });
}

/**
 * RePaint: draws what is unknown of a sample, given the rest (Lugmayr et al. 2022, Algorithm 1, arXiv 2201.09865). Each step down is
 * that of `ddpm`; then the known values are put in at the level reached, x_s = m ⊙ (√ᾱ_s x_0 + √(1 − ᾱ_s) ε) + (1 − m) ⊙ x_s
 * (eq. 8, with the ᾱ of the level reached), so that at the end they are x_0 itself. Going back up, x_t ~ q(x_t|x_s), and down again
 * brings the drawn values into harmony with the known ones; the more often, the nearer they come to p(unknown|known).
 *
 * One draw of q(x_t|x_s) stands for the paper's j single steps up, which have the same distribution. `count` of a run's steps
 * includes the steps up.
 * @returns a sampler; each run takes `SamplerOptions`. It throws `usage` when known values do not fit the samples
 * @throws UnnoiseError `usage` for r or j that is not an integer ≥ 1, a mask of another size than `known`, or values in it other than
 * 0 and 1
 */
export function repaint(options: RepaintOptions): Sampler {
  const { known, mask, variance = "large", ...resampling } = options;
  repaintRoute([], resampling);
  checkMask(known, mask);
  return samplerFrom({
    name: "repaint",
    route: (stops) => repaintRoute(stops, resampling),
    begin: (walk) => {
      checkFits(known, walk);
      const run = new RepaintRun(walk, { known, mask, variance });
      return (xt, position) => run.advance(xt, position);
    },
  });
}

type Task = Required<Pick<RepaintOptions, "known" | "mask" | "variance">>;

/** One run: how often each state was left, so that no two transitions share a draw, and what the denoiser said last. */
class RepaintRun {
  readonly #walk: Walk;
  readonly #task: Task;
  readonly #departures = new Map<number, number>();
  #said: Estimate | undefined;

  constructor(walk: Walk, task: Task) {
    this.#walk = walk;
    this.#task = task;
  }

  async advance(xt: FloatTensor, position: Position): Promise<Move> {
    const { step, previousStep } = position;
    if (this.#said === undefined || previousStep < step) this.#said = await this.#walk.estimate(xt, step);
    const { x0, eps } = this.#said;
    const z = previousStep === -1 ? undefined : this.#draw(step);
    if (z !== undefined && previousStep > step) {
      return { x0, eps, xPrevious: forwardStep(xt, z, this.#walk.schedule, previousStep, step) };
    }
    const drawn = this.#down(xt, this.#said, position, z);
    return { x0, eps, xPrevious: this.#withKnown(drawn, previousStep, z) };
  }

  #draw(step: number): FloatTensor {
    const draw = this.#departures.get(step) ?? 0;
    this.#departures.set(step, draw + 1);
    return this.#walk.normals(step, draw);
  }

  /** The step of `ddpm`. */
  #down(xt: FloatTensor, said: Estimate, { step, previousStep }: Position, z: FloatTensor | undefined): FloatTensor {
    const { schedule } = this.#walk;
    const { variance } = this.#task;
    const fixed = variance === "learned" ? "small" : variance;
    const weights = ddpmCoefficients(schedule, step, previousStep, fixed);
    const mean = [[weights.xt, xt] as const, ...said.terms(weights.x0, weights.eps)];
    if (z === undefined) return weightedSum(mean);
    const deviation = variance === "learned" ? learnedDeviations(said, schedule, step, previousStep) : weights.noise;
    return weightedSum([...mean, [deviation, z]]);
  }

  /** Puts x_s ~ q(x_s|x_0) where x_0 is known: ε there can be the z of the step, which only the other values used. */
  #withKnown(xs: FloatTensor, step: number, z: FloatTensor | undefined): FloatTensor {
    const { known, mask } = this.#task;
    const { schedule } = this.#walk;
    const signal = Math.sqrt(alphaCumprodAt(schedule, step));
    const noise = Math.sqrt(noiseVarianceAt(schedule, step));
    const size = known.data.length;
    xs.data.forEach((_, i) => {
      const source = i % size;
      if (mask.data[source] !== 1) return;
      xs.data[i] = signal * at(known.data, source) + (z === undefined ? 0 : noise * at(z.data, i));
    });
    return xs;
  }
}

function checkWhole(name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return;
  throw new UnnoiseError("usage", `${name}: expected an integer ≥ 1, got ${value}`);
}

function checkMask(known: FloatTensor, mask: FloatTensor): void {
  if (mask.data.length !== known.data.length) {
    const got = `${shapeText(mask.shape)} for ${shapeText(known.shape)}`;
    throw new UnnoiseError("usage", `mask: expected a value for each known one, got ${got}`);
  }
  const wrong = mask.data.findIndex((value) => value !== 0 && value !== 1);
  if (wrong >= 0) {
    throw new UnnoiseError("usage", `mask: expected 1 (known) or 0 (to be drawn), got ${at(mask.data, wrong)}`);
  }
}

function checkFits({ data, shape }: FloatTensor, walk: Walk): void {
  const width = sampleWidth(walk.shape);
  if (data.length === width || data.length === width * at(walk.shape, 0)) return;
  const expected = `a sample ${shapeText(walk.shape.slice(1))} or one for each ${shapeText(walk.shape)}`;
  throw new UnnoiseError("usage", `known: expected ${expected}, got ${shapeText(shape)}`);
}
