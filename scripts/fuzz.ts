/**
 * Tries thousands of damaged and hostile files of each kind, goes on where it was stopped, and prints a table:
 * npx tsx scripts/fuzz.ts --count 3000 --state fuzz.json [--kind "shard index"] [--seed 1]
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { kinds } from "../test/fuzz/kinds.ts";
import { runKind } from "../test/fuzz/run-kind.ts";

const { values: flags } = parseArgs({
  options: {
    count: { type: "string", default: "3000" },
    slow: { type: "string", default: "300" },
    seed: { type: "string", default: "1" },
    state: { type: "string", default: "fuzz.json" },
    kind: { type: "string", multiple: true },
  },
});

interface Row {
  tried: number;
  deep: number;
  accepted: number;
  slowest: number;
  faults: { index: number; fault: string }[];
}
const BATCH = 250;
const MOST_FAULTS = 100;

const rows: Record<string, Row> = existsSync(flags.state)
  ? (JSON.parse(readFileSync(flags.state, "utf8")) as Record<string, Row>)
  : {};
const save = (): void => {
  writeFileSync(`${flags.state}.new`, JSON.stringify(rows, null, 1));
  renameSync(`${flags.state}.new`, flags.state);
};

for (const name of flags.kind ?? Object.keys(kinds)) {
  const row = (rows[name] ??= { tried: 0, deep: 0, accepted: 0, slowest: 0, faults: [] });
  const count = Number(kinds[name]?.slow === true ? flags.slow : flags.count);
  while (row.tried < count) {
    const end = Math.min(count, row.tried + BATCH);
    await runKind(name, row.tried, end, Number(flags.seed), ({ index, isDeep, accepted, seconds, fault }) => {
      row.tried++;
      if (isDeep) row.deep++;
      if (accepted) row.accepted++;
      row.slowest = Math.max(row.slowest, seconds);
      if (fault === undefined) return;
      process.stdout.write(`${name} ${index}: ${fault}\n`);
      if (row.faults.length < MOST_FAULTS) row.faults.push({ index, fault });
    });
    save();
  }
}

process.stdout.write(
  "| kind | tried | beyond the header | accepted | slowest | faults |\n| --- | --- | --- | --- | --- | --- |\n",
);
for (const [name, { tried, deep, accepted, slowest, faults }] of Object.entries(rows)) {
  const share = ((100 * deep) / Math.max(1, tried)).toFixed(0);
  process.stdout.write(
    `| ${name} | ${tried} | ${share} % | ${accepted} | ${slowest.toFixed(1)} s | ${faults.length} |\n`,
  );
}
if (Object.values(rows).some(({ faults, deep, tried }) => faults.length > 0 || deep * 5 < tried)) process.exitCode = 1;
