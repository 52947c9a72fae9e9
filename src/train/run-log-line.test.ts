import fc from "fast-check";
import { expect, test } from "vitest";
import { UnnoiseError } from "../math/error.ts";
import { csvLines } from "./run-log-csv.ts";
import type { LogEvent } from "./run-log-event.ts";
import { parseLogLine } from "./run-log-line.ts";

const events: readonly LogEvent[] = [
  { event: "start", device: "cpu", threads: 1, parameters: 10 },
  { event: "resume", iteration: 3, device: "cpu", threads: 1 },
  { event: "progress", iteration: 10, loss: 0.5, gradientNorm: 1, learningRate: 1e-3 },
  { event: "samples", iteration: 10, path: "samples/10.png" },
  { event: "bound", iteration: 10, bitsPerDimension: 3, bitsStandardError: 0.1, images: 4 },
  { event: "warning", message: "careful" },
  { event: "end", iteration: 10 },
];

test.each(events)("$event is read as it was written, with keys of later versions", (event) => {
  expect(parseLogLine(JSON.stringify(event), "x")).toEqual(event);
  expect(parseLogLine(JSON.stringify({ ...event, later: [1] }), "x")).toEqual({ ...event, later: [1] });
});

test("any value in any place of a line is an event that can be used, or ends in words", () => {
  const keys = fc.constantFrom("event", "iteration", "loss", "path", "device", "message", "bitsPerDimension");
  fc.assert(
    fc.property(fc.constantFrom(...events), keys, fc.jsonValue(), (event, key, value) => {
      try {
        expect(csvLines([parseLogLine(JSON.stringify({ ...event, [key]: value }), "x")])).toMatch(
          /^(?:[-\d.,e+]*\n)?$/,
        );
      } catch (error) {
        if (!(error instanceof UnnoiseError)) throw error;
        expect(error.message).toMatch(/^x: .*, got .*; restore the file/);
      }
    }),
  );
  expect(() => parseLogLine("null", "log.jsonl: line 1 is damaged")).toThrow("log.jsonl: line 1 is damaged: ");
});
