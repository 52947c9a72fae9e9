import { beforeEach, describe, expect, it, vi } from "vitest";

/** The module keeps what has started, so every test takes a fresh one. */
async function freshWasm(): Promise<typeof import("./wasm.ts")> {
  vi.resetModules();
  return import("./wasm.ts");
}

describe("wasm threads and files", () => {
  let wasm: Awaited<ReturnType<typeof freshWasm>>;
  beforeEach(async () => {
    wasm = await freshWasm();
  });

  it("takes one thread unless told otherwise, and configured threads on wasm only", () => {
    expect(wasm.wasmThreads("wasm", undefined)).toBe(1);
    wasm.configureRuntime({ threads: 3 });
    expect(wasm.wasmThreads("wasm", undefined)).toBe(3);
    expect(wasm.wasmThreads("wasm", 2)).toBe(2);
    expect(wasm.wasmThreads("webgpu", undefined)).toBe(1);
  });

  it("keeps the threads of the first session", () => {
    const flags: { numThreads?: number } = {};
    wasm.prepareWasm(flags, "wasm", 2);
    wasm.prepareWasm(flags, "wasm", 4);
    expect(flags.numThreads).toBe(2);
    expect(wasm.wasmThreads("wasm", undefined)).toBe(2);
    expect(() => wasm.wasmThreads("wasm", 1)).toThrow(/1 threads: device wasm already runs with 2/);
  });

  it("hands over a folder with its slash, or the files of the device", () => {
    const files = { mjs: "/a.mjs", wasm: "/a.wasm" };
    const flags: { wasmPaths?: unknown } = {};
    wasm.configureRuntime({ wasmPaths: { webgpu: files } });
    wasm.prepareWasm(flags as never, "wasm", 1);
    expect(flags.wasmPaths).toBeUndefined();
    wasm.prepareWasm(flags as never, "webgpu", 1);
    expect(flags.wasmPaths).toBe(files);
  });

  it("resolves a folder against the page", () => {
    vi.stubGlobal("location", { href: "https://host/app/index.html" });
    const flags: { wasmPaths?: unknown } = {};
    wasm.configureRuntime({ wasmPaths: "ort" });
    wasm.prepareWasm(flags as never, "wasm", 1);
    vi.unstubAllGlobals();
    expect(flags.wasmPaths).toBe("https://host/app/ort/");
  });

  it("rejects settings that come late or make no sense", () => {
    for (const threads of [0, 1.5, Number.NaN])
      expect(() => wasm.configureRuntime({ threads })).toThrow(/expected an integer of at least 1/);
    wasm.prepareWasm({}, "wasm", 1);
    expect(() => wasm.configureRuntime({})).toThrow(/has already started/);
  });
});
