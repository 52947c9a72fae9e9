import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readPicture } from "./image-decode.node.ts";
import { openImages } from "./images.node.ts";

const folder = mkdtempSync(join(tmpdir(), "unnoise-decode-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Pictures of 32 × 16 pixels, the left half red and the right half blue, by Pillow 13.0.0; the JPEG is to be turned clockwise. */
const files = {
  "x.jpg":
    "/9j/4AAQSkZJRgABAQAAAQABAAD/4QAiRXhpZgAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIUFRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/wAARCAAQACADASIAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwDxSiiivzc/tU8vooor/R0/gc//2Q==",
  "x.webp": "UklGRigAAABXRUJQVlA4TBwAAAAvH8ADAA8wKEcBPRjy/EcLBAJJ/tIDLBDR/yhe",
};

function put(name: string, bytes: Uint8Array = Buffer.from(files[name as keyof typeof files], "base64")): string {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}

function hasSharp(): boolean {
  try {
    createRequire(import.meta.url).resolve("sharp");
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!hasSharp())("with sharp", () => {
  const isRed = ([r = 0, , b = 0]: readonly number[]): boolean => r > 150 && b < 90;

  test("JPEG is read and turned as its camera says", async () => {
    const { width, height, channels, data, largest } = await readPicture(put("x.jpg"));
    expect([width, height, channels, largest]).toEqual([16, 32, 3, 255]);
    const corners = [0, data.length - 3].map((start) => [...data.subarray(start, start + 3)]);
    expect(corners.map(isRed)).toEqual([true, false]);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])("orientation %d turns PNG as sharp turns JPEG", async (orientation) => {
    const { default: sharp } = await import("sharp");
    const pixels = Uint8Array.from({ length: 3 * 2 * 3 }, (_, i) => 10 * i);
    const picture = sharp(pixels, { raw: { width: 3, height: 2, channels: 3 } });
    const tagged = await picture.clone().withMetadata({ orientation }).png().toBuffer();
    const expected = await sharp(tagged).autoOrient().raw().toBuffer({ resolveWithObject: true });
    const read = await readPicture(put("turned.png", tagged));
    expect([read.width, read.height]).toEqual([expected.info.width, expected.info.height]);
    const colours = [...read.data].filter((_, i) => i % 4 < 3);
    expect(colours).toEqual([...expected.data]);
  });

  test("a picture is what its first bytes say, whatever its name", async () => {
    const jpeg = Buffer.from(files["x.jpg"], "base64");
    expect(await readPicture(put("jpeg.png", jpeg))).toMatchObject({ width: 16, height: 32, channels: 3 });
  });

  /** A grey TIFF of one row of float32 samples. */
  function floatTiff(samples: readonly number[]): Buffer {
    const [width, bytes] = [samples.length, 4 * samples.length];
    // Width, height, bits, no compression, black is 0, place, samples a pixel, rows a strip, bytes, IEEE floats.
    const entries = [
      [256, width],
      [257, 1],
      [258, 32],
      [259, 1],
      [262, 1],
      [273, 8],
      [277, 1],
      [278, 1],
      [279, bytes],
      [339, 3],
    ];
    const list = Buffer.alloc(2 + 12 * entries.length + 4);
    list.writeUInt16LE(entries.length);
    entries.forEach(([tag = 0, value = 0], i) => {
      list.writeUInt16LE(tag, 2 + 12 * i);
      list.writeUInt16LE(4, 4 + 12 * i);
      list.writeUInt32LE(1, 6 + 12 * i);
      list.writeUInt32LE(value, 10 + 12 * i);
    });
    const header = Buffer.from([0x49, 0x49, 42, 0, 0, 0, 0, 0]);
    header.writeUInt32LE(8 + bytes, 4);
    return Buffer.concat([header, Buffer.from(Float32Array.from(samples).buffer), list]);
  }

  test.each([
    [[0, 0.25, 0.5, 1], 1, "0…1"],
    [[0, 10, 200, 255], 255, "0…255"],
    [[0, 10, 200, 40_000], 65_535, "0…65535"],
    [[0, 0, 0, 0], 1, undefined],
  ])("fractions %j are read in 0…%d", async (samples, range, range2) => {
    const { data, largest, channels, meant } = await readPicture(put("ramp.tif", floatTiff(samples)));
    expect([[...data], largest, channels, meant]).toEqual([samples, range, 1, range2]);
  });

  test("fractions around 0 are read in −1…1, and rounding errors are clamped", async () => {
    const { data, largest, meant } = await readPicture(put("ramp.tif", floatTiff([-1.0005, -0.5, 0, 1])));
    expect([[...data], largest, meant]).toEqual([[0, 0.5, 1, 2], 2, "-1…1"]);
  });

  test.each([[[-3, 0.5]], [[0, 1e6]], [[0, NaN]], [[-5, 200]]])(
    "fractions %j of no known range are refused",
    async (samples) => {
      await expect(readPicture(put("ramp.tif", floatTiff(samples)))).rejects.toThrow(
        /ramp\.tif: samples from \S+ to \S+; expected them in one of 0…1, -1…1, 0…255, 0…65535$/,
      );
    },
  );

  test("pictures of one folder whose fractions lie in different ranges are refused; black is in any", async () => {
    const inner = mkdtempSync(join(folder, "ranges-"));
    const write = (name: string, samples: readonly number[]): void =>
      writeFileSync(join(inner, name), floatTiff(samples));
    const open = (): Promise<unknown> => openImages(inner, { cacheFolder: join(folder, "cache") });
    write("a.tif", [0, 0.5]);
    write("b.tif", [0, 0]);
    await expect(open()).resolves.toMatchObject({ count: 2 });
    write("c.tif", [0, 200]);
    await expect(open()).rejects.toThrow(/fractions in one range, got 0…1 as in \S+a\.tif, and 0…255 as in \S+c\.tif/);
  });

  test("16 bits are read as in PNG, whatever the kind", async () => {
    const { default: sharp } = await import("sharp");
    const samples = Uint16Array.from([0, 1, 127, 128, 255, 256, 40_000, 65_535]);
    const raw = { width: 8, height: 1, channels: 1 } as const;
    const image = sharp(samples, { raw }).toColourspace("grey16");
    const png = await readPicture(put("a.png", await image.clone().png().toBuffer()));
    const tiff = await readPicture(put("a.tif", await image.clone().tiff({ compression: "none" }).toBuffer()));
    expect([png.largest, tiff.largest]).toEqual([65_535, 65_535]);
    expect([...tiff.data].filter((_, i) => i % tiff.channels === 0)).toEqual([...samples]);
    expect([...png.data].filter((_, i) => i % 4 === 0)).toEqual([...samples]);
  });

  test.each([
    ["SVG", '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', /got "<svg xmlns=\\"/],
    ["nothing", "", /got an empty file/],
    ["control characters", "\u001b]0;title\u0007", /got "\\u001b\]0;/],
  ])("%s under the name of a picture is refused, whatever sharp could make of it", async (_, text, got) => {
    const reading = readPicture(put("x.jpg", Buffer.from(text)));
    await expect(reading).rejects.toMatchObject({ code: "format" });
    await expect(reading).rejects.toThrow(/x\.jpg: no picture .* expected PNG, JPEG, GIF, WebP, TIFF, AVIF, got/);
    await expect(reading).rejects.toThrow(got);
  });

  test("a picture of too many pixels is refused, of every kind", async () => {
    const { default: sharp } = await import("sharp");
    const wide = sharp({ create: { width: 16_000, height: 4_200, channels: 3, background: "red" } });
    for (const kind of ["jpeg", "png"] as const) {
      const path = put(`wide.${kind}`, await wide.clone().toFormat(kind).toBuffer());
      await expect(readPicture(path)).rejects.toThrow(/expected at most 67108864 pixels, .* got 16000 × 4200/);
    }
  }, 30_000);

  test("WebP is read", async () => {
    const { width, height, data } = await readPicture(put("x.webp"));
    expect([width, height]).toEqual([32, 16]);
    expect([...data.subarray(0, 3)]).toEqual([200, 40, 40]);
    expect([...data.subarray(93, 96)]).toEqual([40, 40, 200]);
  });

  test.each(["x.jpg", "x.webp"] as const)("half of %s is refused in one line", async (name) => {
    const whole = Buffer.from(files[name], "base64");
    const reading = readPicture(put(name, whole.subarray(0, whole.length / 2)));
    await expect(reading).rejects.toMatchObject({
      code: "format",
      message: expect.stringMatching(/damaged picture, [^\n]+$/) as string,
    });
  });
});

test.skipIf(hasSharp())("without sharp, its name is said", async () => {
  const reading = readPicture(put("x.jpg"));
  await expect(reading).rejects.toMatchObject({ code: "runtime" });
  await expect(reading).rejects.toThrow(/x\.jpg: reading JPEG needs the package sharp; run npm install sharp, or save/);
});
