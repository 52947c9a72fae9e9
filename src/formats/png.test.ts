import { crc32, deflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { corruptions } from "../../test/corrupt.ts";
import { UnnoiseError } from "../math/error.ts";
import { decodePng, encodePng } from "./png.ts";

/** What a PNG file is made of: the bytes of each row after its filter byte. */
interface Parts {
  readonly size: readonly [number, number];
  readonly depth: number;
  readonly colour: number;
  readonly rows: readonly (readonly number[])[];
  readonly palette?: readonly number[];
  readonly transparency?: readonly number[];
  readonly interlace?: number;
}

function chunk(type: string, content: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type), content]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(content.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

function png({ size, depth, colour, rows, palette, transparency, interlace = 0 }: Parts): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size[0]);
  header.writeUInt32BE(size[1], 4);
  header.set([depth, colour, 0, 0, interlace], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    ...(palette ? [chunk("PLTE", Uint8Array.from(palette))] : []),
    ...(transparency ? [chunk("tRNS", Uint8Array.from(transparency))] : []),
    chunk("IDAT", deflateSync(Uint8Array.from(rows.flatMap((row) => [0, ...row])))),
    chunk("IEND", new Uint8Array()),
  ]);
}

const grey = (...levels: number[]): number[] => levels.flatMap((level) => [level, level, level, 255]);

describe("reads PNG", () => {
  test.each<[string, Parts, number[]]>([
    [
      "grey, 1 bit",
      { size: [3, 2], depth: 1, colour: 0, rows: [[0b101 << 5], [0b010 << 5]] },
      grey(255, 0, 255, 0, 255, 0),
    ],
    ["grey, 2 bits", { size: [4, 1], depth: 2, colour: 0, rows: [[0b00011011]] }, grey(0, 85, 170, 255)],
    ["grey, 4 bits", { size: [3, 1], depth: 4, colour: 0, rows: [[0x0f, 0x70]] }, grey(0, 255, 119)],
    ["grey, 8 bits", { size: [2, 1], depth: 8, colour: 0, rows: [[7, 200]] }, grey(7, 200)],
    [
      "grey with a transparent level",
      { size: [2, 1], depth: 8, colour: 0, rows: [[7, 200]], transparency: [0, 7] },
      [7, 7, 7, 0, 200, 200, 200, 255],
    ],
    [
      "grey with opacity",
      { size: [2, 1], depth: 8, colour: 4, rows: [[7, 9, 200, 100]] },
      [7, 7, 7, 9, 200, 200, 200, 100],
    ],
    ["colour", { size: [2, 1], depth: 8, colour: 2, rows: [[1, 2, 3, 4, 5, 6]] }, [1, 2, 3, 255, 4, 5, 6, 255]],
    [
      "colour with a transparent one",
      { size: [3, 1], depth: 8, colour: 2, rows: [[1, 2, 3, 1, 2, 4, 1, 2, 3]], transparency: [0, 1, 0, 2, 0, 3] },
      [1, 2, 3, 0, 1, 2, 4, 255, 1, 2, 3, 0],
    ],
    [
      "colour with opacity",
      {
        size: [1, 2],
        depth: 8,
        colour: 6,
        rows: [
          [1, 2, 3, 4],
          [5, 6, 7, 8],
        ],
      },
      [1, 2, 3, 4, 5, 6, 7, 8],
    ],
    [
      "a palette, 1 bit",
      { size: [3, 1], depth: 1, colour: 3, rows: [[0b011 << 5]], palette: [10, 20, 30, 40, 50, 60] },
      [10, 20, 30, 255, 40, 50, 60, 255, 40, 50, 60, 255],
    ],
    [
      "a palette with opacity, 8 bits",
      { size: [2, 1], depth: 8, colour: 3, rows: [[1, 0]], palette: [10, 20, 30, 40, 50, 60], transparency: [99] },
      [40, 50, 60, 255, 10, 20, 30, 99],
    ],
  ])("%s", (_, parts, expected) => {
    const { width, height, data, largest } = decodePng(png(parts), "p.png");
    expect([width, height, largest]).toEqual([...parts.size, 255]);
    expect([...data]).toEqual(expected);
  });

  test.each<[string, Parts, number[]]>([
    [
      "grey",
      { size: [2, 1], depth: 16, colour: 0, rows: [[1, 2, 255, 254]] },
      [258, 258, 258, 65_535, 65_534, 65_534, 65_534, 65_535],
    ],
    [
      "colour with opacity",
      { size: [1, 1], depth: 16, colour: 6, rows: [[0, 1, 0, 2, 1, 0, 128, 0]] },
      [1, 2, 256, 32_768],
    ],
  ])("%s of 16 bits", (_, parts, expected) => {
    const { data, largest } = decodePng(png(parts), "p.png");
    expect([[...data], largest]).toEqual([expected, 65_535]);
  });

  test("as it is written", () => {
    const image = { width: 3, height: 2, data: Uint8Array.from({ length: 24 }, (_, i) => 10 * i) };
    expect(decodePng(encodePng(image), "p.png")).toMatchObject({ ...image, largest: 255, frames: 1 });
  });
});

