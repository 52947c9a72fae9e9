import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { crc32, crc32c } from "./crc32.ts";
import { tensorboardHeader, tensorboardRecord, type TensorboardEvent } from "./tensorboard.ts";

interface Golden {
  readonly wallTime: number;
  readonly records: Readonly<Record<"version" | "start" | "scalar" | "several" | "image", string>>;
}

const { wallTime, records } = JSON.parse(
  readFileSync(new URL("../../test/golden/tensorboard.json", import.meta.url), "utf8"),
) as Golden;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const values = (step: number, given: Readonly<Record<string, number>>): TensorboardEvent => ({
  kind: "values",
  step,
  values: Object.entries(given).map(([tag, value]) => ({ tag, value })),
});

describe("checksums", () => {
  it("are those of RFC 3720, B.4, and of ISO 3309", () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    const digits = new TextEncoder().encode("123456789");
    expect([crc32c(digits), crc32(digits)]).toEqual([0xe3069283, 0xcbf43926]);
  });
});

describe("records of an event file are, byte for byte, those of the tensorboard package", () => {
  const png = Uint8Array.from({ length: 200 }, (_, i) => i);
  const image = { height: 34, width: 69, channels: 4, png } as const;

  it("at its start", () => {
    expect(hex(tensorboardHeader(wallTime))).toBe(records.version);
  });

  it.each<[keyof Golden["records"], TensorboardEvent]>([
    ["start", { kind: "start", step: 41 }],
    ["scalar", values(100, { loss: 0.25 })],
    ["several", values(2 ** 40 + 3, { loss: 1 / 3, größe: -1e30, none: 0 })],
    ["image", { kind: "values", step: 7, values: [{ tag: "samples", value: image }] }],
  ])("of kind %s", (name, event) => {
    expect(hex(tensorboardRecord(event, wallTime))).toBe(records[name]);
  });

  it("and differ with the step, the time and the value", () => {
    for (const other of [
      tensorboardRecord(values(101, { loss: 0.25 }), wallTime),
      tensorboardRecord(values(100, { loss: 0.25 }), wallTime + 1),
      tensorboardRecord(values(100, { loss: 0.26 }), wallTime),
      tensorboardRecord(values(0, { loss: 0.25 }), wallTime),
    ])
      expect(hex(other)).not.toBe(records.scalar);
  });
});
