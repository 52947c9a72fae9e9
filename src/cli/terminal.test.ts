import { expect, test } from "vitest";
import { Terminal } from "./terminal.ts";
import { recordedIo } from "./test-io.ts";

const foreign = "cat\u001b]0;owned\u0007\u202e\r.npy";

test("what names of files bring along does not reach the terminal; our own colours and lines do", () => {
  const io = recordedIo({ terminal: true });
  const terminal = new Terminal(io);
  terminal.say(`\u001b[32mread\u001b[39m\n${foreign}`);
  terminal.warn(`${foreign}\nand more`);
  const [first, second, third] = io.written.stderr.split("\n");
  expect(first).toBe("\u001b[32mread\u001b[39m");
  expect(second).toBe(String.raw`cat\x1b]0;owned\x07\u202e\r.npy`);
  expect(third).toContain(String.raw`cat\x1b]0;owned\x07\u202e`);
  expect(third).toContain("and more");
});

test("nor does it by text for people on stdout, where data go out as they are", async () => {
  const io = recordedIo();
  const terminal = new Terminal(io);
  await terminal.tell(`row\t${foreign}\n`);
  await terminal.print(foreign);
  expect(io.written.stdout).toBe(`row\t${String.raw`cat\x1b]0;owned\x07\u202e\r.npy`}\n${foreign}`);
});
