import { join } from "node:path";
import type { ImageDataset } from "../data/images.ts";
import type { RgbaImage } from "../formats/image.ts";
import { makeFolder } from "../formats/make-folder.node.ts";
import { encodePng } from "../formats/png.ts";
import type { TensorboardImage } from "../formats/tensorboard.ts";
import { writeFileAtomic } from "../formats/write-file.node.ts";
import type { CompileOptions } from "../runtime/executable.ts";
import type { ImageModel } from "./model.ts";
import type { RunFolder } from "./run-folder.node.ts";
import type { MeasureEvent } from "./run-log-event.ts";
import { checkMeasures, heldOutBound, sampleGrid, type MeasureConfig } from "./run-samples.ts";
import { sampleGridName } from "./run-samples-name.ts";

/** What was measured after an iteration. */
export interface Measured {
  readonly events: readonly MeasureEvent[];
  readonly picture?: TensorboardImage;
}

/** The grids and bounds of a run on images. They draw from streams and use sessions of their own, so that training goes on as without. */
export class RunMeasures {
  readonly #folder: RunFolder;
  readonly #config: MeasureConfig;
  readonly #heldOut: ImageDataset | undefined;

  /** @throws UnnoiseError `usage` when what is asked for cannot be measured */
  constructor(folder: RunFolder, config: MeasureConfig, images: Pick<ImageDataset, "test" | "classes">) {
    checkMeasures(config, images.test, images.classes);
    this.#folder = folder;
    this.#config = config;
    this.#heldOut = images.test;
  }

  /**
   * Measures what is due after an iteration, and writes the grid.
   * @param model gives the model as it is now
   */
  async after(iteration: number, model: () => ImageModel, placement: CompileOptions): Promise<Measured> {
    const { sampleEvery, boundEvery } = this.#config;
    const isDue = (every: number | null): boolean => every !== null && iteration % every === 0;
    const events: MeasureEvent[] = [];
    const picture = isDue(sampleEvery) ? await this.#grid(model(), placement) : undefined;
    if (picture) {
      const name = sampleGridName(iteration);
      await this.#write(name, picture.png);
      events.push({ event: "samples", iteration, path: `figures/${name}` });
    }
    if (isDue(boundEvery) && this.#heldOut) {
      events.push({
        event: "bound",
        iteration,
        ...(await heldOutBound(model(), this.#heldOut, this.#config, placement)),
      });
    }
    return { events, ...(picture && { picture }) };
  }

  async #grid(model: ImageModel, placement: CompileOptions): Promise<TensorboardImage> {
    const grid: RgbaImage = await sampleGrid(model, this.#config, placement);
    return { height: grid.height, width: grid.width, channels: 4, png: encodePng(grid) };
  }

  async #write(name: string, png: Uint8Array): Promise<void> {
    const folder = this.#folder.figuresPath;
    await makeFolder(folder);
    await writeFileAtomic(join(folder, name), png);
  }
}
