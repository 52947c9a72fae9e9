import { UnnoiseError } from "../../math/error.ts";
import { alphaCumprodAt, noiseVarianceAt, type NoiseSchedule } from "../schedule.ts";
import type { GaussianMixture } from "./mixture.ts";
import { squaredLength } from "./squared-length.ts";

/** Components this far below the best one, in nats, are left out: half a million of them would not change a float64 sum. */
const NEGLIGIBLE = -50;
const LOG_TWO_PI = Math.log(2 * Math.PI);

/**
 * A mixture at one noise level: x_t ~ Σ_k w_k N(√ᾱ m_k, C_k) with C_k = ᾱ Σ_k + (1 − ᾱ) I. `read` one row, then ask about it.
 * All of it is float64, and no method allocates.
 */
export class NoisedMixture {
  readonly mixture: GaussianMixture;
  /** √ᾱ. */
  readonly signalScale: number;
  /** 1 − ᾱ. */
  readonly noiseVariance: number;
  /** Eigenvalues of C_k⁻¹, laid out as the mixture's variances. */
  readonly precisions: Float64Array;
  /** Whether all components have one C, diagonal in the coordinates. */
  readonly shared: boolean;
  /** Log density of the row that was read, in nats. */
  logDensity = 0;
  /** How many components count for the row that was read. */
  activeCount = 0;
  /** Which ones: the first `activeCount` entries. */
  readonly active: Int32Array;
  /** Their posterior probabilities. */
  readonly responsibilities: Float64Array;
  /** Eigenvalues of √ᾱ Σ_k C_k⁻¹, which takes x_t − √ᾱ m_k to E[x_0|x_t, k] − m_k. */
  readonly #gains: Float64Array;
  /** Step from one component to the next in `precisions`; 0 where all share theirs. */
  readonly #stride: number;
  readonly #constants: Float64Array;
  readonly #logits: Float64Array;
  readonly #row: Float64Array;
  readonly #offset: Float64Array;
  readonly #rotated: Float64Array;

  constructor(mixture: GaussianMixture, alphaCumprod: number, noiseVariance: number) {
    const { width, weights, variances } = mixture;
    this.mixture = mixture;
    this.signalScale = Math.sqrt(alphaCumprod);
    this.noiseVariance = noiseVariance;
    this.precisions = variances.map((variance) => 1 / (alphaCumprod * variance + noiseVariance));
    this.#gains = variances.map((variance, i) => this.signalScale * variance * (this.precisions[i] as number));
    this.#stride = variances.length === width ? 0 : width;
    this.shared = this.#stride === 0 && mixture.axes === undefined;
    this.#constants = constantsOf(weights, this.precisions, width, this.#stride);
    this.active = new Int32Array(weights.length);
    this.responsibilities = new Float64Array(weights.length);
    this.#logits = new Float64Array(weights.length);
    this.#row = new Float64Array(width);
    this.#offset = new Float64Array(width);
    this.#rotated = new Float64Array(width);
  }

  /** Whether every component has a density: without noise, those of zero variance have none. */
  get dense(): boolean {
    return this.precisions.every(Number.isFinite);
  }

  /** Takes row number `index` of `data` `[B, D]` and works out its log density and responsibilities. */
  read(data: Float32Array | Float64Array, index: number): void {
    const { width } = this.mixture;
    for (let d = 0; d < width; d++) this.#row[d] = data[index * width + d] as number;
    if (this.mixture.axes === undefined) this.#diagonalLogits();
    else this.#fullLogits();
    this.#weigh();
  }

  /** Σ_k r_k C_k⁻¹ (x_t − √ᾱ m_k) = −∇ log p(x_t). */
  meanResidual(out: Float64Array): void {
    this.#average(this.precisions, 0, out);
  }

  /** E[x_0|x_t] = Σ_k r_k (m_k + √ᾱ Σ_k C_k⁻¹ (x_t − √ᾱ m_k)). */
  posteriorMean(out: Float64Array): void {
    this.#average(this.#gains, 1, out);
  }

