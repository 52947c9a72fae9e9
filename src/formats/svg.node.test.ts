import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { encodePng } from "./png.ts";
import { decodeSvg } from "./svg.node.ts";

const folder = mkdtempSync(join(tmpdir(), "unnoise-svg-"));
afterAll(() => rmSync(folder, { recursive: true }));
const svg = (content: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="8" height="4">${content}</svg>`;
const square = '<rect id="r" width="4" height="4"/>';

describe("what stays inside its file is drawn", () => {
  const png = `data:image/png;base64,${Buffer.from(encodePng({ width: 1, height: 1, data: Uint8Array.of(0, 0, 0, 255) })).toString("base64")}`;
  test.each([
    ["shapes", square],
    ["a use of a shape", `${square}<use xlink:href="#r" x="4"/>`],
    ["a gradient", `<linearGradient id="g"/><rect width="4" height="4" fill="url(#g)"/>`],
    ["a picture inside", `<image href="${png}" width="4" height="4"/>`],
    ["a hyperlink", `<a href="https://example.org/">${square}</a>`],
  ])("%s", async (_, content) => {
    const { width, height, data } = await decodeSvg(svg(content), "a.svg");
    expect([width, height, data.length]).toEqual([1024, 512, 4 * 1024 * 512]);
  });
});

describe("what reaches outside, or no XML may hold, is refused before it is drawn", () => {
  const secret = join(folder, "secret.png");
  writeFileSync(secret, encodePng({ width: 1, height: 1, data: Uint8Array.of(0, 0, 0, 255) }));
  const nested = `data:image/svg+xml;base64,${Buffer.from(svg(`<image href="${secret}"/>`)).toString("base64")}`;
  test.each([
    ["a picture by its path", `<image href="${secret}" width="4" height="4"/>`, /refers to .* outside itself/],
    [
      "by another prefix",
      `<g xmlns:x="http://www.w3.org/1999/xlink"><image x:href='${secret}'/></g>`,
      /outside itself/,
    ],
    ["in a drawing inside", `<image href="${nested}"/>`, /outside itself/],
    ["a reference in disguise", `<image href="&#47;etc/passwd"/>`, /outside itself/],
    ["a style's address", `<rect width="4" height="4" style="fill:url(file:///etc/passwd)"/>`, /outside itself/],
    ["an imported style", `<style>@import "x.css";</style>`, /imports styles/],
    ["NUL", `${square}\u0000`, /the character "\\u0000", which no SVG may hold/],
  ])("%s", async (_, content, message) => {
    await expect(decodeSvg(svg(content), "a.svg")).rejects.toMatchObject({ code: "format" });
    await expect(decodeSvg(svg(content), "a.svg")).rejects.toThrow(message);
  });

  test("entities", async () => {
    const text = `<!DOCTYPE svg [<!ENTITY a "b">]>${svg(square)}`;
    await expect(decodeSvg(text, "a.svg")).rejects.toThrow(/entities of its own/);
  });
});
