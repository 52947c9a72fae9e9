import { getEnvironmentData, setEnvironmentData } from "node:worker_threads";
import type { Ort } from "./backend.ts";

/** Where threads that are started from now on find the gate. */
const KEY = "unnoise-native-gate";
const INSIDE = 0;
const CLOSED = 1;

/**
 * What lets a program end its threads at any moment: ONNX Runtime ends the whole process when a thread is ended inside it. Each call into
 * it passes the gate; once that is closed, no call begins, and when none is inside the threads can be ended.
 */
export class NativeGate {
  readonly #cells: Int32Array;

  private constructor(cells: Int32Array) {
    this.#cells = cells;
  }

  /** Sets up the gate of all threads that are started after this. */
  static install(): NativeGate {
    const cells = new Int32Array(new SharedArrayBuffer(8));
    setEnvironmentData(KEY, cells);
    return new NativeGate(cells);
  }

  /** The gate of the program that started this thread, if it set up one. */
  static ofThread(): NativeGate | undefined {
    const cells = getEnvironmentData(KEY);
    return cells instanceof Int32Array ? new NativeGate(cells) : undefined;
  }

  /** From now on threads stop where they would call. */
  close(): void {
    Atomics.store(this.#cells, CLOSED, 1);
  }

  /** Whether a thread is inside a call. */
  get busy(): boolean {
    return Atomics.load(this.#cells, INSIDE) > 0;
  }

  /** Makes a call, or never comes back where the gate is closed. */
  async pass<T>(call: () => Promise<T>): Promise<T> {
    Atomics.add(this.#cells, INSIDE, 1);
    if (Atomics.load(this.#cells, CLOSED) === 1) {
      Atomics.sub(this.#cells, INSIDE, 1);
      Atomics.wait(this.#cells, CLOSED, 1);
    }
    return call().finally(() => Atomics.sub(this.#cells, INSIDE, 1));
  }
}

const gated = new WeakSet();

/** Loads ONNX Runtime, and leads this and all calls into it through the gate of this thread, if there is one. */
export async function loadGated(load: () => Promise<Ort>): Promise<Ort> {
  const gate = NativeGate.ofThread();
  if (gate === undefined) return load();
  const ort = await gate.pass(load);
  if (!gated.has(ort)) gateCalls(ort, gate);
  return ort;
}

function gateCalls(ort: Ort, gate: NativeGate): void {
  gated.add(ort);
  const throughGate = (holder: object, name: string): void => {
    const call = Reflect.get(holder, name) as (...args: unknown[]) => Promise<unknown>;
    Reflect.set(holder, name, function (this: unknown, ...args: unknown[]) {
      return gate.pass(() => call.apply(this, args));
    });
  };
  throughGate(ort.InferenceSession, "create");
  for (const name of ["run", "release"]) throughGate(Reflect.get(ort.InferenceSession, "prototype") as object, name);
}