  /** Σ_k r_k m_k. */
  meanOfMeans(out: Float64Array): void {
    const { width, means } = this.mixture;
    const { active, responsibilities, activeCount } = this;
    out.fill(0);
    for (let a = 0; a < activeCount; a++) {
      const r = responsibilities[a] as number;
      const first = (active[a] as number) * width;
      for (let d = 0; d < width; d++) out[d] = (out[d] as number) + r * (means[first + d] as number);
    }
  }

  /** C_k⁻¹ (x_t − √ᾱ m_k). */
  residual(k: number, out: Float64Array): void {
    this.#setOffset(this.mixture.means, k);
    this.#apply(this.precisions, k, this.#offset, out);
  }

  /** E[x_0|x_t, k]. */
  componentMean(k: number, out: Float64Array): void {
    this.#setOffset(this.mixture.means, k);
    this.#apply(this.#gains, k, this.#offset, out);
    this.#addScaled(out, 1, k);
  }

  /** C_k⁻¹ v. */
  applyPrecision(k: number, v: Float64Array, out: Float64Array): void {
    this.#apply(this.precisions, k, v, out);
  }

  /** tr C_k⁻¹. */
  precisionTrace(k: number): number {
    let trace = 0;
    for (let d = 0; d < this.mixture.width; d++) trace += this.precisions[k * this.#stride + d] as number;
    return trace;
  }

  /** tr Cov(x_0|x_t, k) = (1 − ᾱ) tr Σ_k C_k⁻¹. */
  componentTrace(k: number): number {
    const { variances, width } = this.mixture;
    let trace = 0;
    for (let i = k * this.#stride; i < k * this.#stride + width; i++) {
      trace += (variances[i] as number) * (this.precisions[i] as number);
    }
    return this.noiseVariance * trace;
  }

  /** x = √ᾱ m_k + C_k^½ z for standard normal z. */
  place(k: number, z: Float64Array, out: Float64Array): void {
    const { width } = this.mixture;
    for (let j = 0; j < width; j++) {
      this.#rotated[j] = (z[j] as number) / Math.sqrt(this.precisions[k * this.#stride + j] as number);
    }
    this.#fromAxes(k, out);
    this.#addScaled(out, this.signalScale, k);
  }

  #diagonalLogits(): void {
    const { width, means } = this.mixture;
    const x = this.#row;
    const precisions = this.precisions;
    const stride = this.#stride;
    const scale = this.signalScale;
    const constants = this.#constants;
    const logits = this.#logits;
    for (let k = 0; k < logits.length; k++) {
      const squares = squaredLength(x, means, k * width, scale, precisions, k * stride);
      logits[k] = (constants[k] as number) - 0.5 * squares;
    }
  }

  #fullLogits(): void {
    const { width, means } = this.mixture;
    for (let k = 0; k < this.#logits.length; k++) {
      this.#setOffset(means, k);
      this.#toAxes(k, this.#offset);
      let squares = 0;
      for (let j = 0; j < width; j++) {
        squares += (this.precisions[k * this.#stride + j] as number) * (this.#rotated[j] as number) ** 2;
      }
      this.#logits[k] = (this.#constants[k] as number) - 0.5 * squares;
    }
  }

  #weigh(): void {
    const logits = this.#logits;
    const responsibilities = this.responsibilities;
    const active = this.active;
    let best = -Infinity;
    for (let k = 0; k < logits.length; k++) if ((logits[k] as number) > best) best = logits[k] as number;
    let count = 0;
    let total = 0;
    for (let k = 0; k < logits.length; k++) {
      const below = (logits[k] as number) - best;
      if (below < NEGLIGIBLE) continue;
      const weight = Math.exp(below);
      active[count] = k;
      responsibilities[count++] = weight;
      total += weight;
    }
    for (let a = 0; a < count; a++) responsibilities[a] = (responsibilities[a] as number) / total;
    this.activeCount = count;
    this.logDensity = best + Math.log(total);
  }

