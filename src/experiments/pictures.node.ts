import { createHash } from "node:crypto";
import { join } from "node:path";
import { readFileBytes, writeFileAtomic } from "../formats/write-file.node.ts";
import { UnnoiseError, at } from "../math/error.ts";
import { jobOf, type Job } from "./job.ts";
import { pictureFiles, pictureKind, type PictureConfig } from "./jobs/picture.node.ts";
import { runJobs, type RunJobsOptions } from "./run-jobs.node.ts";
import type { Figure } from "./study.ts";

/** A figure with its files: markup (of the last frame, where it moves) and pixels. */
export interface DrawnFigure extends Figure {
  /** Files by their ending. */
  readonly files: ReadonlyMap<"svg" | "png" | "gif", Uint8Array>;
}

/** Width of pictures in px: that of a page. */
const PNG_WIDTH = 880;

const framesOf = ({ svg }: Figure): readonly string[] => (typeof svg === "string" ? [svg] : svg);
const stillOf = (figure: Figure): string => at(framesOf(figure), framesOf(figure).length - 1);

/**
 * Draws figures as pixels, in the lanes: every one as PNG, those that move as GIF too. What was drawn before is not drawn again.
 * @throws UnnoiseError `format` for markup that is no SVG, `interrupted` after the signal
 */
export async function drawFigures(figures: readonly Figure[], options: RunJobsOptions): Promise<DrawnFigure[]> {
  const planned = figures.map((figure) => ({ figure, jobs: picturesOf(figure) }));
  for (const { jobs } of planned) {
    for (const { job, frames } of jobs) await layFrames(job, frames, options);
  }
  const { failures } = await runJobs(
    planned.flatMap(({ jobs }) => jobs.map(({ job }) => job)),
    options,
  );
  const [failed] = failures;
  if (failed) throw new UnnoiseError("format", `${failed.job.label}: ${failed.reason}`);
  return Promise.all(planned.map(({ figure, jobs }) => drawn(figure, jobs, options)));
}

interface Picture {
  readonly job: Job;
  readonly config: PictureConfig;
  readonly frames: readonly string[];
}

function picturesOf(figure: Figure): Picture[] {
  const still = pictureOf(figure.name, "png", [stillOf(figure)]);
  return typeof figure.svg === "string" ? [still] : [still, pictureOf(figure.name, "gif", figure.svg)];
}

function pictureOf(name: string, format: PictureConfig["format"], frames: readonly string[]): Picture {
  const digest = createHash("sha256").update(JSON.stringify(frames)).digest("hex");
  const config = { digest, format, width: format === "png" ? PNG_WIDTH : null };
  return { job: jobOf(pictureKind, config, `draw ${name}.${format}`), config, frames };
}

async function layFrames(job: Job, frames: readonly string[], { cache }: RunJobsOptions): Promise<void> {
  if (await cache.has(job)) return;
  await writeFileAtomic(join(await cache.prepare(job), pictureFiles.frames), JSON.stringify(frames));
}

async function drawn(figure: Figure, jobs: readonly Picture[], { cache }: RunJobsOptions): Promise<DrawnFigure> {
  const files = new Map<"svg" | "png" | "gif", Uint8Array>([["svg", new TextEncoder().encode(stillOf(figure))]]);
  for (const { job, config } of jobs) {
    files.set(config.format, await readFileBytes(join(cache.folderOf(job), pictureFiles.picture(config))));
  }
  return { ...figure, files };
}
