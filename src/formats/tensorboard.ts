import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { crc32c } from "./crc32.ts";

/** A value that TensorBoard shows under a tag. */
export interface TensorboardValue {
  readonly tag: string;
  /** A number of a curve, kept as float32, or a picture. */
  readonly value: number | TensorboardImage;
}

/** A picture as a PNG file. */
export interface TensorboardImage {
  readonly height: number;
  readonly width: number;
  /** 1 grey, 3 colour, 4 colour with opacity. */
  readonly channels: 1 | 3 | 4;
  readonly png: Uint8Array;
}

/** What an event tells: values of a step, or that from this step on earlier files count no more. */
export type TensorboardEvent =
  | { readonly kind: "values"; readonly step: number; readonly values: readonly TensorboardValue[] }
  | { readonly kind: "start"; readonly step: number };

/** The first record of every event file. */
const VERSION = "brain.Event:2";
/** Numbers of the fields in tensorflow/core/util/event.proto and framework/summary.proto. */
const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 } as const;
const VALUE = { tag: 1, simpleValue: 2, image: 4 } as const;
const IMAGE = { height: 1, width: 2, colorspace: 3, encoded: 4 } as const;
/** `SessionLog.status` and what it is at a start. */
const SESSION = { status: 1, start: 1 } as const;

/**
 * The record with which an event file begins.
 * @param wallTime seconds since 1970
 */
export function tensorboardHeader(wallTime: number): Uint8Array {
  return tfRecord(eventAt(wallTime).tag(EVENT.fileVersion, WireType.LengthDelimited).string(VERSION).finish());
}

/**
 * One event as a record of TensorBoard's event file: an `Event` message in TFRecord's frame.
 * @param wallTime seconds since 1970
 */
export function tensorboardRecord(event: TensorboardEvent, wallTime: number): Uint8Array {
  const writer = eventAt(wallTime);
  if (event.step !== 0) writer.tag(EVENT.step, WireType.Varint).int64(event.step);
  if (event.kind === "start") {
    const log = new BinaryWriter().tag(SESSION.status, WireType.Varint).int32(SESSION.start);
    return tfRecord(nested(writer, EVENT.sessionLog, log).finish());
  }
  const summary = new BinaryWriter();
  for (const value of event.values) nested(summary, 1, valueMessage(value));
  return tfRecord(nested(writer, EVENT.summary, summary).finish());
}

function eventAt(wallTime: number): BinaryWriter {
  return new BinaryWriter().tag(EVENT.wallTime, WireType.Bit64).double(wallTime);
}

function nested(outer: BinaryWriter, field: number, message: BinaryWriter): BinaryWriter {
  return outer.tag(field, WireType.LengthDelimited).bytes(message.finish());
}

function valueMessage({ tag, value }: TensorboardValue): BinaryWriter {
  const writer = new BinaryWriter().tag(VALUE.tag, WireType.LengthDelimited).string(tag);
  if (typeof value === "number") return writer.tag(VALUE.simpleValue, WireType.Bit32).float(Math.fround(value));
  const { height, width, channels, png } = value;
  const image = new BinaryWriter();
  for (const [field, extent] of [
    [IMAGE.height, height],
    [IMAGE.width, width],
    [IMAGE.colorspace, channels],
  ] as const) {
    image.tag(field, WireType.Varint).int32(extent);
  }
  return nested(writer, VALUE.image, image.tag(IMAGE.encoded, WireType.LengthDelimited).bytes(png));
}

/** Bytes before the data: their length in eight, and its checksum. */
const HEAD = 12;

/** Data in TFRecord's frame: length, checksum of the length, data, checksum of the data. */
function tfRecord(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(HEAD + data.length + 4);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, masked(crc32c(out.subarray(0, 8))), true);
  out.set(data, HEAD);
  view.setUint32(HEAD + data.length, masked(crc32c(data)), true);
  return out;
}

/** A checksum as TFRecord keeps it, since checksums of data that hold checksums are weak. */
function masked(checksum: number): number {
  return (((checksum >>> 15) | (checksum << 17)) + 0xa282ead8) >>> 0;
}
