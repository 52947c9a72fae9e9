import type { ImageDataset } from "../data/images.ts";
import { constant, input } from "../graph/builders.ts";
import { UnnoiseError, at } from "../math/error.ts";
import { classifierParameters, classify } from "../nn/classifier.ts";
import type { Weights } from "../nn/parameters.ts";
import { compile, type CompileOptions, type Executable } from "../runtime/executable.ts";
import { sameShape, shapeText, sizeOf } from "../tensor/tensor.ts";
import { allRows, type FeatureNet, type ImageShape, type NetAccuracy } from "./feature-net.ts";
import { hashOf } from "./feature-net-hash.ts";
import { learningParts, type TrainedClassifier } from "./feature-net-training.ts";

const BATCH = 250;

/** A trained classifier that runs. */
class ClassifierSession {
  readonly #classifier: TrainedClassifier;
  readonly #executable: Executable;
  readonly #images: Float32Array;

  private constructor(classifier: TrainedClassifier, executable: Executable) {
    this.#classifier = classifier;
    this.#executable = executable;
    this.#images = new Float32Array(BATCH * sizeOf(classifier.config.shape));
  }

  static async create(classifier: TrainedClassifier, options: CompileOptions): Promise<ClassifierSession> {
    const { config } = classifier;
    const images = input("images", [BATCH, ...config.shape]);
    const { features, logits } = classify(images, constantWeights(classifier), config);
    return new ClassifierSession(classifier, await compile({ features, logits }, options));
  }

  /** Features and logits of at most BATCH images; what is left of the batch is computed and dropped. */
  async run(images: Float32Array, shape: ImageShape): Promise<{ features: Float32Array; logits: Float32Array }> {
    const { config, data } = this.#classifier;
    if (!sameShape(shape, config.shape)) {
      const sizes = `${shapeText(config.shape)}, got ${shapeText(shape)}`;
      throw new UnnoiseError("usage", `feature net: the classifier of ${data} takes images ${sizes}`);
    }
    const count = images.length / sizeOf(shape);
    this.#images.set(images);
    const { features, logits } = await this.#executable.run({ images: this.#images });
    const width = at(config.channels, config.channels.length - 1);
    return {
      features: (features as Float32Array).subarray(0, count * width),
      logits: (logits as Float32Array).subarray(0, count * config.classes),
    };
  }

  async dispose(): Promise<void> {
    await this.#executable.dispose();
  }
}

function constantWeights({ config, weights }: TrainedClassifier): Weights {
  let offset = 0;
  return Object.fromEntries(
    classifierParameters(config).map(({ name, shape }) => {
      const values = weights.subarray(offset, (offset += sizeOf(shape)));
      return [name, constant(values, shape)];
    }),
  );
}

/**
 * The share of images whose label a classifier finds.
 * @param images with labels
 */
async function classifierAccuracy(
  classifier: TrainedClassifier,
  images: ImageDataset,
  options: CompileOptions = {},
): Promise<number> {
  const session = await ClassifierSession.create(classifier, options);
  const { classes } = classifier.config;
  const rows = allRows(images.count);
  let right = 0;
  try {
    for (let first = 0; first < images.count; first += BATCH) {
      const chosen = rows.subarray(first, first + BATCH);
      const pixels = new Float32Array(chosen.length * sizeOf(images.shape));
      images.gather(chosen, pixels);
      const { logits } = await session.run(pixels, images.shape);
      chosen.forEach((row, i) => {
        const scores = logits.subarray(i * classes, (i + 1) * classes);
        if (scores.indexOf(Math.max(...scores)) === images.labels?.[row]) right++;
      });
    }
  } finally {
    await session.dispose();
  }
  return right / images.count;
}

/**
 * The classifier's accuracy on what it did not learn of its own data set: the test part, or the images that were held out.
 * @param images the data set that it was trained on
 */
export async function measureAccuracy(
  classifier: TrainedClassifier,
  images: ImageDataset,
  options: CompileOptions = {},
): Promise<NetAccuracy> {
  const { test } = learningParts(images, classifier.settings.seed);
  const value = await classifierAccuracy(classifier, test, options);
  return { value, count: test.count, split: images.test ? "test" : "held-out" };
}

/** A trained classifier as a feature net: its features are what its last layer sees. */
export async function classifierNet(
  classifier: TrainedClassifier,
  accuracy: NetAccuracy,
  options: CompileOptions = {},
): Promise<FeatureNet> {
  const session = await ClassifierSession.create(classifier, options);
  const { weights, config, data } = classifier;
  return {
    name: `classifier of ${data}`,
    hash: await hashOf(new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength)),
    width: at(config.channels, config.channels.length - 1),
    batchSize: BATCH,
    accuracy,
    features: async (images, shape) => (await session.run(images, shape)).features,
    dispose: () => session.dispose(),
  };
}
