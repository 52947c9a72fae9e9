import { UnnoiseError } from "../math/error.ts";
import type { Device, Ort } from "./backend.ts";
import { importOrt } from "./import-ort.ts";
import { loadGated } from "./native-gate.node.ts";
import { disableTelemetry } from "./telemetry.node.ts";

/**
 * Loads onnxruntime-node.
 * @throws UnnoiseError `device` when it is not installed or does not load
 */
export async function loadNativeEngine(device: Device): Promise<Ort> {
  await disableTelemetry(device);
  return loadGated(() => importOrt(importNative, "onnxruntime-node", device));
}

/** A CommonJS package: loaders differ in whether its exports also stand under `default`. */
async function importNative(): Promise<unknown> {
  const loaded: { readonly default?: unknown } = await import("onnxruntime-node");
  return "InferenceSession" in loaded ? loaded : loaded.default;
}

let problem: Promise<string | undefined> | undefined;

/** Why the native engine does not load here and what to do, in a line, or nothing: `auto` then computes by WebAssembly. */
export function nativeEngineProblem(): Promise<string | undefined> {
  problem ??= loadNativeEngine("cpu").then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof UnnoiseError) return error.message;
      throw error;
    },
  );
  return problem;
}
