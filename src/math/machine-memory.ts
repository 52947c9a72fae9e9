/** What a process may have, in bytes. */
export interface MachineMemory {
  /** What is free for it, and what it holds already. */
  readonly available: number;
  readonly total: number;
}
