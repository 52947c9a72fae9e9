// jax-js on its wasm backend as a contender (bench/protocol.ts).
//   jax-js-peer.js                        answers requests until stdin ends
//   jax-js-peer.js --cold PROBLEM CSV     loads the weights, samples 100 points by DDIM, writes them, and ends
// Arrays are counted by reference: a function takes over its arguments, and `.ref` keeps one for later.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { defaultDevice, init, jit, nn, numpy as np, random, tree, valueAndGrad } from "@jax-js/jax";
import { readArrays, serve } from "../dist/serve.js";

async function start() {
  await init("wasm");
  defaultDevice("wasm");
}

function versions() {
  const entry = createRequire(import.meta.url).resolve("@jax-js/jax");
  const { version } = JSON.parse(readFileSync(join(dirname(entry), "..", "package.json"), "utf8"));
  return { "jax-js": version, node: process.versions.node };
}

const array = (data, shape) => np.array(data).reshape(shape);

function makeWeights({ parameters }, { weights }) {
  let offset = 0;
  return Object.fromEntries(
    parameters.map(({ name, shape }) => {
      const size = shape.reduce((product, extent) => product * extent, 1);
      return [name, array(weights.slice(offset, (offset += size)), shape)];
    }),
  );
}

function mlp(w, { depth }, x, embedding) {
  const linear = (name, input) => np.matmul(input, w[`${name}.weight`]).add(w[`${name}.bias`]);
  let h = linear("input", np.concatenate([x, embedding], 1));
  for (let i = 0; i < depth; i++) h = h.ref.add(nn.silu(linear(`block${i}`, h)));
  return linear("output", h);
}

/** One jitted function: noising, loss, gradients, clipping, AdamW, EMA. */
function makeStep(problem) {
  const { hyper } = problem;
  const names = problem.parameters.map(({ name }) => name);
  const lossOf = (w, { x0, eps, steps, table, signals, noises }) => {
    const xt = np
      .take(signals, steps.ref, 0)
      .mul(x0)
      .add(np.take(noises, steps.ref, 0).mul(eps.ref));
    return np.square(mlp(w, problem, xt, np.take(table, steps, 0)).sub(eps)).mean();
  };
  return jit(({ w, m, v, e }, batch, corrections) => {
    const [loss, g] = valueAndGrad(lossOf)(tree.ref(w), batch);
    const norm = np.sqrt(names.map((name) => np.square(g[name].ref).sum()).reduce((a, b) => a.add(b)));
    const scale = np.minimum(1, np.reciprocal(norm.add(1e-6)).mul(hyper.clipNorm));
    const next = { w: {}, m: {}, v: {}, e: {} };
    const mean = corrections.ref.slice(0);
    const square = corrections.slice(1);
    for (const name of names) {
      const clipped = g[name].mul(scale.ref);
      const first = m[name].mul(hyper.beta1).add(clipped.ref.mul(1 - hyper.beta1));
      const second = v[name].mul(hyper.beta2).add(np.square(clipped).mul(1 - hyper.beta2));
      const denominator = np.sqrt(second.ref.mul(square.ref)).add(hyper.epsilon);
      const move = first.ref.mul(mean.ref).div(denominator).mul(hyper.learningRate);
      const weights = w[name].mul(1 - hyper.learningRate * hyper.weightDecay).sub(move);
      next.e[name] = e[name].ref.add(weights.ref.sub(e[name]).mul(1 - hyper.emaDecay));
      next.w[name] = weights;
      next.m[name] = first;
      next.v[name] = second;
    }
    for (const used of [scale, mean, square]) used.dispose();
    return [loss, next];
  });
}

