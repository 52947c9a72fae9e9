import type { ImageDataset } from "../data/images.ts";
import { UnnoiseError } from "../math/error.ts";

/** Classes as a model or a data set counts them. */
export interface KnownClasses {
  readonly count: number;
  readonly names?: readonly string[] | undefined;
}

/**
 * The classes of images as others count them: by name where both give names, else by number.
 * @throws UnnoiseError `usage` for a class that is not among them
 */
export function knownLabels(
  { name, labels, classes }: Pick<ImageDataset, "name" | "labels" | "classes">,
  known: KnownClasses,
): Int32Array | undefined {
  const { count, names = [] } = known;
  const byName = areNames(classes) && areNames(names);
  return labels?.map((label) => {
    const called = classes?.[label] ?? String(label);
    const place = byName ? names.indexOf(called) : label;
    if (place >= 0 && place < count) return place;
    const expected = byName ? names.join(", ") : `0…${count - 1}`;
    throw new UnnoiseError("usage", `${name}: expected images of the classes ${expected}, got one of ${called}`);
  });
}

/** Numbers stand for classes that nobody named. */
const areNames = (classes: readonly string[] | undefined): classes is readonly string[] =>
  classes?.some((name, i) => name !== String(i)) ?? false;
