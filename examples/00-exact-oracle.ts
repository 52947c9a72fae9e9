/**
 * No training: samplers on the exact denoiser of three Gaussians. Compares them at 20 steps, takes data to their latents and back by
 * DDIM, walks between two latents, and finds the exact likelihood by the probability-flow ODE.
 * Run: npx tsx examples/00-exact-oracle.ts
 */
import {
  Random,
  ddim,
  ddimInversion,
  ddpm,
  dpmpp2m,
  finalSample,
  gaussianMixture,
  heun,
  interpolateLatents,
  linearSchedule,
  mixtureDenoiser,
  mixtureEpsVjp,
  mixtureLogDensity,
  odeLikelihood,
  sampleMixture,
  seededNoise,
  uniPc,
  wasserstein2,
  type FloatTensor,
} from "unnoise";

const schedule = linearSchedule();
const mixture = gaussianMixture({
  means: [-1, 0, 1].map((x) => [1.5 * x, x ** 2]),
  covariances: [0.02],
});
const denoiser = mixtureDenoiser(mixture, schedule);
const count = 1000;
const [reference, other] = [1, 2].map((seed) => sampleMixture(mixture, count, new Random(seed, "data"))) as [
  FloatTensor,
  FloatTensor,
];
console.log(`W2 between two draws of the data: ${wasserstein2(reference, other).toFixed(4)}`);

const samplers = { ddpm: ddpm(), ddim: ddim(), heun: heun(), "DPM-Solver++ 2M": dpmpp2m(), UniPC: uniPc() };
const options = { denoiser, schedule, shape: [count, 2], noise: seededNoise(1), steps: 20 };
for (const [name, sampler] of Object.entries(samplers)) {
  const samples = await finalSample(sampler(options));
  console.log(`W2 of ${name}, 20 steps: ${wasserstein2(samples, reference).toFixed(4)}`);
}

const few: FloatTensor = { ...reference, shape: [2, 2], data: reference.data.slice(0, 4) };
const small = { ...options, shape: few.shape, steps: 100 };
const latents = await finalSample(ddimInversion({ refinements: 20 })({ ...small, start: few }));
const back = await finalSample(ddim()({ ...small, start: latents }));
const gap = Math.max(...back.data.map((value, i) => Math.abs(value - (few.data[i] ?? NaN))));
console.log(`data to latents and back: largest difference ${gap.toExponential(1)}`);

const latent = (row: number): FloatTensor => ({
  ...latents,
  shape: [1, 2],
  data: latents.data.slice(2 * row, 2 * row + 2),
});
const between = interpolateLatents(latent(0), latent(1), [0, 0.25, 0.5, 0.75, 1]);
const path = await finalSample(ddim()({ ...small, shape: between.shape, start: between }));
const points = Array.from({ length: 5 }, (_, i) => [...path.data.slice(2 * i, 2 * i + 2)].map((x) => x.toFixed(2)));
console.log(`from one to the other: ${points.map((point) => `(${point.join(", ")})`).join(" ")}`);

const found = await odeLikelihood({
  denoiser: (xt, step, probe) => ({
    parameterisation: "eps",
    output: denoiser(xt, step),
    vjp: mixtureEpsVjp(mixture, schedule, xt, step, probe),
  }),
  schedule,
  x0: reference,
  trace: "exact",
});
const density = mixtureLogDensity(mixture, schedule, reference, 0);
const exact = -density.reduce((sum, value) => sum + value, 0) / count;
console.log(
  `−log p by the ODE: ${found.total.mean.toFixed(4)} nats; of data noised at the first step: ${exact.toFixed(4)}`,
);
