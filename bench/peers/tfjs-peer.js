// TensorFlow.js on its wasm backend as a contender (bench/protocol.ts).
//   tfjs-peer.js                        answers requests until stdin ends
//   tfjs-peer.js --cold PROBLEM CSV     loads the weights, samples 100 points by DDIM, writes them, and ends
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { readArrays, serve } from "../dist/serve.js";

const require = createRequire(import.meta.url);

/** `@tensorflow/tfjs` registers the gradients; sampling needs only the core. */
async function load(withGradients) {
  const tf = require(withGradients ? "@tensorflow/tfjs" : "@tensorflow/tfjs-core");
  const wasm = require("@tensorflow/tfjs-backend-wasm");
  wasm.setWasmPaths(`${dirname(require.resolve("@tensorflow/tfjs-backend-wasm"))}/`);
  if (!(await tf.setBackend("wasm"))) throw new Error("the wasm backend of TensorFlow.js did not start");
  const versions = { tfjs: wasm.version_wasm, node: process.versions.node };
  return { tf, ready: { versions, threads: wasm.getThreadsCount() } };
}

function makeVariables(tf, { parameters }, { weights }) {
  let offset = 0;
  return Object.fromEntries(
    parameters.map(({ name, shape }) => {
      const size = shape.reduce((product, extent) => product * extent, 1);
      const part = weights.slice(offset, (offset += size));
      return [name, tf.variable(tf.tensor(part, shape), true, name)];
    }),
  );
}

function mlp(tf, w, { depth }, x, embedding) {
  const linear = (name, input) => tf.add(tf.matMul(input, w[`${name}.weight`]), w[`${name}.bias`]);
  let h = linear("input", tf.concat([x, embedding], 1));
  for (let i = 0; i < depth; i++) {
    const y = linear(`block${i}`, h);
    h = tf.add(h, tf.mul(y, tf.sigmoid(y)));
  }
  return linear("output", h);
}

function trainRunner(tf, problem, arrays, ready) {
  const { hyper, batchSize, dimensions, timesteps, timeFeatures, checkSteps } = problem;
  const w = makeVariables(tf, problem, arrays);
  const variables = Object.values(w);
  const average = variables.map((variable) => tf.variable(variable.clone(), false));
  const table = tf.tensor(arrays.timeTable, [timesteps, timeFeatures]);
  const signals = tf.tensor(Float32Array.from(arrays.alphasCumprod, Math.sqrt), [timesteps, 1]);
  const noises = tf.tensor(
    Float32Array.from(arrays.alphasCumprod, (bar) => Math.sqrt(1 - bar)),
    [timesteps, 1],
  );
  const optimiser = tf.train.adam(hyper.learningRate, hyper.beta1, hyper.beta2, hyper.epsilon);
  const size = batchSize * dimensions;
  const batches = Array.from({ length: arrays.steps.length / batchSize }, (_, i) => ({
    x0: tf.tensor(arrays.x0.slice(i * size, (i + 1) * size), [batchSize, dimensions]),
    eps: tf.tensor(arrays.eps.slice(i * size, (i + 1) * size), [batchSize, dimensions]),
    steps: tf.tensor1d(arrays.steps.slice(i * batchSize, (i + 1) * batchSize), "int32"),
  }));
  const loss = ({ x0, eps, steps }) => {
    const xt = tf.add(tf.mul(tf.gather(signals, steps), x0), tf.mul(tf.gather(noises, steps), eps));
    return tf.mean(tf.square(tf.sub(mlp(tf, w, problem, xt, tf.gather(table, steps)), eps)));
  };
  const update = (batch) => {
    const { value, grads } = tf.variableGrads(() => loss(batch), variables);
    const squares = Object.values(grads).map((gradient) => tf.sum(tf.square(gradient)));
    const scale = tf.minimum(1, tf.div(hyper.clipNorm, tf.add(tf.sqrt(tf.addN(squares)), 1e-6)));
    const clipped = Object.fromEntries(Object.entries(grads).map(([name, g]) => [name, tf.mul(g, scale)]));
    // tf.train.adam has no decoupled weight decay: it is taken off first, as AdamW does.
    for (const variable of variables) variable.assign(tf.mul(variable, 1 - hyper.learningRate * hyper.weightDecay));
    optimiser.applyGradients(clipped);
    average.forEach((mean, i) => mean.assign(tf.add(mean, tf.mul(tf.sub(variables[i], mean), 1 - hyper.emaDecay))));
    return value.dataSync()[0];
  };
  let done = 0;
  const step = async () => tf.tidy(() => update(batches[done++ % batches.length]));
  const check = async () => {
    const losses = [];
    for (let i = 0; i < checkSteps; i++) losses.push(await step());
    const norm = (tensors) =>
      Math.sqrt(tensors.reduce((sum, tensor) => tensor.dataSync().reduce((s, x) => s + x * x, sum), 0));
    const means = optimiser.accumulatedFirstMoment.map(({ variable }) => variable);
    return [...losses, norm(variables), norm(means)];
  };
  return { ...ready, check, step };
}

