import { UnnoiseError } from "../math/error.ts";
import { shown } from "../math/shown.ts";
import { halfToNumber } from "./half-float.ts";

/** How one value of a .npy file is read. */
export interface NpyElement {
  readonly bytes: number;
  readonly littleEndian: boolean;
  readonly read: (view: DataView, offset: number, littleEndian: boolean) => number;
}

const readers: Readonly<Record<string, NpyElement["read"]>> = {
  b1: (view, offset) => (view.getUint8(offset) === 0 ? 0 : 1),
  i1: (view, offset) => view.getInt8(offset),
  i2: (view, offset, little) => view.getInt16(offset, little),
  i4: (view, offset, little) => view.getInt32(offset, little),
  i8: (view, offset, little) => Number(view.getBigInt64(offset, little)),
  u1: (view, offset) => view.getUint8(offset),
  u2: (view, offset, little) => view.getUint16(offset, little),
  u4: (view, offset, little) => view.getUint32(offset, little),
  u8: (view, offset, little) => Number(view.getBigUint64(offset, little)),
  f2: (view, offset, little) => halfToNumber(view.getUint16(offset, little)),
  f4: (view, offset, little) => view.getFloat32(offset, little),
  f8: (view, offset, little) => view.getFloat64(offset, little),
};

const refusedKinds: Readonly<Record<string, string>> = {
  O: "Python objects",
  S: "byte strings",
  a: "byte strings",
  U: "text",
  T: "text",
  V: "raw or structured records",
  c: "complex numbers",
  M: "dates",
  m: "time differences",
};

function refusal(descr: string, name: string): UnnoiseError {
  const kind = refusedKinds[/[A-Za-z]/.exec(descr)?.[0] ?? ""];
  const what = kind === undefined ? "" : ` (${kind})`;
  return new UnnoiseError(
    "format",
    `${name}: dtype ${shown(descr)}${what} is not supported: expected real numbers, bool, int8…int64, uint8…uint64 ` +
      "or float16…float64; convert with array.astype('float64') before saving",
  );
}

/**
 * How to read values of NumPy type `descr`.
 * @throws UnnoiseError `format` for a type that does not hold real numbers
 */
export function npyElement(descr: string, name: string): NpyElement {
  const [, order = "", type = ""] = /^([<>|])([a-z]\d)$/.exec(descr) ?? [];
  const read = Object.hasOwn(readers, type) ? readers[type] : undefined;
  const bytes = Number(type.slice(1));
  if (read === undefined || (order === "|" && bytes > 1)) throw refusal(descr, name);
  return { bytes, littleEndian: order !== ">", read };
}
