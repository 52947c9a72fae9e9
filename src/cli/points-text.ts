import { csvHeader, csvRows } from "../formats/csv.ts";
import { shortestFloat32 } from "../formats/float-text.ts";
import { npyStart } from "../formats/npy.ts";
import { at } from "../math/error.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";

/** Formats of points as numbers. */
export const pointFormats = ["csv", "npy", "json"] as const;
export type PointFormat = (typeof pointFormats)[number];

/** Points `[N, D]` with the names of their columns. */
export interface NamedPoints {
  readonly columns: readonly string[];
  readonly points: FloatTensor;
}

/** Points with the class of each as a last column, where they have one. */
export function withLabels({ columns, points, labels }: NamedPoints & { readonly labels?: Int32Array }): NamedPoints {
  if (labels === undefined) return { columns, points };
  const width = columns.length;
  const data = new Float32Array(labels.length * (width + 1));
  labels.forEach((label, row) => {
    data.set(points.data.subarray(row * width, (row + 1) * width), row * (width + 1));
    data[row * (width + 1) + width] = label;
  });
  return { columns: [...columns, "label"], points: floatTensor(data, [labels.length, width + 1]) };
}

export function isPointFormat(format: string): format is PointFormat {
  return (pointFormats as readonly string[]).includes(format);
}

/** Points that come in groups, each wanted only while it is written. */
export interface PointGroups {
  readonly columns: readonly string[];
  /** Points in all groups. */
  readonly count: number;
  readonly groups: Iterable<FloatTensor> | AsyncIterable<FloatTensor>;
}

/**
 * Points as the parts of a file, whose bytes do not depend on the groups.
 * @param facts what else a JSON document says, before the points
 */
export async function* encodedPoints(
  { columns, count, groups }: PointGroups,
  format: PointFormat,
  facts: object,
): AsyncGenerator<string | Uint8Array> {
  if (format === "csv") yield csvHeader(columns);
  else if (format === "npy") yield npyStart({ dtype: "float32", shape: [count, columns.length] });
  else yield `${JSON.stringify({ ...facts, columns }).slice(0, -1)},"points":[`;
  let isFirst = true;
  for await (const points of groups) {
    if (format === "csv") yield csvRows(points);
    else if (format === "npy") yield new Uint8Array(points.data.buffer, points.data.byteOffset, points.data.byteLength);
    else yield `${isFirst ? "" : ","}${jsonRows(points)}`;
    isFirst = false;
  }
  if (format === "json") yield "]}\n";
}

/** Rows in square brackets, with commas between. */
function jsonRows({ data, shape }: FloatTensor): string {
  const width = at(shape, 1);
  const rows = Array.from({ length: data.length / width }, (_, row) =>
    Array.from(data.subarray(row * width, (row + 1) * width), (value) => Number(shortestFloat32(value))),
  );
  return JSON.stringify(rows).slice(1, -1);
}
