import { Option } from "commander";
import { decimal, integer, choice } from "./numbers.ts";
import { placementOptions, samplerOptions, shared } from "./options.ts";

const imageOptions: readonly Option[] = [
  new Option("--class <name>", "of images with classes: a name, a number, or all in turn (default none)"),
  new Option("--guidance <w>", "how strongly a class is followed: 1 plainly, more more (default 1)").argParser(
    decimal("--guidance", {}),
  ),
  new Option("--inpaint <file>", "a picture of the model's size of which a part is drawn anew, by RePaint"),
  new Option("--mask <file>", "for --inpaint: white is drawn anew, black kept (default: what is transparent)"),
  new Option("--resamples <n>", "for --inpaint: how often each stretch is walked (default 10)").argParser(
    integer("--resamples", { min: 1 }),
  ),
  new Option("--jump <n>", "for --inpaint: steps of such a stretch (default 10)").argParser(
    integer("--jump", { min: 1 }),
  ),
  new Option("--interpolate <n>", "rows of n images from those of --seed to those of the next seed").argParser(
    integer("--interpolate", { min: 2, max: 1000 }),
  ),
  new Option("--show <what>", "in a .gif of images: xt, or x0 as predicted (default xt)").argParser(
    choice("--show", ["xt", "x0"]),
  ),
];

/** Options of `unnoise sample`, in the order of its help. */
export const sampleOptions: readonly Option[] = [
  shared.out(".csv, .npy, .json, .png, .svg, .gif; of images .png, .npy, .gif or a folder"),
  shared.count("number of samples (default 1000 points, 16 images; rows of --interpolate 8)"),
  ...samplerOptions,
  shared.weights,
  ...imageOptions,
  shared.seed,
  new Option(
    "--batch <n>",
    "samples of each call of the network, always full (default what suits the processor)",
  ).argParser(integer("--batch", { min: 1, max: 65_536 })),
  ...placementOptions,
  shared.format,
  shared.overwrite,
  shared.quiet,
];
