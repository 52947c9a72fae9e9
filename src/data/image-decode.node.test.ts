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

function put(name: keyof typeof files, bytes = Buffer.from(files[name], "base64")): string {
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
      message: expect.stringMatching(/damaged picture \([^\n]+$/) as string,
    });
  });
});

test.skipIf(hasSharp())("without sharp, its name is said", async () => {
  const reading = readPicture(put("x.jpg"));
  await expect(reading).rejects.toMatchObject({ code: "runtime" });
  await expect(reading).rejects.toThrow(/x\.jpg: reading jpg needs the package sharp; run npm install sharp, or save/);
});