function trainRunner(problem, arrays, ready) {
  const { batchSize, dimensions, timesteps, timeFeatures, checkSteps, hyper } = problem;
  const size = batchSize * dimensions;
  const tables = {
    table: array(arrays.timeTable, [timesteps, timeFeatures]),
    signals: array(Float32Array.from(arrays.alphasCumprod, Math.sqrt), [timesteps, 1]),
    noises: array(
      Float32Array.from(arrays.alphasCumprod, (bar) => Math.sqrt(1 - bar)),
      [timesteps, 1],
    ),
  };
  const batches = Array.from({ length: arrays.steps.length / batchSize }, (_, i) => ({
    x0: array(arrays.x0.slice(i * size, (i + 1) * size), [batchSize, dimensions]),
    eps: array(arrays.eps.slice(i * size, (i + 1) * size), [batchSize, dimensions]),
    steps: np.array(arrays.steps.slice(i * batchSize, (i + 1) * batchSize)),
    ...tables,
  }));
  const w = makeWeights(problem, arrays);
  const zeros = () => tree.map((x) => np.zeros(x.shape), w);
  let state = { w, m: zeros(), v: zeros(), e: makeWeights(problem, arrays) };
  const advance = makeStep(problem);
  let done = 0;
  const run = async () => {
    const batch = batches[done++ % batches.length];
    const corrections = np.array(Float32Array.of(1 / (1 - hyper.beta1 ** done), 1 / (1 - hyper.beta2 ** done)));
    const [loss, next] = advance(state, tree.ref(batch), corrections);
    state = next;
    return (await loss.data())[0];
  };
  const check = async () => {
    const losses = [];
    for (let i = 0; i < checkSteps; i++) losses.push(await run());
    const norm = (weights) =>
      Math.sqrt(tree.leaves(weights).reduce((sum, leaf) => leaf.ref.dataSync().reduce((s, x) => s + x * x, sum), 0));
    return [...losses, norm(state.w), norm(state.m)];
  };
  return { ...ready, check, step: run };
}

/** ε_θ(x, φ(t)), jitted. */
function makePredictor(problem, arrays) {
  const w = makeWeights(problem, arrays);
  const predict = jit((weights, x, row) =>
    mlp(weights, problem, x, np.broadcastTo(row, [x.shape[0], problem.timeFeatures])),
  );
  const { timeFeatures } = problem;
  const row = (step) =>
    array(arrays.timeTable.slice(step * timeFeatures, (step + 1) * timeFeatures), [1, timeFeatures]);
  return (x, step) => predict(tree.ref(w), x, row(step));
}

function sampleRunner(problem, arrays, ready) {
  const { batchSize, dimensions, timesteps, checkSteps } = problem;
  const shape = [batchSize, dimensions];
  const predict = makePredictor(problem, arrays);
  const update = jit((x, eps, z, k) =>
    x
      .sub(eps.mul(k.ref.slice(0)))
      .mul(k.ref.slice(1))
      .add(z.mul(k.slice(2))),
  );
  const move = (x, step, z) => {
    const [beta, bar] = [arrays.betas[step], arrays.alphasCumprod[step]];
    const sigma = step > 0 ? Math.sqrt(beta) : 0;
    const k = np.array(Float32Array.of(beta / Math.sqrt(1 - bar), 1 / Math.sqrt(1 - beta), sigma));
    return update(x.ref, predict(x, step), z, k);
  };
  const draw = jit((key) => {
    const [next, mine] = random.split(key, 2);
    return [next, random.normal(mine, shape)];
  });
  let key = random.key(0);
  const normal = () => {
    const [next, z] = draw(key);
    key = next;
    return z;
  };
  let left = 0;
  let x = np.zeros(shape);
  const step = async () => {
    if (left === 0) {
      x.dispose();
      x = normal();
      left = timesteps;
    }
    left--;
    x = move(x, left, normal());
    await x.ref.data();
  };
  const check = async () => {
    let points = array(arrays.start, shape);
    const size = batchSize * dimensions;
    for (let i = 0; i < checkSteps; i++) {
      points = move(points, timesteps - 1 - i, array(arrays.z.slice(i * size, (i + 1) * size), shape));
    }
    return [...(await points.data()).subarray(0, 512)];
  };
  return { ...ready, check, step };
}

async function cold(problemFile, csvFile) {
  await start();
  const problem = JSON.parse(readFileSync(problemFile, "utf8"));
  const arrays = readArrays(problem);
  const predict = makePredictor(problem, arrays);
  const bars = arrays.alphasCumprod;
  let x = random.normal(random.key(0), [100, problem.dimensions]);
  problem.ddimSteps.forEach((step, i) => {
    const next = bars[problem.ddimSteps[i + 1]] ?? 1;
    const eps = predict(x.ref, step);
    const x0 = x.sub(eps.ref.mul(Math.sqrt(1 - bars[step]))).div(Math.sqrt(bars[step]));
    x = x0.mul(Math.sqrt(next)).add(eps.mul(Math.sqrt(1 - next)));
  });
  const rows = await x.jsAsync();
  writeFileSync(csvFile, rows.map((row) => `${row.join(",")}\n`).join(""));
}

if (process.argv[2] === "--cold") {
  await cold(process.argv[3], process.argv[4]);
} else {
  await serve(async ({ problem }) => {
    await start();
    const ready = { versions: versions(), threads: 1 };
    const runner = problem.kind === "train" ? trainRunner : sampleRunner;
    return runner(problem, readArrays(problem), ready);
  });
}
