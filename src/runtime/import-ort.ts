import { UnnoiseError } from "../math/error.ts";
import type { Device, Ort } from "./backend.ts";

/**
 * Loads one of ONNX Runtime's packages, all of them optional.
 * @throws UnnoiseError `device` when it is not installed or does not load
 */
export async function importOrt(load: () => Promise<unknown>, name: string, device: Device): Promise<Ort> {
  try {
    return (await load()) as Ort;
  } catch (cause) {
    const hint = `device ${device} needs the package ${name}, which did not load; install it with: npm install ${name}`;
    throw new UnnoiseError("device", hint, { cause });
  }
}
