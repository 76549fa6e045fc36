import { SqliteIssuerStore } from "@cairn/stores";
import { aPayment, enrolTerminal, openPayer, settleItems } from "./issuer-fixture.ts";

/**
 * Settles batch after batch in one file and says on its standard output what is done, one JSON line each, until it is
 * killed. Each start opens new payers, since what an earlier one left is for the test to look at.
 */
const [path = ""] = process.argv.slice(2);
// So small that it is killed in the middle of merging, and of moving the log into the file, as well.
const indexSizes = { portionEntries: 30, mergedRuns: 2, recordsAStep: 10 };
const store = new SqliteIssuerStore(path, { indexSizes, checkpointPages: 100 });
const say = (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

await enrolTerminal(store, 1, 1).catch(() => undefined);
const payer = await openPayer(store, { balanceMinor: 3_000_000n, lineMinor: 1_000_000n });
for (let number = 1; ; number += 40) {
  const items = Array.from({ length: 40 }, (_, step) => aPayment(payer, number + step));
  const outcomes = await settleItems(store, payer, items);
  say({ settled: outcomes.filter(({ state }) => state === "settled").map(({ paymentId }) => paymentId) });
}
