import { UnnoiseError } from "../math/error.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import { categories, colours } from "./theme.ts";

/** The points of one class. */
export interface ClassPoints {
  readonly name: string;
  readonly colour: string;
  readonly points: FloatTensor;
}

/**
 * Splits points by class; a class without points is left out.
 * @param points `[n, D]`
 * @param labels class of each point, `[n]`
 * @param classes name of each class; they are numbered if there are none
 * @param own colour of the first class; that of the others is never the colour of data or samples
 * @throws UnnoiseError `data` for another number of labels, a label without a class, or more classes than there are colours
 */
export function classPoints(
  points: FloatTensor,
  labels: Int32Array,
  classes: readonly string[] | undefined,
  own: string,
): ClassPoints[] {
  const total = points.shape[0] ?? 0;
  if (labels.length !== total) {
    throw new UnnoiseError("data", `figure: expected one label a point, ${total}, got ${labels.length}`);
  }
  const palette = [own, ...categories.filter((colour) => colour !== colours.samples)];
  const count = classes?.length ?? labels.reduce((most, label) => Math.max(most, label + 1), 0);
  checkLabels(labels, count, palette.length);
  return Array.from({ length: count }, (_, label) => ({
    name: classes?.[label] ?? `class ${label}`,
    colour: palette[label] ?? own,
    points: rowsOf(points, labels, label),
  })).filter(({ points: { data } }) => data.length > 0);
}

function checkLabels(labels: Int32Array, count: number, most: number): void {
  if (count > most) {
    throw new UnnoiseError("data", `figure: expected at most ${most} classes, which have a colour each, got ${count}`);
  }
  const stray = labels.find((label) => label < 0 || label >= count);
  if (stray !== undefined) {
    throw new UnnoiseError("data", `figure: expected labels in 0…${count - 1}, got ${stray}`);
  }
}

function rowsOf(points: FloatTensor, labels: Int32Array, label: number): FloatTensor {
  const width = points.data.length / labels.length;
  const data = points.data.filter((_, i) => labels[Math.floor(i / width)] === label);
  return floatTensor(data, [data.length / width, width]);
}
