/** unnoise as a contender with U-Nets: the library's own graphs, compiled as sampling and training compile them. */
import { constant, input, mean, mul, sub } from "../src/graph/builders.ts";
import { unflatten } from "../src/nn/parameters.ts";
import { unet2d } from "../src/nn/unet-2d.ts";
import { compile } from "../src/runtime/executable.ts";
import { sizeOf } from "../src/tensor/tensor.ts";
import { gradientGraph } from "../src/train/train-step.ts";
import { readArrays, serve, type Runner } from "./serve.ts";
import type { UNetProblem } from "./unet-problem.ts";
import { libraryVersions } from "./versions.ts";

type Arrays = ReturnType<typeof readArrays>;
type Placement = { readonly device: "cpu"; readonly threads?: number };

async function sampler(problem: UNetProblem, arrays: Arrays, placement: Placement): Promise<Runner> {
  const config = unet2d.schema.parse(problem.config);
  const shape = [problem.batchSize, ...unet2d.sampleShape(config)];
  const flat = arrays["weights"] as Float32Array;
  const weights = unflatten(constant(flat, [flat.length]), unet2d.parameters(config));
  const eps = unet2d.predict({ xt: input("xt", shape), steps: input("step", [1], "int32") }, weights, config);
  const executable = await compile({ eps }, placement);
  const feeds = { xt: arrays["images"] as Float32Array, step: (arrays["steps"] as Int32Array).slice(0, 1) };
  const results = { eps: new Float32Array(sizeOf(shape)) };
  const step = (): Promise<unknown> => executable.run(feeds, results);
  const check = async (): Promise<number[]> => {
    await step();
    return [...results.eps.subarray(0, 2000)];
  };
  return { versions: libraryVersions(), threads: executable.threads, check, step };
}

async function trainer(problem: UNetProblem, arrays: Arrays, placement: Placement): Promise<Runner> {
  const config = unet2d.schema.parse(problem.config);
  const { outputs } = gradientGraph({
    batchSize: problem.batchSize,
    sampleShape: unet2d.sampleShape(config),
    parameters: unet2d.parameters(config),
    loss: ({ x0, eps, steps }, weights) => {
      const difference = sub(unet2d.predict({ xt: x0, steps }, weights, config), eps);
      return { loss: mean(mul(difference, difference)) };
    },
  });
  const executable = await compile(outputs, placement);
  const flat = arrays["weights"] as Float32Array;
  const gradient = new Float32Array(flat.length);
  const feeds: Record<string, Float32Array | Int32Array> = {
    x0: arrays["images"] as Float32Array,
    eps: arrays["noise"] as Float32Array,
    steps: arrays["steps"] as Int32Array,
  };
  const results: Record<string, Float32Array> = { loss: new Float32Array(1) };
  let offset = 0;
  for (const { name, shape } of problem.parameters) {
    const range = [offset, (offset += sizeOf(shape))] as const;
    feeds[name] = flat.subarray(...range);
    results[`gradient.${name}`] = gradient.subarray(...range);
  }
  const step = (): Promise<unknown> => executable.run(feeds, results);
  const check = async (): Promise<number[]> => {
    await step();
    const norm = Math.sqrt(gradient.reduce((sum, value) => sum + value ** 2, 0));
    return [results["loss"]?.[0] ?? NaN, norm];
  };
  return { versions: libraryVersions(), threads: executable.threads, check, step };
}

await serve<UNetProblem>(async ({ problem, threads }) => {
  const create = problem.kind === "train" ? trainer : sampler;
  return create(problem, readArrays(problem), { device: "cpu", ...(threads !== null && { threads }) });
});
