import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Progress } from "./progress.ts";
import { Terminal } from "./terminal.ts";
import { recordedIo } from "./test-io.ts";

const lastBar = (written: string): string =>
  written
    .split(/\x1b\[\??[0-9;]*[A-Za-z]|\x1b[78]|\n/)
    .filter((part) => part.trim() !== "")
    .at(-1) ?? "";

describe("Progress", () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout", "Date"] }));
  afterEach(() => vi.useRealTimers());

  function drawn(columns: number): string {
    const io = recordedIo({ terminal: true, columns });
    const progress = new Progress(new Terminal(io), { label: "moons", total: 1000, unit: "steps" });
    for (let done = 0; done <= 500; done += 50) {
      vi.advanceTimersByTime(1000);
      progress.update(done, () => ["0.3 GB", "loss 0.2500"]);
    }
    const line = lastBar(io.written.stderr);
    progress.stop();
    return line;
  }

  it("shows loss, speed and time left on a terminal", () => {
    const line = drawn(80);
    expect(line).toMatch(/^moons █+░+ +\d+ %  0\.3 GB  loss 0\.2500  \d+(\.\d)? steps\/s  \d+(\.\d)? s left$/);
    expect(line.length).toBeLessThan(80);
  });

  it.each([60, 40, 30, 20, 14])("fits into %i columns", (columns) => {
    const line = drawn(columns);
    expect(line.length).toBeLessThan(columns);
    expect(line).toContain("%");
  });

  it("writes a line every ten seconds where there is no terminal", () => {
    const io = recordedIo();
    const progress = new Progress(new Terminal(io), { label: "moons", total: 1000, unit: "steps" });
    for (let done = 1; done <= 35; done++) {
      vi.advanceTimersByTime(1000);
      progress.update(done);
    }
    expect(io.written.stderr.split("\n").slice(0, 2)).toEqual([
      "moons: 10 of 1,000 (1 %), 1.0 steps/s, 16 min 30 s left",
      "moons: 20 of 1,000 (2 %), 1.0 steps/s, 16 min 20 s left",
    ]);
    expect(io.written.stderr.split("\n")).toHaveLength(4);
  });

  it("counts what each step stands for, and leaves the first notes out where there is no room", () => {
    const line = (columns: number): string => {
      const io = recordedIo({ terminal: true, columns });
      const options = { label: "shapes", total: 1000, unit: "images", each: 64 };
      const progress = new Progress(new Terminal(io), options);
      for (let done = 0; done <= 10; done++) {
        vi.advanceTimersByTime(1000);
        progress.update(done, () => ["1.2 GB", "loss 0.2500"]);
      }
      progress.stop();
      return lastBar(io.written.stderr);
    };
    expect(line(80)).toMatch(/1 %  1\.2 GB  loss 0\.2500  \d+ images\/s  1\d min \d+ s left$/);
    expect(line(70)).toMatch(/ 1 %  loss 0\.2500  \d+ images\/s  1\d min \d+ s left$/);
    expect(line(70)).not.toContain("GB");
  });

  it("follows a change of speed", () => {
    const io = recordedIo();
    const progress = new Progress(new Terminal(io), { label: "x", total: 10_000, unit: "steps" });
    let done = 0;
    for (let second = 1; second <= 100; second++) {
      vi.advanceTimersByTime(1000);
      progress.update((done += second <= 50 ? 1 : 20));
    }
    expect(io.written.stderr.trim().split("\n").at(-1)).toContain("20 steps/s");
  });

  it("keeps silent when quiet, and until its delay has passed", () => {
    const quiet = recordedIo({ terminal: true });
    const late = recordedIo({ terminal: true });
    const both = [
      new Progress(new Terminal(quiet, { quiet: true }), { label: "x", total: 10 }),
      new Progress(new Terminal(late), { label: "x", total: 10, delay: 2 }),
    ];
    vi.advanceTimersByTime(1900);
    for (const progress of both) progress.update(5);
    expect([quiet.written.stderr, late.written.stderr]).toEqual(["", ""]);
    vi.advanceTimersByTime(200);
    for (const progress of both) progress.update(6);
    expect(quiet.written.stderr).toBe("");
    expect(lastBar(late.written.stderr)).toContain("60 %");
    for (const progress of both) progress.stop();
  });

  it("makes room for a line of text", () => {
    const io = recordedIo({ terminal: true });
    const terminal = new Terminal(io);
    const progress = new Progress(terminal, { label: "x", total: 10 });
    progress.update(1);
    terminal.warn("look out");
    expect(io.written.stderr).toMatch(/\x1b\[2K.*look out\n$/s);
    progress.stop();
  });
});
