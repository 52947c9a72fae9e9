import { availableParallelism } from "node:os";
import { backend } from "#backend";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { add, cast, constant, greater, input, matmul, mul, sin, sum } from "../graph/builders.ts";
import type { Node } from "../graph/node.ts";
import { UnnoiseError, at } from "../math/error.ts";
import type { Device } from "./backend.ts";
import { compile, resolveDevice, resolveThreads, type Executable } from "./executable.ts";

const x = input("x", [2, 3]);
const n = input("n", [2], "int32");

async function errorOf(failing: Promise<unknown>): Promise<UnnoiseError> {
  const error = await failing.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UnnoiseError)) throw new Error(`expected an UnnoiseError, got ${String(error)}`);
  expect(error.message).not.toContain("\n");
  return error;
}

describe("run", () => {
  const feeds = { x: Float32Array.of(1, 2, 3, 4, 5, 6), n: Int32Array.of(1, -2) };
  let executable: Executable;

  beforeAll(async () => {
    const outputs = { double: mul(x, 2), next: add(n, 1), big: greater(x, 3), total: sum(x), same: x };
    executable = await compile(outputs, { device: "cpu" });
  });
  afterAll(() => executable.dispose());

  it("gives every output in the array type of its dtype", async () => {
    expect(await executable.run(feeds)).toEqual({
      double: Float32Array.of(2, 4, 6, 8, 10, 12),
      next: Int32Array.of(2, -1),
      big: Uint8Array.of(0, 0, 0, 1, 1, 1),
      total: Float32Array.of(21),
      same: Float32Array.of(1, 2, 3, 4, 5, 6),
    });
  });

  it("says what it takes and gives", () => {
    expect([...executable.inputs.keys()].sort()).toEqual(["n", "x"]);
    expect(executable.inputs.get("n")).toMatchObject({ dtype: "int32", shape: [2] });
    expect(executable.outputs.get("total")).toMatchObject({ dtype: "float32", shape: [] });
    expect(executable.device).toBe("cpu");
  });

  it("writes into the arrays that it is given, run after run", async () => {
    const results = { double: new Float32Array(6), next: new Int32Array(2) };
    const returned = await executable.run(feeds, results);
    expect(returned["double"]).toBe(results.double);
    expect(returned["next"]).toBe(results.next);
    expect(results.double).toEqual(Float32Array.of(2, 4, 6, 8, 10, 12));
    await executable.run({ ...feeds, x: new Float32Array(6).fill(1) }, results);
    expect(results.double).toEqual(new Float32Array(6).fill(2));
  });

  it("reads a fed array anew at every run", async () => {
    const changing = Float32Array.of(1, 1, 1, 1, 1, 1);
    await executable.run({ ...feeds, x: changing });
    changing.fill(3);
    expect((await executable.run({ ...feeds, x: changing }))["total"]).toEqual(Float32Array.of(18));
  });

  it("lets state go round: an output of one run feeds the next", async () => {
    let [now, next] = [new Float32Array(6).fill(1), new Float32Array(6)];
    for (let i = 0; i < 5; i++) {
      await executable.run({ ...feeds, x: now }, { double: next });
      [now, next] = [next, now];
    }
    expect(now).toEqual(new Float32Array(6).fill(32));
  });

  it("refuses results that share memory with an input or with each other", async () => {
    const memory = new Float32Array(9);
    const [here, there] = [memory.subarray(0, 6), memory.subarray(3)];
    expect(await errorOf(executable.run({ ...feeds, x: here }, { double: there }))).toMatchObject({
      code: "runtime",
      message: "result double shares memory with input x; give each result an array of its own",
    });
    expect((await errorOf(executable.run(feeds, { double: here, same: there }))).message).toMatch(
      /^result (double|same) shares memory with result (double|same);/,
    );
  });

  it("names a missing input and one of the wrong size", async () => {
    expect(await errorOf(executable.run({ x: feeds.x }))).toMatchObject({
      code: "runtime",
      message: "value n: expected int32 [2], got nothing",
    });
    expect((await errorOf(executable.run({ ...feeds, x: new Float32Array(5) }))).message).toBe(
      "value x: expected float32 [2, 3], got 5 values",
    );
    expect((await errorOf(executable.run(feeds, { total: new Float32Array(2) }))).message).toBe(
      "value total: expected float32 [], got 2 values",
    );
  });
});

