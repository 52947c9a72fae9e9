import { existsSync } from "node:fs";
import { input, sin } from "../src/graph/builders.ts";
import { UnnoiseError } from "../src/math/error.ts";
import type { Device } from "../src/runtime/backend.ts";
import { compile } from "../src/runtime/executable.ts";

/** Whether a device must be there: without this a run of CI that lost one would pass by skipping its tests. */
function isRequired(device: Device): boolean {
  if (!process.env["CI"]) return device === "cpu";
  return device === "webgpu" ? existsSync("/usr/lib/chromium/vk_swiftshader_icd.json") : device !== "cuda";
}

/** Why a device cannot run here, or nothing. */
export async function absence(device: Device): Promise<string | undefined> {
  try {
    await (await compile({ y: sin(input("x", [1])) }, { device })).dispose();
    return undefined;
  } catch (error) {
    if (error instanceof UnnoiseError && error.code === "device" && !isRequired(device)) return error.message;
    throw error;
  }
}
