import type { Omissions } from "./chart-points.ts";

/** A remark as a sentence of its own. */
export function sentences(remark: string | undefined): string[] {
  if (remark === undefined || remark === "") return [];
  const [first = "", ...rest] = remark;
  const text = `${first.toUpperCase()}${rest.join("")}`;
  return [/[.!?]$/.test(text) ? text : `${text}.`];
}

/** A note that says how many points are not drawn, and why. */
export function leftOut({ notFinite, notPositive, outside }: Omissions): string[] {
  const points = (count: number): string => `${count.toLocaleString("en-US")} ${count === 1 ? "point" : "points"}`;
  const notes = [
    ...(outside > 0 ? [`Outside the axes: ${points(outside)}.`] : []),
    ...(notFinite > 0 ? [`Not finite, so not drawn: ${points(notFinite)}.`] : []),
    ...(notPositive > 0 ? [`Not positive, so not on a logarithmic axis: ${points(notPositive)}.`] : []),
  ];
  return notes.length === 0 ? [] : [notes.join(" ")];
}
