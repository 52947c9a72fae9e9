import { UnnoiseError } from "../math/error.ts";
import type { Device, Ort } from "./backend.ts";
import { reasonOf } from "./reason.ts";

/** The version of ONNX Runtime that package.json pins. */
const VERSION = "1.30.0";

/** The install script of onnxruntime-node fetches CUDA's libraries, and where it cannot, npm leaves the package out without a word. */
const installation = {
  "onnxruntime-node": `npm install onnxruntime-node@${VERSION} --ignore-scripts`,
  "onnxruntime-web": `npm install onnxruntime-web@${VERSION}`,
} as const;

/**
 * Loads one of ONNX Runtime's packages.
 * @throws UnnoiseError `device` when it is not installed or does not load
 */
export async function importOrt(
  load: () => Promise<unknown>,
  name: "onnxruntime-node" | "onnxruntime-web",
  device: Device,
): Promise<Ort> {
  try {
    return (await load()) as Ort;
  } catch (cause) {
    const advice = `install it with: ${installation[name]}`;
    throw new UnnoiseError(
      "device",
      `device ${device} needs the package ${name}, which did not load (${reasonOf(cause)}); ${advice}`,
      {
        cause,
      },
    );
  }
}
