import { readFileSync } from "node:fs";
import { freemem, platform, totalmem } from "node:os";
import type { MachineMemory } from "./memory.ts";

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
