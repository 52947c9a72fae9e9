import { describe, expect, it } from "vitest";
import { framesToGif, renderFigure, svgToImage, svgToPng } from "./render.node.ts";
import { reportPage } from "./report.ts";

const svg = (text: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40" font-family="DejaVu Sans, system-ui"><text x="5" y="25">${text}</text></svg>`;

const dark = (data: ArrayLike<number>): number =>
  Array.from(data).filter((value, index) => index % 4 === 0 && value < 128).length;

const pngSize = (png: Uint8Array): number[] => {
  const view = new DataView(png.buffer, png.byteOffset);
  return [view.getUint32(16), view.getUint32(20)];
};

/** Counts image blocks by walking the blocks of a GIF file. */
function gifFrames(gif: Uint8Array): number {
  const byte = (offset: number): number => gif[offset] ?? 0;
  const skipSubBlocks = (start: number): number => {
    let offset = start;
    while (byte(offset) !== 0) offset += byte(offset) + 1;
    return offset + 1;
  };
  const tableSize = (flags: number): number => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);
  let frames = 0;
  let offset = 13 + tableSize(byte(10));
  while (byte(offset) !== 0x3b && offset < gif.length) {
    if (byte(offset) === 0x21) offset = skipSubBlocks(offset + 2);
    else {
      frames++;
      offset = skipSubBlocks(offset + 10 + tableSize(byte(offset + 9)) + 1);
    }
  }
  return frames;
}

describe("pixels", () => {
  it("PNG has its signature and the size asked for, twice the figure's by default", async () => {
    const png = await svgToPng(svg("a"));
    expect([...png.subarray(0, 8)]).toEqual([137, 80, 78, 71, 13, 10, 26, 10]);
    expect(pngSize(png)).toEqual([240, 80]);
    expect(pngSize(await svgToPng(svg("a"), { width: 600 }))).toEqual([600, 200]);
    expect(await svgToPng(svg("a"))).toEqual(png);
  });

  it("draws text, Greek with marks included, and nothing without it", async () => {
    expect(dark((await svgToImage(svg(""))).data)).toBe(0);
    expect(dark((await svgToImage(svg("abc"))).data)).toBeGreaterThan(50);
    const [plain, marked] = [await svgToImage(svg("β")), await svgToImage(svg("β̃"))];
    expect(dark(marked.data)).toBeGreaterThan(dark(plain.data));
  });

  it("draws bold text bolder", async () => {
    const bold = svg("abc").replace("<text", '<text font-weight="bold"');
    expect(dark((await svgToImage(bold)).data)).toBeGreaterThan(1.2 * dark((await svgToImage(svg("abc"))).data));
  });

  it("refuses markup that is not well-formed", async () => {
    await expect(svgToPng("<svg><g></svg>")).rejects.toMatchObject({ code: "format" });
  });
});

describe("files", () => {
  it("GIF holds every frame at the width asked for", async () => {
    const gif = await framesToGif(["1", "2", "3"].map(svg), { width: 90, delay: 100 });
    expect(new TextDecoder().decode(gif.subarray(0, 6))).toBe("GIF89a");
    expect(new DataView(gif.buffer, gif.byteOffset).getUint16(6, true)).toBe(90);
    expect(gifFrames(gif)).toBe(3);
    expect(gifFrames(await framesToGif([svg("1")]))).toBe(1);
  });

  it("gives the bytes of each format, and refuses an animation as a still", async () => {
    expect(new TextDecoder().decode(await renderFigure(svg("a"), "svg"))).toBe(svg("a"));
    expect(pngSize(await renderFigure(svg("a"), "png"))).toEqual([240, 80]);
    expect(gifFrames(await renderFigure([svg("a"), svg("b")], "gif"))).toBe(2);
    await expect(renderFigure([svg("a")], "png")).rejects.toMatchObject({ code: "usage" });
    await expect(framesToGif([])).rejects.toMatchObject({ code: "usage" });
  });
});

describe("report", () => {
  const hostile = `<script>alert("1")</script>&"'`;
  const page = reportPage({
    title: hostile,
    command: hostile,
    sections: [
      {
        heading: hostile,
        text: `one\n\ntwo ${hostile}`,
        tables: [{ header: [hostile, "ratio"], rows: [["W2", hostile]], folded: hostile }],
        link: { text: hostile, href: hostile },
        figures: [
          { caption: hostile, svg: svg("50% #1 β̃") },
          { caption: "png", pngDataUri: "data:image/png;base64,iVBORw0KGgo=" },
        ],
      },
    ],
  });

  it("escapes everything and reaches for nothing outside itself", () => {
    expect(page).not.toMatch(/<script|<link|@import|url\(|src="(?!data:)|href="(?!&lt;)/);
    expect(page).toContain("<p>one</p>");
    expect(page).toContain("prefers-color-scheme: dark");
    expect(page.match(/<img /g)).toHaveLength(2);
  });

  it("embeds figures so that they decode to what was given", () => {
    const source = /src="data:image\/svg\+xml,([^"]*)"/.exec(page)?.[1] ?? "";
    expect(decodeURIComponent(source)).toBe(svg("50% #1 β̃"));
  });

  it("refuses a picture that is not the data URI it should be", () => {
    const figures = [{ caption: "", gifDataUri: 'data:image/png;base64,AA" onerror="' }];
    expect(() => reportPage({ title: "", command: "", sections: [{ heading: "", text: "", figures }] })).toThrow(
      /data URI/,
    );
  });
});
