// The matrix product of decision 0001: GFLOP/s of 1024 × 1024 × 1024 in float32, best of the medians of three rounds.
//   node bench/peers/matmul.js      (UNNOISE_BENCH_PYTHON=/path/to/python for PyTorch)
import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { compile, graph } from "../../dist/node.js";

const SIZE = 1024;
const require = createRequire(import.meta.url);
const values = () => Float32Array.from({ length: SIZE * SIZE }, (_, i) => Math.sin(i));

async function gflops(run, rounds = 3, repeats = 7) {
  await run();
  const medians = [];
  for (let round = 0; round < rounds; round++) {
    const times = [];
    for (let i = 0; i < repeats; i++) {
      const begin = performance.now();
      await run();
      times.push(performance.now() - begin);
    }
    medians.push(times.sort((a, b) => a - b)[repeats >> 1]);
  }
  return (2 * SIZE ** 3) / Math.min(...medians) / 1e6;
}

async function unnoise(device, threads) {
  const product = graph.matmul(graph.input("a", [SIZE, SIZE]), graph.input("b", [SIZE, SIZE]));
  const executable = await compile({ c: product }, { device, threads });
  const [feeds, results] = [{ a: values(), b: values() }, { c: new Float32Array(SIZE * SIZE) }];
  return gflops(() => executable.run(feeds, results));
}

async function tfjs() {
  const tf = require("@tensorflow/tfjs-core");
  const wasm = require("@tensorflow/tfjs-backend-wasm");
  wasm.setWasmPaths(`${dirname(require.resolve("@tensorflow/tfjs-backend-wasm"))}/`);
  await tf.setBackend("wasm");
  const [a, b] = [tf.tensor2d(values(), [SIZE, SIZE]), tf.tensor2d(values(), [SIZE, SIZE])];
  return gflops(async () => {
    const c = tf.matMul(a, b);
    await c.data();
    c.dispose();
  });
}

async function jaxJs() {
  const { defaultDevice, init, numpy: np } = await import("@jax-js/jax");
  await init("wasm");
  defaultDevice("wasm");
  const [a, b] = [np.array(values()).reshape([SIZE, SIZE]), np.array(values()).reshape([SIZE, SIZE])];
  return gflops(async () => {
    await np.matmul(a.ref, b.ref).data();
  });
}

function torch(threads) {
  const code = `
import time, torch
torch.set_num_threads(${threads})
a = torch.rand(${SIZE}, ${SIZE}); b = torch.rand(${SIZE}, ${SIZE}); c = a @ b
best = 1e9
for _ in range(3):
    times = []
    for _ in range(7):
        t = time.perf_counter(); torch.mm(a, b, out=c); times.append(time.perf_counter() - t)
    best = min(best, sorted(times)[3])
print(2 * ${SIZE} ** 3 / best / 1e9)`;
  return Number(execFileSync(process.env.UNNOISE_BENCH_PYTHON ?? "python3", ["-c", code]).toString());
}

const processors = availableParallelism();
const rows = [
  ["unnoise cpu, 1 thread", () => unnoise("cpu", 1)],
  [`unnoise cpu, ${processors} threads`, () => unnoise("cpu", processors)],
  ["PyTorch, 1 thread", () => torch(1)],
  [`PyTorch, ${processors} threads`, () => torch(processors)],
  // Before onnxruntime-web, which defines a Worker that jax-js would take for the browser's.
  ["jax-js wasm", jaxJs],
  ["unnoise wasm, 1 thread", () => unnoise("wasm", 1)],
  ["tfjs wasm", tfjs],
];
for (const [name, measure] of rows) {
  try {
    console.log(`${name}: ${(await measure()).toFixed(1)} GFLOP/s`);
  } catch (error) {
    console.log(`${name}: absent (${String(error).split("\n")[0]})`);
  }
}
process.exit(0);