  /** Σ_k r_k (withMeans·m_k + F_k (x_t − √ᾱ m_k)), F_k of eigenvalues `factors`; with one F for all, F of the mean of means. */
  #average(factors: Float64Array, withMeans: 0 | 1, out: Float64Array): void {
    if (this.shared) {
      this.meanOfMeans(out);
      this.#setOffset(out, 0);
      for (let d = 0; d < out.length; d++) {
        out[d] = withMeans * (out[d] as number) + (factors[d] as number) * (this.#offset[d] as number);
      }
      return;
    }
    out.fill(0);
    const { width, means } = this.mixture;
    for (let a = 0; a < this.activeCount; a++) {
      const k = this.active[a] as number;
      const r = this.responsibilities[a] as number;
      this.#setOffset(means, k);
      this.#apply(factors, k, this.#offset, this.#offset);
      for (let d = 0; d < width; d++) {
        out[d] = (out[d] as number) + r * (withMeans * (means[k * width + d] as number) + (this.#offset[d] as number));
      }
    }
  }

  #setOffset(means: Float64Array, k: number): void {
    const { width } = this.mixture;
    for (let d = 0; d < width; d++) {
      this.#offset[d] = (this.#row[d] as number) - this.signalScale * (means[k * width + d] as number);
    }
  }

  #addScaled(out: Float64Array, scale: number, k: number): void {
    const { width, means } = this.mixture;
    for (let d = 0; d < width; d++) out[d] = (out[d] as number) + scale * (means[k * width + d] as number);
  }

  /** out = A_kᵀ diag(factors_k) A_k v; `out` may be `v`. */
  #apply(factors: Float64Array, k: number, v: Float64Array, out: Float64Array): void {
    const first = k * this.#stride;
    this.#toAxes(k, v);
    for (let j = 0; j < v.length; j++) this.#rotated[j] = (this.#rotated[j] as number) * (factors[first + j] as number);
    this.#fromAxes(k, out);
  }

  #toAxes(k: number, v: Float64Array): void {
    const { axes, width } = this.mixture;
    if (axes === undefined) {
      this.#rotated.set(v);
      return;
    }
    for (let j = 0; j < width; j++) {
      let sum = 0;
      for (let d = 0; d < width; d++) sum += (axes[(k * width + j) * width + d] as number) * (v[d] as number);
      this.#rotated[j] = sum;
    }
  }

  #fromAxes(k: number, out: Float64Array): void {
    const { axes, width } = this.mixture;
    if (axes === undefined) {
      out.set(this.#rotated);
      return;
    }
    for (let d = 0; d < width; d++) {
      let sum = 0;
      for (let j = 0; j < width; j++)
        sum += (axes[(k * width + j) * width + d] as number) * (this.#rotated[j] as number);
      out[d] = sum;
    }
  }
}

/** log w_k − ½ log det 2πC_k. */
function constantsOf(weights: Float64Array, precisions: Float64Array, width: number, stride: number): Float64Array {
  const logDeterminant = (first: number): number => {
    let sum = 0;
    for (let d = 0; d < width; d++) sum += LOG_TWO_PI - Math.log(precisions[first + d] as number);
    return sum;
  };
  const shared = logDeterminant(0);
  return weights.map((weight, k) => Math.log(weight) - 0.5 * (stride === 0 ? shared : logDeterminant(k * stride)));
}

/**
 * The mixture at a step, for densities and scores.
 * @throws UnnoiseError `usage` for a step outside −1…T−1, or −1 where a component has no density
 */
export function noisedMixture(mixture: GaussianMixture, schedule: NoiseSchedule, step: number): NoisedMixture {
  const noised = new NoisedMixture(mixture, alphaCumprodAt(schedule, step), noiseVarianceAt(schedule, step));
  if (noised.dense) return noised;
  throw new UnnoiseError("usage", `mixture: components of zero variance have no density without noise (step ${step})`);
}
