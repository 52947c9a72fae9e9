import { encodeCsv } from "../formats/csv.ts";
import { shortestFloat32 } from "../formats/float-text.ts";
import { encodeNpy } from "../formats/npy.ts";
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

/**
 * Points as the content of a file.
 * @param facts what else a JSON document says, before the points
 */
export function encodePoints(
  { columns, points }: NamedPoints,
  format: PointFormat,
  facts: object,
): string | Uint8Array {
  if (format === "csv") return encodeCsv(columns, points);
  if (format === "npy") return encodeNpy(points);
  const width = columns.length;
  const rows = Array.from({ length: points.data.length / width }, (_, row) => {
    return Array.from(points.data.subarray(row * width, (row + 1) * width), (value) => Number(shortestFloat32(value)));
  });
  return `${JSON.stringify({ ...facts, columns, points: rows })}\n`;
}
