import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readPicture } from "./image-decode.node.ts";

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
    [[0, 0.25, 0.5, 1], 1],
    [[0, 10, 200, 255], 255],
    [[0, 10, 200, 40_000], 65_535],
  ])("float samples %j are read in 0…%d", async (samples, range) => {
    const { data, largest, channels } = await readPicture(put("ramp.tif", floatTiff(samples)));
    expect([[...data], largest, channels]).toEqual([samples, range, 1]);
  });

  test("float samples of no known range are refused", async () => {
    await expect(readPicture(put("ramp.tif", floatTiff([-3, 0.5])))).rejects.toThrow(
      /ramp\.tif: samples from -3 to 0\.5; expected them in one of 0…1, 0…255, 0…65535/,
    );
  });

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
  await expect(reading).rejects.toThrow(
    /x\.jpg: no PNG picture; reading others needs the package sharp; run npm install sharp, or save/,
  );
});