const small: Parts = { size: [2, 1], depth: 8, colour: 0, rows: [[7, 200]] };
test.each<[string, Uint8Array, string, RegExp]>([
  ["text", Buffer.from("this is a long text but no picture at all"), "format", /not a PNG image/],
  ["nothing", new Uint8Array(), "format", /not a PNG image/],
  ["a part", png(small).subarray(0, 50), "format", /damaged PNG image \([^)]*[^):]\)$/],
  ["a changed byte", png(small).map((byte, i) => (i === 45 ? byte ^ 1 : byte)), "format", /damaged PNG image/],
  ["a huge image", png({ ...small, size: [5000, 4000] }), "data", /at most 16777216 pixels, .* got 5000 × 4000/],
  ["few bits, interlaced", png({ ...small, depth: 4, interlace: 1 }), "data", /interlaced with 4 bits/],
])("refuses %s", (_, bytes, code, message) => {
  const error = ((): unknown => {
    try {
      return decodePng(bytes, "p.png");
    } catch (reason) {
      return reason;
    }
  })();
  if (!(error instanceof UnnoiseError)) throw new Error(`expected an UnnoiseError, got ${String(error)}`);
  expect(error.code).toBe(code);
  expect(error.message).toMatch(message);
  expect(error.message).toMatch(/^p\.png: [^\n]+$/);
});

