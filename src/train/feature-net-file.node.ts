import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import type { ImageDataset } from "../data/images.ts";
import { decodeSafetensors, encodeSafetensors } from "../formats/safetensors.ts";
import { makeFolder } from "../formats/make-folder.node.ts";
import { readFileBytes, writeFileAtomic } from "../formats/write-file.node.ts";
import { UnnoiseError } from "../math/error.ts";
import { classifierParameters } from "../nn/classifier.ts";
import { parameterCount } from "../nn/parameters.ts";
import { sizeOf, type Tensor } from "../tensor/tensor.ts";
import { CHECKSUMS, checksumsText, verifyChecksums, type NamedContent } from "./checksums.node.ts";
import type { FeatureNet, ImageShape, NetAccuracy } from "./feature-net.ts";
import { classifierNet, measureAccuracy } from "./feature-net-classifier.ts";
import { hashOf } from "./feature-net-hash.ts";
import { onnxNet, type OnnxNetOptions } from "./feature-net-onnx.ts";
import { classifierFor, classifierSettings, type ClassifierSettingsInput } from "./feature-net-settings.ts";
import { trainClassifier, type ClassifierTrainingOptions, type TrainedClassifier } from "./feature-net-training.ts";
import { jsonText, readJson } from "./json-file.node.ts";

/** Raised when training or the network changes, so that older files are not taken for newer ones. */
const VERSION = 1;
const WEIGHTS = "classifier.safetensors";
/** Written last: a folder with it is complete. */
const RECORD = "classifier.json";

const record = z.strictObject({
  version: z.literal(VERSION),
  data: z.string(),
  fingerprint: z.string(),
  settings: classifierSettings,
  accuracy: z.strictObject({ value: z.number(), count: z.int(), split: z.enum(["test", "held-out"]) }),
});

/**
 * Opens a user's ONNX file as a feature net (see `onnxNet`).
 * @param path of the file; its external data lie beside it
 * @param images extents of the images that it will see
 * @throws UnnoiseError `io` when it cannot be read; as `onnxNet`
 */
export async function openOnnxNet(
  path: string,
  images: ImageShape,
  options: Omit<OnnxNetOptions, "name" | "hash">,
): Promise<FeatureNet> {
  const hash = await hashOf(await readFileBytes(path));
  return onnxNet(path, images, { ...options, name: basename(path), hash });
}

export interface ClassifierCacheOptions extends ClassifierTrainingOptions {
  /** Folder that keeps trained classifiers, made if it is not there. */
  readonly cache: string;
  /** How it is built and trained, where not as usual. */
  readonly settings?: ClassifierSettingsInput;
}

/**
 * The classifier of a data set as a feature net: trained once, then read from the cache, whose key is the fingerprint of images
 * and labels with the settings.
 * @param images with labels
 * @throws UnnoiseError `io`, `format` or `run-folder` for a cache that cannot be written or is damaged; as `trainClassifier`
 */
export async function openClassifierNet(images: ImageDataset, options: ClassifierCacheOptions): Promise<FeatureNet> {
  const { cache, device, threads } = options;
  const settings = classifierSettings.parse(options.settings ?? {});
  const placement = { ...(device && { device }), ...(threads !== undefined && { threads }) };
  const key = await hashOf(
    new TextEncoder().encode(JSON.stringify([VERSION, images.fingerprint, images.test?.fingerprint, settings])),
  );
  const folder = join(cache, key);
  const kept = (await stat(join(folder, RECORD)).catch(() => undefined)) !== undefined;
  if (kept) {
    const { classifier, accuracy } = await readClassifier(folder, images);
    return classifierNet(classifier, accuracy, placement);
  }
  const classifier = await trainClassifier(images, settings, options);
  const accuracy = await measureAccuracy(classifier, images, placement);
  await writeClassifier(folder, classifier, accuracy);
  return classifierNet(classifier, accuracy, placement);
}

async function writeClassifier(folder: string, classifier: TrainedClassifier, accuracy: NetAccuracy): Promise<void> {
  const { settings, fingerprint, data, config, weights } = classifier;
  await makeFolder(folder);
  let offset = 0;
  const tensors = classifierParameters(config).map(({ name, shape }): [string, Tensor] => {
    const values = weights.slice(offset, (offset += sizeOf(shape)));
    return [name, { dtype: "float32", shape, data: values }];
  });
  const contents: NamedContent[] = [
    [WEIGHTS, encodeSafetensors(new Map(tensors))],
    [RECORD, jsonText({ version: VERSION, data, fingerprint, settings, accuracy })],
  ];
  const sums: NamedContent = [CHECKSUMS, checksumsText(contents)];
  for (const [name, content] of [...contents.slice(0, -1), sums, ...contents.slice(-1)])
    await writeFileAtomic(join(folder, name), content);
}

async function readClassifier(
  folder: string,
  images: ImageDataset,
): Promise<{ classifier: TrainedClassifier; accuracy: NetAccuracy }> {
  const advice = `delete ${folder}, so that it is trained again`;
  const { settings, fingerprint, data, accuracy } = await readJson(join(folder, RECORD), record, advice);
  await verifyChecksums(folder, [WEIGHTS, RECORD], advice);
  const config = classifierFor(images, settings);
  const path = join(folder, WEIGHTS);
  const { tensors } = decodeSafetensors(await readFileBytes(path), path);
  const parameters = classifierParameters(config);
  const weights = new Float32Array(parameterCount(parameters));
  let offset = 0;
  for (const { name, shape } of parameters) {
    const values = tensors.get(name)?.data;
    if (!(values instanceof Float32Array) || values.length !== sizeOf(shape)) {
      throw new UnnoiseError("format", `${path}: expected float32 ${name} [${shape.join(", ")}]; ${advice}`);
    }
    weights.set(values, offset);
    offset += values.length;
  }
  return { classifier: { config, settings, weights, fingerprint, data }, accuracy };
}
