import { shown } from "../math/shown.ts";
import { counted, grouped } from "../math/text.ts";
import { columnOf, factsOf, type Columns } from "./column-facts.ts";
import { shortest } from "./column-findings.ts";
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

/** Summarises points or images. */
export function summaryOf(data: Columns | ImageDataset): DataSummary {
  if ("fingerprint" in data) {
    const { count, shape, labels, classes = [], test } = data;
    const counts = new Map<number, number>();
    for (const label of labels ?? []) counts.set(label, (counts.get(label) ?? 0) + 1);
    const named = classes.map((name, label) => ({ name, images: counts.get(label) ?? 0 }));
    return { kind: "images", images: count, shape, heldOut: test?.count ?? 0, classes: named };
  }
  const columns = data.columns.map((name, index): ColumnSummary => {
    const { minimum, maximum, distinct } = factsOf(name, columnOf(data, index));
    return { name, minimum, maximum, distinct };
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
