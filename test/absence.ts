import { input, sin } from "../src/graph/builders.ts";
import { UnnoiseError } from "../src/math/error.ts";
import type { Device } from "../src/runtime/backend.ts";
import { compile } from "../src/runtime/executable.ts";

/** Why a device cannot run here, or nothing. */
export async function absence(device: Device): Promise<string | undefined> {
  try {
    await (await compile({ y: sin(input("x", [1])) }, { device })).dispose();
    return undefined;
  } catch (error) {
    if (error instanceof UnnoiseError && error.code === "device") return error.message;
    throw error;
  }
}
