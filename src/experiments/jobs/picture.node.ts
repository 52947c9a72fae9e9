import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { renderFigure, svgToPng } from "../../figures/render.node.ts";
import { writeFileAtomic } from "../../formats/write-file.node.ts";
import type { JobKind } from "../job.ts";

/** A figure as pixels. */
export interface PictureConfig {
  /** SHA-256 of its SVG markup, which lies in the job's folder as `frames.json`. */
  readonly digest: string;
  readonly format: "png" | "gif";
  /** Pixels; null for the natural width. */
  readonly width: number | null;
}

/** Names of files in the folder of a picture. */
export const pictureFiles = {
  /** A list of SVG markups, there until they are drawn. */
  frames: "frames.json",
  picture: ({ format }: Pick<PictureConfig, "format">): string => `picture.${format}`,
} as const;

const SECONDS = { png: 0.5, gif: 6 } as const;

/** Draws SVG as a PNG or GIF file in its folder. */
export const pictureKind: JobKind<PictureConfig, Record<string, never>> = {
  name: "picture",
  version: 1,
  seconds: ({ format }) => SECONDS[format],
  run: async ({ format, width }, { folder }) => {
    const framesPath = join(folder, pictureFiles.frames);
    const frames = JSON.parse(await readFile(framesPath, "utf8")) as string[];
    const size = width === null ? {} : { width };
    const bytes = format === "png" ? await svgToPng(frames[0] ?? "", size) : await renderFigure(frames, "gif", size);
    await writeFileAtomic(join(folder, pictureFiles.picture({ format })), bytes);
    await rm(framesPath, { force: true });
    return { values: {}, arrays: {} };
  },
};
