import { UnnoiseError } from "../math/error.ts";

type Arrays = Readonly<Record<string, ArrayBufferView>>;

interface Slot {
  readonly name: string;
  readonly result: boolean;
  array: ArrayBufferView | undefined;
}

/**
 * Refuses results that would be written over a feed or another result: the provider would read what it has just written. Arrays
 * that stand where they stood in the last run are not compared again, so that a loop over the same arrays pays almost nothing.
 */
export class OverlapCheck {
  readonly #slots: readonly Slot[];

  constructor(inputs: Iterable<string>, outputs: Iterable<string>) {
    const slotsOf = (names: Iterable<string>, result: boolean): Slot[] =>
      [...names].map((name) => ({ name, result, array: undefined }));
    this.#slots = [...slotsOf(inputs, false), ...slotsOf(outputs, true)];
  }

  /** @throws UnnoiseError `runtime` when a result shares bytes with a feed or with another result */
  check(feeds: Arrays, results: Arrays): void {
    const moved: Slot[] = [];
    for (const slot of this.#slots) {
      const array = (slot.result ? results : feeds)[slot.name];
      if (array === slot.array) continue;
      slot.array = array;
      moved.push(slot);
    }
    try {
      for (const slot of moved) this.#compare(slot);
    } catch (error) {
      for (const slot of moved) slot.array = undefined;
      throw error;
    }
  }

  #compare(slot: Slot): void {
    for (const other of this.#slots) {
      if (other === slot || !(slot.result || other.result) || !overlap(slot.array, other.array)) continue;
      const [result, rest] = slot.result ? [slot, other] : [other, slot];
      const what = rest.result ? "result" : "input";
      throw new UnnoiseError(
        "runtime",
        `result ${result.name} shares memory with ${what} ${rest.name}; give each result an array of its own`,
      );
    }
  }
}

function overlap(a: ArrayBufferView | undefined, b: ArrayBufferView | undefined): boolean {
  if (!a || !b || a.buffer !== b.buffer) return false;
  return a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength;
}
