import { quantile } from "../math/quantile.ts";
import { shown } from "../math/shown.ts";
import { counted, grouped } from "../math/text.ts";
import type { Dataset } from "./dataset.ts";
import type { ImageDataset } from "./images.ts";

/** What a column holds. */
export interface ColumnSummary {
  readonly name: string;
  readonly minimum: number;
  readonly maximum: number;
  /** Distinct values. */
  readonly distinct: number;
}

/** What was understood of data before anything is learned from them; plain JSON. */
export type DataSummary =
  | { readonly kind: "points"; readonly points: number; readonly columns: readonly ColumnSummary[] }
  | {
      readonly kind: "images";
      readonly images: number;
      /** Channels, height, width. */
      readonly shape: readonly number[];
      /** Images that are held out. */
      readonly heldOut: number;
      readonly classes: readonly { readonly name: string; readonly images: number }[];
    };

const shortest = (value: number): string => String(Number(value.toPrecision(6)));

function columnOf({ points, columns }: Pick<Dataset, "points" | "columns">, index: number): Float32Array {
  const width = columns.length;
  return Float32Array.from({ length: points.data.length / width }, (_, row) => points.data[row * width + index] ?? NaN);
}

/** Summarises points or images. */
export function summaryOf(data: Pick<Dataset, "points" | "columns"> | ImageDataset): DataSummary {
  if ("fingerprint" in data) {
    const { count, shape, labels, classes = [], test } = data;
    const counts = new Map<number, number>();
    for (const label of labels ?? []) counts.set(label, (counts.get(label) ?? 0) + 1);
    const named = classes.map((name, label) => ({ name, images: counts.get(label) ?? 0 }));
    return { kind: "images", images: count, shape, heldOut: test?.count ?? 0, classes: named };
  }
  const columns = data.columns.map((name, index): ColumnSummary => {
    const values = columnOf(data, index);
    let [minimum, maximum] = [Infinity, -Infinity];
    for (const value of values) {
      minimum = Math.min(minimum, value);
      maximum = Math.max(maximum, value);
    }
    return { name, minimum, maximum, distinct: new Set(values).size };
  });
  return { kind: "points", points: data.points.shape[0] ?? 0, columns };
}

/** Columns or classes that are told one by one. */
const MOST_TOLD = 12;

/** A summary in lines for people: one for each column, or the classes with their counts. */
export function summaryLines(summary: DataSummary): string[] {
  if (summary.kind === "points") {
    const told = summary.columns.slice(0, MOST_TOLD).map(({ name, minimum, maximum, distinct }) => {
      return `column ${shown(name)}: ${shortest(minimum)} to ${shortest(maximum)}, ${counted(distinct, "distinct value")}`;
    });
    const more = summary.columns.length - told.length;
    return more > 0 ? [...told, `and ${counted(more, "column")} more`] : told;
  }
  const { shape, heldOut, classes } = summary;
  const [channels = 1, height = 0, width = 0] = shape;
  const form = `images of ${width} × ${height} pixels, ${channels === 1 ? "grey" : "colour"}; ${grouped(heldOut)} held out`;
  if (classes.length === 0) return [`${form}; no classes`];
  const told = classes.slice(0, MOST_TOLD).map(({ name, images }) => `${shown(name)} (${grouped(images)})`);
  const more = classes.length - told.length;
  const rest = more > 0 ? `, and ${grouped(more)} more` : "";
  return [form, `${grouped(classes.length)} ${classes.length === 1 ? "class" : "classes"}: ${told.join(", ")}${rest}`];
}

/** A standard deviation so many times that of the middle half means that few rows decide it. */
const FAR = 10;
/** The standard deviation of a normal distribution in quartile ranges. */
const QUARTILE_RANGE = 1.349;
/** Quartile ranges beyond the quartiles at which a value is told of as far outside. */
const OUTSIDE = 20;

/** What is odd about one column, or nothing. */
function oddityOf(name: string, values: Float32Array): string | undefined {
  const rows = values.length;
  const sorted = Float64Array.from(values).sort();
  const [low = NaN, high = NaN] = [sorted[0], sorted[rows - 1]];
  const where = `column ${shown(name)}`;
  if (low === high)
    return `${where} is ${shortest(low)} in every row: there is nothing to learn from it; remove it from the data`;
  const first = values[0] ?? NaN;
  if (rows > 2 && (first === 0 || first === 1) && values.every((value, row) => value === first + row)) {
    return `${where} counts the rows, ${first}, ${first + 1}, …: it is learned like any other; if it numbers the rows, remove it from the data`;
  }
  const [q1, q3] = [quantile(sorted, 0.25), quantile(sorted, 0.75)];
  const range = q3 - q1;
  const mean = values.reduce((sum, value) => sum + value, 0) / rows;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rows);
  if (range === 0 || deviation <= (FAR * range) / QUARTILE_RANGE) return undefined;
  const isOutside = (value: number): boolean => value < q1 - OUTSIDE * range || value > q3 + OUTSIDE * range;
  const row = values.findIndex(isOutside);
  if (row < 0) return undefined;
  const outside = values.reduce((count, value) => count + (isOutside(value) ? 1 : 0), 0);
  const value = values[row] ?? NaN;
  const such = `${counted(outside, "value")} far outside the rest, such as ${shortest(value)} in row ${grouped(row + 1)}`;
  const middle = `half of all lie between ${shortest(q1)} and ${shortest(q3)}`;
  return `${where} has ${such}; ${middle}: they decide its scale, so that the rest is hardly learned; remove those rows, above all where they mean a missing value`;
}

/** What is odd about the columns of a data set, one line each; none for clean data. */
export function dataWarnings(data: Pick<Dataset, "points" | "columns">): string[] {
  const columns = data.columns.map((_, index) => columnOf(data, index));
  const odd = data.columns.flatMap((name, index) => oddityOf(name, columns[index] ?? new Float32Array()) ?? []);
  const isSame = (a: Float32Array, b: Float32Array): boolean => a.every((value, row) => value === b[row]);
  const twins = columns.flatMap((values, index) => {
    if (values.every((value) => value === values[0])) return [];
    const twin = columns.findIndex((other, before) => before < index && isSame(other, values));
    if (twin < 0) return [];
    const pair = `columns ${shown(data.columns[twin])} and ${shown(data.columns[index])}`;
    return [`${pair} are the same in every row; remove one from the data`];
  });
  return [...odd, ...twins];
}
