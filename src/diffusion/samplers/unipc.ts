import { UnnoiseError, at } from "../../math/error.ts";
import { samplerOf } from "../linear-method.ts";
import { halfLogSnr } from "../noise-level.ts";
import type { Sampler, SamplingMethod } from "../sampler.ts";
import { alphaCumprodAt, noiseVarianceAt, type NoiseSchedule } from "../schedule.ts";

/** B(h), which matters where a single difference is used: h for `bh1`, 1 − e^{−h} for `bh2` (Zhao et al. 2023, section 3). */
export type UniPcVariant = "bh1" | "bh2";

/** What `uniPc` takes. */
export interface UniPcOptions {
  /** p of UniPC-p; 2 if absent. The order of accuracy is p + 1. */
  readonly order?: 1 | 2 | 3;
  /** `bh2` if absent. */
  readonly variant?: UniPcVariant;
  /** Lowers p to 2 and 1 in the last two steps, as the authors do for few steps; yes if absent. */
  readonly lowerOrderFinal?: boolean;
}

/** Weights of the state at r, of x̂_0 there, and of x̂_0 at other steps, in the state at another step. */
interface Update {
  readonly state: number;
  readonly here: number;
  readonly others: readonly number[];
}

/**
 * From r to t: x_t = (σ_t/σ_r) x_r + α_t ((1 − e^{−h}) x̂_0⁽ʳ⁾ + Σ_k c_k (x̂_0⁽ᵏ⁾ − x̂_0⁽ʳ⁾)), h = λ_t − λ_r (Zhao et al. 2023, UniPC
 * for data prediction). Where h is infinite, from pure noise or to the data, the differences are left out: first order.
 * @param others the steps k: earlier than r for UniP, t itself as well for UniC
 */
function update(
  schedule: NoiseSchedule,
  r: number,
  t: number,
  others: readonly number[],
  variant: UniPcVariant,
): Update {
  const lambda = halfLogSnr(schedule, r);
  const h = halfLogSnr(schedule, t) - lambda;
  const used = others.filter((step) => Number.isFinite(h) && Number.isFinite(halfLogSnr(schedule, step)));
  const nodes = used.map((step) => (halfLogSnr(schedule, step) - lambda) / h);
  const weights = differenceWeights(nodes, h, variant);
  const signal = Math.sqrt(alphaCumprodAt(schedule, t));
  return {
    state: Math.sqrt(noiseVarianceAt(schedule, t) / noiseVarianceAt(schedule, r)),
    here: signal * weights.reduce((rest, weight) => rest - weight, -Math.expm1(-h)),
    others: others.map((step) => signal * (weights[used.indexOf(step)] ?? 0)),
  };
}

/**
 * c_k for differences at λ_r + h·u_k: one is ½ B(h)/u_1, more integrate polynomials of their number's degree exactly, Σ_k c_k u_kⁿ
 * = ∫₀¹ h e^{−h(1−u)} uⁿ du, solved in Lagrange's form; B(h) then cancels from the paper's R_p(h) a_p B(h) = φ_p(h).
 */
function differenceWeights(nodes: readonly number[], h: number, variant: UniPcVariant): number[] {
  if (nodes.length === 1) return [(variant === "bh1" ? h : -Math.expm1(-h)) / (2 * at(nodes, 0))];
  return nodes.map((node, k) => {
    const rest = nodes.filter((_, j) => j !== k);
    const scale = rest.reduce((product, other) => product * (node - other), node);
    const integral = polynomialOf(rest).reduce((sum, weight, n) => sum + weight * moment(n + 1, h), 0);
    return integral / scale;
  });
}

/** Coefficients of Π_j (u − root_j), the constant one first. */
function polynomialOf(roots: readonly number[]): number[] {
  return roots.reduce((poly, root) => [...poly, 0].map((_, n) => (poly[n - 1] ?? 0) - root * (poly[n] ?? 0)), [1]);
}

/**
 * ∫₀¹ h e^{−h(1−u)} uⁿ du = 1 − (n/h) · the one for n − 1; its series h Σ_k (−h)ᵏ n!/(n+k+1)! where that recursion cancels.
 */
function moment(n: number, h: number): number {
  if (h > 1) return n === 0 ? -Math.expm1(-h) : 1 - (n / h) * moment(n - 1, h);
  let [sum, term] = [0, h / (n + 1)];
  for (let k = 1; k < 20; k++) {
    sum += term;
    term *= -h / (n + k + 1);
  }
  return sum;
}

/** UniPC-p as data; see `uniPc`. */
export function uniPcMethod({ order = 2, variant = "bh2", lowerOrderFinal = true }: UniPcOptions = {}): SamplingMethod {
  if (![1, 2, 3].includes(order)) throw new UnnoiseError("usage", `order: expected 1, 2 or 3, got ${String(order)}`);
  return {
    name: "unipc",
    memory: order,
    coefficients: (schedule, step, previousStep, earlier, remaining) => {
      const allowed = lowerOrderFinal ? Math.min(order, remaining + 1) : order;
      const weights = update(schedule, step, previousStep, earlier.slice(0, allowed - 1), variant);
      return { xt: weights.state, x0: weights.here, eps: 0, earlier: weights.others, noise: 0 };
    },
    corrector: (schedule, step, earlier, remaining) => {
      const allowed = lowerOrderFinal ? Math.min(order, remaining + 2) : order;
      const [last, ...before] = earlier.slice(0, allowed);
      const weights = update(schedule, last ?? step, step, [step, ...before], variant);
      const [x0 = 0, ...others] = weights.others;
      return { last: weights.state, x0, earlier: [weights.here, ...others] };
    },
  };
}

/**
 * UniPC-p, the multistep predictor UniP-p and the corrector UniC-p for the ODE of x̂_0, one evaluation a step (Zhao et al. 2023,
 * arXiv 2302.04867): the x̂_0 at a predicted state also corrects that state, and the run goes on from there. The order grows by one
 * a step from 1 to p, and a step to the data is of first order. Each step's x̂_0 and ε belong to the predicted state, `xt` is
 * the corrected one.
 * @returns a sampler; each run takes `SamplerOptions`
 * @throws UnnoiseError `usage` for another order
 */
export function uniPc(options: UniPcOptions = {}): Sampler {
  return samplerOf(uniPcMethod(options));
}
