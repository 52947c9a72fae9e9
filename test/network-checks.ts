import { constant, input, mean, mul, sub, sum } from "../src/graph/builders.ts";
import { grad } from "../src/graph/grad.ts";
import type { Node } from "../src/graph/node.ts";
import { at } from "../src/math/error.ts";
import { Random } from "../src/math/random.ts";
import { adamw } from "../src/nn/adamw.ts";
import type { Network } from "../src/nn/network.ts";
import { initialise, parameterCount, unflatten } from "../src/nn/parameters.ts";
import { compile, type Executable } from "../src/runtime/executable.ts";
import { sizeOf } from "../src/tensor/tensor.ts";

/** Standard normal numbers, the same for one seed. */
export function normals(count: number, seed: number): Float32Array {
  const out = new Float32Array(count);
  new Random(seed, "init").normals(out, count);
  return out;
}

function inputsOf<C>(
  network: Network<C>,
  config: C,
  batch: number,
  steps: number,
): { xt: Node; steps: Node; classLabels?: Node } {
  const classes = network.classes(config);
  return {
    xt: input("xt", [batch, ...network.sampleShape(config)]),
    steps: input("steps", [steps], "int32"),
    ...(classes > 0 && { classLabels: input("labels", [batch], "int32") }),
  };
}

/** A network with its weights as an input. */
export interface Probe {
  readonly count: number;
  /** What it predicts for images [batch, …], steps and labels, with flat weights [P]. */
  predict(
    weights: Float32Array,
    xt: Float32Array,
    steps: readonly number[],
    labels?: readonly number[],
  ): Promise<Float32Array>;
  /** Gradient of Σ y·r for random r, by the name of the weight. */
  gradients(weights: Float32Array): Promise<Map<string, Float32Array>>;
}

/** Runs a network on the processor with any weights, images and steps. */
export function probe<C>(network: Network<C>, config: C, batch: number): Probe {
  const parameters = network.parameters(config);
  const count = parameterCount(parameters);
  const width = sizeOf(network.sampleShape(config));
  const run = async (
    outputs: Record<string, Node>,
    feeds: Record<string, Float32Array | Int32Array>,
  ): ReturnType<Executable["run"]> => {
    const executable = await compile(outputs, { device: "cpu", threads: 1 });
    return executable.run(feeds).finally(() => executable.dispose());
  };
  return {
    count,
    predict: async (weights, xt, steps, labels) => {
      const inputs = inputsOf(network, config, batch, steps.length);
      const y = network.predict(inputs, unflatten(input("weights", [count]), parameters), config);
      const fed = { weights, xt, steps: Int32Array.from(steps), ...(labels && { labels: Int32Array.from(labels) }) };
      return (await run({ y }, fed))["y"] as Float32Array;
    },
    gradients: async (weights) => {
      const inputs = inputsOf(network, config, batch, batch);
      const flat = input("weights", [count]);
      const y = network.predict(inputs, unflatten(flat, parameters), config);
      const [gradient] = grad(sum(mul(y, constant(normals(sizeOf(y.shape), 7), y.shape))), [flat]);
      const rows = Array.from({ length: batch }, (_, i) => i);
      const labels = network.classes(config) > 0 && { labels: Int32Array.from(rows) };
      const fed = {
        weights,
        xt: normals(batch * width, 8),
        steps: Int32Array.from(rows, (i) => 100 * i + 3),
        ...labels,
      };
      const values = (await run({ g: gradient as Node }, fed))["g"] as Float32Array;
      let offset = 0;
      return new Map(parameters.map(({ name, shape }) => [name, values.slice(offset, (offset += sizeOf(shape)))]));
    },
  };
}

/** Mean squared errors of noise before each of some AdamW steps on one batch of images, from the network's own start. */
export async function losses<C>(
  network: Network<C>,
  config: C,
  updates: number,
  learningRate = 3e-3,
): Promise<number[]> {
  const [batch, parameters] = [4, network.parameters(config)];
  const count = parameterCount(parameters);
  const inputs = inputsOf(network, config, batch, batch);
  const [weights, m, v] = ["weights", "m", "v"].map((name) => input(name, [count])) as [Node, Node, Node];
  const eps = input("eps", inputs.xt.shape);
  const error = sub(network.predict(inputs, unflatten(weights, parameters), config), eps);
  const loss = mean(mul(error, error));
  const settings = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, learningRate };
  const corrections = { meanCorrection: input("c1", []), squareCorrection: input("c2", []) };
  const next = adamw(at(grad(loss, [weights]), 0), 1, { weights, mean: m, square: v }, { ...settings, ...corrections });
  const graph = { loss, nextWeights: next.weights, nextM: next.mean, nextV: next.square };
  const executable = await compile(graph, { device: "cpu", threads: 1 });
  const noise = normals(sizeOf(eps.shape), 3);
  const labels = network.classes(config) > 0 && { labels: Int32Array.of(0, 1, 0, 1) };
  const fed = {
    eps: noise,
    xt: noise.map((z, i) => 0.8 * z + 0.6 * Math.sin(i)),
    steps: Int32Array.of(1, 40, 400, 900),
    ...labels,
  };
  let state: Record<"weights" | "m" | "v", Float32Array> = {
    weights: initialise(parameters, new Random(1, "init")),
    m: new Float32Array(count),
    v: new Float32Array(count),
  };
  const seen: number[] = [];
  for (let i = 1; i <= updates; i++) {
    const [c1, c2] = [1 / (1 - settings.beta1 ** i), 1 / (1 - settings.beta2 ** i)].map((c) => Float32Array.of(c)) as [
      Float32Array,
      Float32Array,
    ];
    const got = (await executable.run({ ...fed, ...state, c1, c2 })) as Record<string, Float32Array>;
    seen.push(at(got["loss"] ?? [], 0));
    state = {
      weights: got["nextWeights"] as Float32Array,
      m: got["nextM"] as Float32Array,
      v: got["nextV"] as Float32Array,
    };
  }
  await executable.dispose();
  return seen;
}

/** Weights of a network that are all random, where some start at 0. */
export function randomWeights(count: number, scale: number, seed = 5): Float32Array {
  return normals(count, seed).map((z) => scale * z);
}
