import { shown } from "../math/shown.ts";
import { counted, grouped } from "../math/text.ts";
import { columnOf, factsOf, type ColumnFacts, type Columns } from "./column-facts.ts";
import { dropWord } from "./drop-columns.ts";

/** A number in as few digits as tell what it is. */
export const shortest = (value: number): string => String(Number(value.toPrecision(6)));

/** A standard deviation so many times that of the middle half means that few rows decide it. */
const FAR = 10;
/** The standard deviation of a normal distribution in quartile ranges. */
const QUARTILE_RANGE = 1.349;
/** Quartile ranges beyond the quartiles at which a value is told of as far outside. */
const OUTSIDE = 20;
/** Columns that one line names. */
const MOST_NAMED = 6;
/** Columns that are told of one by one. */
const MOST_LINES = 6;

const dropped = (words: readonly string[]): string =>
  `leave ${words.length === 1 ? "it" : "them"} out with drop (--drop ${words.join(",")})`;

/** One line for all columns that say nothing, since wide tables have many. */
function constants(facts: readonly ColumnFacts[]): string[] {
  const found = facts.flatMap(({ name, minimum, maximum }, index) =>
    minimum === maximum ? [{ name, minimum, word: dropWord(index, facts) }] : [],
  );
  const [first] = found;
  if (!first) return [];
  if (found.length === 1) {
    const what = `column ${shown(first.name)} is ${shortest(first.minimum)} in every row`;
    return [`${what}: nothing is learned from it, and samples have it as it is; ${dropped([first.word])}`];
  }
  const named = found.slice(0, MOST_NAMED);
  const more = found.length > named.length ? `, and ${grouped(found.length - named.length)} more` : "";
  const names = `columns ${named.map(({ name }) => shown(name)).join(", ")}${more}`;
  return [
    `${names} have one value each: nothing is learned from them, and samples have them as they are; ${dropped(named.map(({ word }) => word))}`,
  ];
}

function rowNumbers(facts: readonly ColumnFacts[]): string[] {
  return facts.flatMap(({ name, countsFrom }, index) => {
    if (countsFrom === undefined) return [];
    const what = `column ${shown(name)} counts the rows, ${countsFrom}, ${countsFrom + 1}, …, and is learned like any other`;
    return [`${what}; if it only numbers them, ${dropped([dropWord(index, facts)])}`];
  });
}

/** Values so far from the others that they decide the standard deviation. */
function outside({ name, deviation, quartiles: [low, high] }: ColumnFacts, values: Float32Array): string | undefined {
  const range = high - low;
  if (range === 0 || deviation <= (FAR * range) / QUARTILE_RANGE) return undefined;
  const isOutside = (value: number): boolean => value < low - OUTSIDE * range || value > high + OUTSIDE * range;
  const row = values.findIndex(isOutside);
  if (row < 0) return undefined;
  let count = 0;
  for (const value of values) if (isOutside(value)) count++;
  const such = `${counted(count, "value")} far outside the rest, such as ${shortest(values[row] ?? NaN)} in row ${grouped(row + 1)}`;
  const middle = `of the others half lie between ${shortest(low)} and ${shortest(high)}`;
  const advice =
    "remove those rows if they are errors or stand for missing values, or take scale robust (--scale robust)";
  return `column ${shown(name)} has ${such}; ${middle}: they decide its scale, so that the rest is hardly learned; ${advice}`;
}

/** Columns that are the same as one before them. */
function twins(data: Columns, facts: readonly ColumnFacts[]): string[] {
  const { points, columns } = data;
  const width = columns.length;
  const alike = (a: number, b: number): boolean => {
    for (let row = 0; row < points.data.length; row += width) {
      if (points.data[row + a] !== points.data[row + b]) return false;
    }
    return true;
  };
  return facts.flatMap(({ name, minimum, maximum }, index) => {
    if (minimum === maximum) return [];
    const twin = facts.findIndex((other, before) => {
      return before < index && other.minimum === minimum && other.maximum === maximum && alike(before, index);
    });
    const other = facts[twin];
    if (!other) return [];
    const what = `columns ${shown(other.name)} and ${shown(name)} are the same in every row`;
    return [`${what}: samples of them would differ; ${dropped([dropWord(index, facts)])}`];
  });
}

function bounded(lines: readonly string[]): readonly string[] {
  const more = lines.length - MOST_LINES;
  return more <= 0 ? lines : [...lines.slice(0, MOST_LINES), `${counted(more, "column")} more of that kind`];
}

/** What is odd about the columns of a data set, in lines with what can be done; none for clean data. */
export function dataWarnings(data: Columns): string[] {
  const facts = data.columns.map((name, index) => factsOf(name, columnOf(data, index)));
  const far = facts.flatMap((each, index) => outside(each, columnOf(data, index)) ?? []);
  return [constants(facts), rowNumbers(facts), far, twins(data, facts)].flatMap(bounded);
}
