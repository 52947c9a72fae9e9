import { UnnoiseError } from "../math/error.ts";
import { counted, fileSize, grouped } from "../math/text.ts";
import type { MachineMemory } from "../math/machine-memory.ts";

/** Node with ONNX Runtime and what is drawn with. */
const PROGRAM = 250e6;

/** So many things that are held in memory at the same time. */
export interface Held {
  /** The option that says how many, as the user gives it. */
  readonly option: string;
  readonly count: number;
  /** One of them, such as `point`. */
  readonly thing: string;
  /** Memory that each takes at the peak, in bytes. */
  readonly each: number;
  /** What needs less memory, if something does. */
  readonly advice?: string;
}

/**
 * Checks that a number of things fits, before any of them is made.
 * @throws UnnoiseError `usage` with the largest number that fits
 */
export function checkCountFits({ option, count, thing, each, advice }: Held, machine: MachineMemory): void {
  const most = Math.max(1, Math.floor((machine.available - PROGRAM) / each));
  if (count <= most) return;
  const needed = `${counted(count, thing)} need about ${fileSize(PROGRAM + count * each)} of memory`;
  const choice = `choose at most ${grouped(most)}${advice === undefined ? "" : `, or ${advice}`}`;
  throw new UnnoiseError("usage", `${option}: ${needed}, and ${fileSize(machine.available)} are available; ${choice}`);
}
