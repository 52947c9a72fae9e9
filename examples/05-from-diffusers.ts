/**
 * Runs a model that Python's diffusers saved, as its own scheduler asks, and writes it as ONNX and as a folder for diffusers again.
 * Without a folder it makes one first, with random weights, so that everything can be tried.
 * Run: npx tsx examples/05-from-diffusers.ts [folder, such as ddpm-cifar10-32]
 */
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  encodePng,
  exportDiffusers,
  exportOnnx,
  imageGrid,
  importDiffusers,
  memoryImages,
  sampleImages,
  samplingOfDiffusers,
  train,
} from "unnoise";

/** A folder with a model that has hardly learned anything. */
async function someFolder(): Promise<string> {
  const facts = { name: "noise", shape: [3, 16, 16], count: 8, fingerprint: "noise" } as const;
  const levels = new Uint8Array(8 * 3 * 16 * 16).map((_, i) => (i * 7919) % 256);
  const model = await train(memoryImages(facts, levels), { iterations: 2, batchSize: 4, network: "unet-tiny" });
  const folder = join(await mkdtemp(join(tmpdir(), "diffusers-")), "model");
  await exportDiffusers(model, folder, { overwrite: false });
  return folder;
}

const model = await importDiffusers(process.argv[2] ?? (await someFolder()));
const sampling = samplingOfDiffusers(model);
console.log(
  `${model.denoiser.kind}, ${model.scheduler._class_name}: usually ${sampling.usualSteps} steps of ${sampling.name}`,
);

const choice = sampling.choose(10);
const { clip = null, ...options } = choice.options;
const samples = await sampleImages(model, { ...options, clip, sampler: choice.sampler, count: 4, seed: 1 });

const folder = new URL("./out/", import.meta.url);
await mkdir(folder, { recursive: true });
await writeFile(new URL("from-diffusers.png", folder), encodePng(imageGrid(samples, { columns: 4, scale: 4 })));
await exportOnnx(model, new URL("model.onnx", folder).pathname, { overwrite: true });
await exportDiffusers(model, new URL("for-diffusers", folder).pathname, { overwrite: true });
console.log(`wrote from-diffusers.png, model.onnx and for-diffusers to ${folder.pathname}`);
