import { describe, expect, it } from "vitest";

/** What every row of a registry must do, by the words of a test. A check throws where a row does not. */
export type Contract<Row> = Readonly<Record<string, (row: Row) => void | Promise<void>>>;

/** Runs a contract over a whole registry: a row that is added to it is tested without a new test. */
export function describeContract<Row>(
  kind: string,
  contract: Contract<Row>,
  rows: Readonly<Record<string, Row>>,
): void {
  describe.each(Object.entries(rows))(`the ${kind} %s`, (_name, row) => {
    it.each(Object.entries(contract))("%s", async (_words, check) => {
      await check(row);
    });
  });
}

/** The negative control: a row that is wrong on purpose must break at least the checks that are named. */
export function itNotices<Row>(what: string, contract: Contract<Row>, wrong: Row, broken: readonly string[]): void {
  it(`notices ${what}`, async () => {
    const failed: string[] = [];
    for (const [words, check] of Object.entries(contract)) {
      // One after the other: some checks share a session.
      await Promise.resolve()
        .then(() => check(wrong))
        .catch(() => failed.push(words));
    }
    expect(failed).toEqual(expect.arrayContaining([...broken]));
  });
}