function sampleRunner(tf, problem, arrays, ready) {
  const { batchSize, dimensions, timesteps, timeFeatures, checkSteps } = problem;
  const w = makeVariables(tf, problem, arrays);
  const table = tf.tensor(arrays.timeTable, [timesteps, timeFeatures]);
  const shape = [batchSize, dimensions];
  const move = (x, step, z) => {
    const [beta, bar] = [arrays.betas[step], arrays.alphasCumprod[step]];
    const embedding = tf.tile(tf.slice(table, [step, 0], [1, timeFeatures]), [batchSize, 1]);
    const eps = mlp(tf, w, problem, x, embedding);
    const mean = tf.mul(tf.sub(x, tf.mul(eps, beta / Math.sqrt(1 - bar))), 1 / Math.sqrt(1 - beta));
    return step > 0 ? tf.add(mean, tf.mul(z, Math.sqrt(beta))) : mean;
  };
  let left = 0;
  let x = tf.zeros(shape);
  const step = async () => {
    const before = x;
    x = tf.tidy(() => {
      if (left === 0) left = timesteps;
      const from = left === timesteps ? tf.randomNormal(shape) : before;
      left--;
      return move(from, left, tf.randomNormal(shape));
    });
    before.dispose();
  };
  const check = async () => {
    let points = tf.tensor(arrays.start, shape);
    const size = batchSize * dimensions;
    for (let i = 0; i < checkSteps; i++) {
      const z = tf.tensor(arrays.z.slice(i * size, (i + 1) * size), shape);
      points = tf.tidy(() => move(points, timesteps - 1 - i, z));
    }
    return [...(await points.data()).subarray(0, 512)];
  };
  return { ...ready, check, step };
}

async function cold(problemFile, csvFile) {
  const { tf } = await load(false);
  const problem = JSON.parse(readFileSync(problemFile, "utf8"));
  const arrays = readArrays(problem);
  const w = makeVariables(tf, problem, arrays);
  const table = tf.tensor(arrays.timeTable, [problem.timesteps, problem.timeFeatures]);
  const bars = arrays.alphasCumprod;
  let x = tf.randomNormal([100, problem.dimensions]);
  problem.ddimSteps.forEach((step, i) => {
    const next = bars[problem.ddimSteps[i + 1]] ?? 1;
    const embedding = tf.tile(tf.slice(table, [step, 0], [1, problem.timeFeatures]), [100, 1]);
    const eps = mlp(tf, w, problem, x, embedding);
    const x0 = tf.div(tf.sub(x, tf.mul(eps, Math.sqrt(1 - bars[step]))), Math.sqrt(bars[step]));
    x = tf.add(tf.mul(x0, Math.sqrt(next)), tf.mul(eps, Math.sqrt(1 - next)));
  });
  writeFileSync(
    csvFile,
    x
      .arraySync()
      .map((row) => `${row.join(",")}\n`)
      .join(""),
  );
}

if (process.argv[2] === "--cold") {
  await cold(process.argv[3], process.argv[4]);
} else {
  await serve(async ({ problem }) => {
    const { tf, ready } = await load(problem.kind === "train");
    const runner = problem.kind === "train" ? trainRunner : sampleRunner;
    return runner(tf, problem, readArrays(problem), ready);
  });
}