test("200 damaged files each give an error of ours or a picture of the size that they say", () => {
  const image = { width: 9, height: 7, data: Uint8Array.from({ length: 252 }, (_, i) => (i * i) % 256) };
  let refused = 0;
  for (const bytes of corruptions(encodePng(image), 200)) {
    try {
      const { width, height, data } = decodePng(bytes, "p.png");
      expect(data.length).toBe(4 * width * height);
    } catch (error) {
      expect(error).toBeInstanceOf(UnnoiseError);
      expect((error as UnnoiseError).message).toMatch(/^p\.png: [^\n]+$/);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(120);
});

describe("bounds", () => {
  /** A PNG of 8 × 8 grey pixels with these parts before and after its own. */
  const withParts = (before: readonly Buffer[], pixels: Uint8Array): Uint8Array => {
    const header = Buffer.from([0, 0, 0, 8, 0, 0, 0, 8, 8, 0, 0, 0, 0]);
    return Buffer.concat([
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
      chunk("IHDR", header),
      ...before,
      chunk("IDAT", deflateSync(pixels)),
      chunk("IEND", new Uint8Array()),
    ]);
  };
  const zeros = deflateSync(new Uint8Array(2 ** 27));

  test("no more is decompressed than the header promises", () => {
    const before = process.memoryUsage().arrayBuffers;
    expect(() => decodePng(withParts([], new Uint8Array(2 ** 27)), "b.png")).toThrow(
      /more pixels than its header of 72 bytes/,
    );
    expect(() => decodePng(withParts([], new Uint8Array(71)), "b.png")).toThrow(
      /pixels of 71 bytes where its header promises 72/,
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 26);
  });

  test("a profile of colour is not decompressed", () => {
    const profile = chunk("iCCP", Buffer.concat([Buffer.from("p\0\0"), zeros]));
    const before = process.memoryUsage().arrayBuffers;
    expect(decodePng(withParts([profile], new Uint8Array(72)), "b.png")).toMatchObject({ width: 8, height: 8 });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 26);
  });

  test("a second header, or one out of place, is refused", () => {
    const huge = Buffer.from([0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff, 8, 0, 0, 0, 0]);
    expect(() => decodePng(withParts([chunk("IHDR", huge)], new Uint8Array(72)), "b.png")).toThrow(/a second header/);
  });

  test("frames are counted", () => {
    const control = chunk("acTL", Buffer.from([0, 0, 0, 5, 0, 0, 0, 0]));
    expect(decodePng(withParts([control], new Uint8Array(72)), "b.png").frames).toBe(5);
  });
});

test("headers and orders of parts that are wrong, with right checksums, give an error of ours or all that they promise", () => {
  const header = Buffer.from([0, 0, 0, 5, 0, 0, 0, 3, 8, 2, 0, 0, 0]);
  const rows = Buffer.alloc(3 * 16, 7).map((byte, i) => (i % 16 === 0 ? (i / 16) % 5 : byte));
  const parts: readonly (readonly [string, Uint8Array])[] = [
    ["IHDR", header],
    ["PLTE", Uint8Array.of(1, 2, 3, 4, 5, 6)],
    ["tRNS", Uint8Array.of(0, 1, 0, 2, 0, 3)],
    ["eXIf", Buffer.from("4d4d002a0000000800010112000300000001000600000000", "hex")],
    ["acTL", Uint8Array.of(0, 0, 0, 2, 0, 0, 0, 0)],
    ["IDAT", deflateSync(rows)],
    ["IEND", new Uint8Array()],
  ];
  const fileOf = (chosen: readonly (readonly [string, Uint8Array])[]): Uint8Array =>
    Buffer.concat([
      Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
      ...chosen.map(([type, content]) => chunk(type, content)),
    ]);
  expect(decodePng(fileOf(parts), "p.png")).toMatchObject({ width: 5, height: 3, frames: 2, orientation: 6 });
  const change = fc.record({ part: fc.nat(), place: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) });
  const order = fc.oneof(
    { weight: 3, arbitrary: fc.constant(parts) },
    { weight: 1, arbitrary: fc.shuffledSubarray([...parts, ...parts], { minLength: 3 }) },
  );
  let read = 0;
  fc.assert(
    fc.property(order, fc.array(change, { maxLength: 2 }), (chosen, changes) => {
      const changed = chosen.map(([type, content]) => [type, Uint8Array.from(content)] as const);
      for (const { part, place, byte } of changes) {
        const content = changed[part % changed.length]?.[1];
        if (content && content.length > 0) content[place % content.length] = byte;
      }
      try {
        const { width, height, data } = decodePng(fileOf(changed), "p.png");
        expect(data.length).toBe(4 * width * height);
        read++;
      } catch (error) {
        expect(error).toBeInstanceOf(UnnoiseError);
        expect((error as UnnoiseError).message).toMatch(/^p\.png: [^\n]+$/);
      }
    }),
    { numRuns: 1000, seed: 7 },
  );
  // Both ends are reached: neither is all refused, nor all read.
  expect(read).toBeGreaterThan(200);
  expect(read).toBeLessThan(900);
});
