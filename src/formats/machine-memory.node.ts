import { readFileSync } from "node:fs";
import { freemem, platform, totalmem } from "node:os";
import { UnnoiseError } from "../math/error.ts";
import type { MachineMemory } from "../math/machine-memory.ts";
import { fileSize } from "../math/text.ts";

/** What tells of the machine's memory, so that tests can tell otherwise; all in bytes. */
export interface MemoryProbe {
  readonly total: number;
  /** What the system says is free. */
  readonly free: number;
  /** What processes may take without swapping, as Linux knows it; free memory leaves out what caches give back. */
  readonly reclaimable: number | undefined;
  /** The limit of the control group, if any. */
  readonly limit: number | undefined;
  /** What this process holds. */
  readonly resident: number;
}

/** Reads the probe. */
function probeMemory(): MemoryProbe {
  const limit = process.constrainedMemory();
  return {
    total: totalmem(),
    // macOS calls only those pages free that hold nothing at all.
    free: platform() === "darwin" ? totalmem() - process.memoryUsage.rss() : freemem(),
    reclaimable: reclaimableMemory(),
    limit: limit > 0 && limit < totalmem() ? limit : undefined,
    resident: process.memoryUsage.rss(),
  };
}

function reclaimableMemory(): number | undefined {
  try {
    const kilobytes = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
    return kilobytes === undefined ? undefined : 1024 * Number(kilobytes);
  } catch {
    return undefined;
  }
}

/**
 * What this process may have: of the machine's memory and of the limit of its control group, as of a container, whichever is less. What
 * it holds already is part of what is available to it.
 */
export function machineMemory(probe: MemoryProbe = probeMemory()): MachineMemory {
  const { total, free, reclaimable = free, limit = Infinity, resident } = probe;
  return { available: Math.min(reclaimable + resident, limit), total: Math.min(total, limit) };
}

/** The share of what is free that reading one thing may take. */
const MOST_SHARE = 0.75;

/** Bytes that reading one thing may take now. */
export function readableBytes(): number {
  return Math.max(0, MOST_SHARE * (machineMemory().available - process.memoryUsage.rss()));
}

/** Below this nobody asks how much is free, which costs more than small things do. */
const SMALL = 2 ** 24;

/**
 * Refuses to read what takes more memory than is free, before any of it is taken.
 * @param bytes that reading takes at its peak
 * @param where names it in errors
 * @throws UnnoiseError `runtime`
 */
export function checkReadable(bytes: number, where: string): void {
  if (bytes <= SMALL) return;
  const most = readableBytes();
  if (bytes <= most) return;
  const got = `reading it takes about ${fileSize(bytes)} of memory, expected at most ${fileSize(most)} as this machine has free`;
  throw new UnnoiseError("runtime", `${where}: ${got}; end other programs, or make it smaller`);
}
