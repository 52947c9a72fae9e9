import type { LogEvent, MeasureEvent, ProgressEvent } from "./run-log-event.ts";

/** Numbers of the log, each a column of log.csv and a curve of TensorBoard. */
const logNumbers = ["loss", "gradientNorm", "learningRate", "bitsPerDimension", "bitsStandardError"] as const;
export type LogNumber = (typeof logNumbers)[number];

/** Events that hold numbers, at an iteration. */
type NumberEvent = ProgressEvent | Extract<MeasureEvent, { event: "bound" }>;

/** The numbers that an event holds; none for most kinds. */
export function numbersOf(event: LogEvent): Partial<Record<LogNumber, number>> {
  return isNumberEvent(event)
    ? Object.fromEntries(
        Object.entries(event).filter(
          // A key of a later version may hold anything.
          ([key, value]) => (logNumbers as readonly string[]).includes(key) && typeof value === "number",
        ),
      )
    : {};
}

function isNumberEvent(event: LogEvent): event is NumberEvent {
  return event.event === "progress" || event.event === "bound";
}

/** The first line of log.csv. */
export const csvHeader: string = `${["iteration", ...logNumbers].join(",")}\n`;

/** Lines of log.csv: one for each event with numbers, with empty cells for those that it does not have. */
export function csvLines(events: readonly LogEvent[]): string {
  return events
    .filter(isNumberEvent)
    .map((event) => {
      const numbers = numbersOf(event);
      return `${[event.iteration, ...logNumbers.map((key) => numbers[key] ?? "")].join(",")}\n`;
    })
    .join("");
}