describe("compile", () => {
  it("runs a graph without inputs, and one that folds to a constant", async () => {
    const executable = await compile({ y: sin(constant([0, 1], [2])) }, { device: "cpu" });
    expect((await executable.run({}))["y"]?.[1]).toBeCloseTo(Math.sin(1), 6);
    await executable.dispose();
  });

  it("keeps an output's name when the passes make two the same", async () => {
    const executable = await compile({ a: add(x, 0), b: x, c: cast(x, "float32") }, { device: "cpu" });
    expect(Object.keys(await executable.run({ x: new Float32Array(6) }))).toEqual(["a", "b", "c"]);
    await executable.dispose();
  });

  it("refuses two inputs of one name, also where they are the same otherwise", async () => {
    const error = await errorOf(compile({ y: add(x, input("x", [2, 3])) }, { device: "cpu" }));
    expect(error).toMatchObject({ code: "graph", message: expect.stringContaining("the name x is already") as string });
  });

  it("takes any name, also those that its own model could use", async () => {
    const named = [input("#0", []), input("##1", [])];
    const outputs = { "#2": sin(add(sin(mul(at(named, 0), 2)), at(named, 1))), "#1": add(at(named, 0), 3) };
    const executable = await compile(outputs, { device: "cpu" });
    const results = await executable.run({ "#0": Float32Array.of(0), "##1": Float32Array.of(1) });
    expect(results["#2"]?.[0]).toBeCloseTo(Math.sin(1), 6);
    expect(results["#1"]?.[0]).toBe(3);
    await executable.dispose();
  });

  it("refuses to run after dispose", async () => {
    const executable = await compile({ y: sin(x) }, { device: "cpu" });
    await executable.dispose();
    const error = await errorOf(executable.run({ x: new Float32Array(6) }));
    expect(error).toMatchObject({ code: "runtime" });
    expect(error.message).toMatch(/dispose/);
  });

  it("does not grow by more than 100 KB a session over 200 sessions", async () => {
    const once = async (i: number): Promise<void> => {
      const executable = await compile({ y: sin(mul(x, i)) }, { device: "cpu" });
      await executable.run({ x: new Float32Array(6) });
      await executable.dispose();
    };
    for (let i = 0; i < 20; i++) await once(i);
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 200; i++) await once(i);
    expect((process.memoryUsage.rss() - before) / 200).toBeLessThan(100_000);
  });
});

describe("threads", () => {
  const product = (size: number): Node => matmul(input("a", [size, size]), input("b", [size, size]));

  it("are one for small graphs, all for large ones, and what was asked for otherwise", () => {
    expect(resolveThreads(undefined, 1e6)).toBe(1);
    expect(resolveThreads(undefined, 1e10)).toBe(availableParallelism());
    expect(resolveThreads(3, 1e6)).toBe(3);
  });

  it.each([
    [16, 1],
    [1024, availableParallelism()],
  ])("of a product of %d² matrices are %d", async (size, threads) => {
    const executable = await compile({ y: product(size) }, { device: "cpu" });
    expect(executable.threads).toBe(threads);
    await executable.dispose();
  });
});

describe("devices", () => {
  it("auto takes the CPU for small graphs", async () => {
    expect(await resolveDevice("auto", 1e6)).toBe("cpu");
  });

  it("an unknown one is refused with what there is", async () => {
    expect(await errorOf(compile({ y: sin(x) }, { device: "tpu" as Device }))).toMatchObject({
      code: "device",
      message: "device tpu is unknown; expected one of auto, cpu, webgpu, cuda, wasm",
    });
  });

  it("CUDA either runs or says in one line that it is not available", async () => {
    const outcome = compile({ y: sin(x) }, { device: "cuda" });
    const executable = await outcome.catch(() => undefined);
    if (executable) return executable.dispose();
    const error = await errorOf(outcome);
    expect(error.code).toBe("device");
    expect(error.message).toMatch(/^device cuda is not available here[;:] .*use .*auto or cpu/);
  });
});

describe("a session that cannot be made", () => {
  afterEach(() => vi.restoreAllMocks());

  const failing = async (message: string): Promise<UnnoiseError> => {
    const ort = await backend.load("cpu");
    const create = (): Promise<never> => Promise.reject(new Error(message));
    vi.spyOn(backend, "load").mockResolvedValue({ ...ort, InferenceSession: { create } });
    return errorOf(compile({ y: sin(x) }, { device: "cpu" }));
  };

  it.each([
    "no available backend found. ERR: [wasm] TypeError: fetch failed",
    "webgpu_context.cc:136 Initialize() was false. Failed to get a WebGPU adapter: No supported adapters\n",
    "Failed to get GPU adapter. You may need to enable flag",
    "OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library",
    "Failed to load library /ort/libonnxruntime_providers_cuda.so with error: libcudnn.so.9",
    "CUDA failure 100: no CUDA-capable device is detected",
  ])("is a missing device for: %s", async (message) => {
    expect(await failing(message)).toMatchObject({ code: "device" });
  });

  it.each([
    "Node (#3) Op (Foo) is not registered with any execution provider",
    "the device ran out of memory",
    "Data type for starts is not supported in this build. Got 5",
  ])("is a refused model for: %s", async (message) => {
    const error = await failing(message);
    expect(error).toMatchObject({ code: "runtime", message: `ONNX Runtime refused the model: ${message}` });
  });

  it("leaves auto on the host, but not the one who asked for the device", async () => {
    vi.spyOn(backend, "choose").mockResolvedValue("cuda");
    const load = backend.load.bind(backend);
    vi.spyOn(backend, "load").mockImplementation((device, threads) =>
      device === "cuda" ? Promise.reject(new UnnoiseError("device", "no driver")) : load(device, threads),
    );
    expect(await resolveDevice("auto", 1e12)).toBe("cpu");
    const executable = await compile({ y: sin(x) });
    expect(executable.device).toBe("cpu");
    await executable.dispose();
    expect(await errorOf(compile({ y: sin(x) }, { device: "cuda" }))).toMatchObject({ code: "device" });
  });
});
