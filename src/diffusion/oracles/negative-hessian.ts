import type { NoisedMixture } from "./noised-mixture.ts";
import { squaredDistance } from "./posterior-trace.ts";

/** −∇² log p(x_t) of the row that `noised` read last. */
export class NegativeHessian {
  readonly #noised: NoisedMixture;
  readonly #mean: Float64Array;
  readonly #component: Float64Array;

  constructor(noised: NoisedMixture) {
    this.#noised = noised;
    this.#mean = new Float64Array(noised.mixture.width);
    this.#component = new Float64Array(noised.mixture.width);
  }

  apply(v: Float64Array, out: Float64Array): void {
    const [noised, mean, component] = [this.#noised, this.#mean, this.#component];
    noised.meanResidual(mean);
    out.fill(0);
    for (let a = 0; a < noised.activeCount; a++) {
      const k = noised.active[a] as number;
      const r = noised.responsibilities[a] as number;
      noised.residual(k, component);
      let along = 0;
      for (let d = 0; d < v.length; d++) along += ((component[d] as number) - (mean[d] as number)) * (v[d] as number);
      for (let d = 0; d < v.length; d++) {
        out[d] = (out[d] as number) - r * along * ((component[d] as number) - (mean[d] as number));
      }
      noised.applyPrecision(k, v, component);
      for (let d = 0; d < v.length; d++) out[d] = (out[d] as number) + r * (component[d] as number);
    }
  }

  trace(): number {
    const [noised, mean, component] = [this.#noised, this.#mean, this.#component];
    noised.meanResidual(mean);
    let trace = 0;
    for (let a = 0; a < noised.activeCount; a++) {
      const k = noised.active[a] as number;
      noised.residual(k, component);
      const spread = squaredDistance(component, mean);
      trace += (noised.responsibilities[a] as number) * (noised.precisionTrace(k) - spread);
    }
    return trace;
  }
}
