import type { Draws } from "./draws.ts";
import { mutatedBytes } from "./mutate-bytes.ts";

/** A field of a protocol buffer: its number and wire type, and what stands there; for messages and texts without the length. */
interface Field {
  readonly tag: number;
  readonly body: Uint8Array;
}

function varint(bytes: Uint8Array, at: number): { value: number; next: number } | undefined {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return undefined;
    value += (byte & 127) * 128 ** i;
    if (byte < 128) return { value, next: at + i + 1 };
  }
  return undefined;
}

function varintOf(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push(rest < 128 ? rest : (rest % 128) + 128);
    if (rest < 128) return Uint8Array.from(bytes);
  }
}

/** The fields of a message; undefined for bytes that are none. */
function fieldsOf(bytes: Uint8Array): Field[] | undefined {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = varint(bytes, at);
    if (tag === undefined || tag.value < 8 || tag.value > 8 * 300) return undefined;
    const wire = tag.value & 7;
    if (wire !== 0 && wire !== 1 && wire !== 2 && wire !== 5) return undefined;
    const first = varint(bytes, tag.next);
    if ((wire === 0 || wire === 2) && first === undefined) return undefined;
    const start = wire === 2 ? (first?.next ?? 0) : tag.next;
    const end = wire === 0 ? (first?.next ?? 0) : start + (wire === 2 ? (first?.value ?? 0) : wire === 1 ? 8 : 4);
    if (end > bytes.length) return undefined;
    fields.push({ tag: tag.value, body: bytes.slice(start, end) });
    at = end;
  }
  return fields;
}

const bytesOf = (fields: readonly Field[]): Uint8Array =>
  new Uint8Array(
    Buffer.concat(
      fields.flatMap(({ tag, body }) => [varintOf(tag), ...((tag & 7) === 2 ? [varintOf(body.length)] : []), body]),
    ),
  );

/** A message with one field changed, left out or doubled, at any depth; the lengths around it are made right. */
export function mutatedProto(bytes: Uint8Array, draws: Draws): Uint8Array {
  const fields = bytes.length === 0 ? undefined : fieldsOf(bytes);
  if (fields === undefined || fields.length === 0) return mutatedBytes(bytes, draws);
  const at = draws.below(fields.length);
  const field = fields[at] as Field;
  const kind = draws.below(8);
  if (kind === 0) fields.splice(at, 1);
  else if (kind === 1) fields.splice(at, 0, field);
  else if ((field.tag & 7) === 0)
    fields[at] = { ...field, body: varintOf(draws.one([0, 1, 2, 3, 7, 64, 2 ** 20, 2 ** 31, 2 ** 40])) };
  else if ((field.tag & 7) === 2) fields[at] = { ...field, body: mutatedProto(field.body, draws) };
  else fields[at] = { ...field, body: field.body.map(() => draws.below(256)) };
  return bytesOf(fields);
}
