import { StoreError } from "../../store-error.ts";
import { eachPage, PAGE, type Reading } from "../audit-reading.ts";
import { number } from "../rows.ts";
import { marksOf, mayHold } from "./key-filter.ts";
import type { PaymentIndex } from "./payment-index.ts";
import { type Run, readPage, type Segment } from "./run.ts";

/**
 * The index agrees with the inbox: every page of it can be read and is in its order, and every record is found by the
 * key of its payment, in the way in which settlement looks it up. An entry without a record is no fault: it stays of one
 * that was undone, and costs a look. What is missing is told in one line, however much it is.
 */
export async function verifyIndex(reading: Reading, index: PaymentIndex): Promise<void> {
  const { database, report, othersTurn } = reading;
  const damaged = new Set<string>();
  for (const run of index.wholeRuns) {
    for (const segment of [...run.segments]) {
      await othersTurn();
      // What was merged meanwhile is cleared away, and its records are found in what it was merged into.
      if (!index.wholeRuns.includes(run)) break;
      const fault = faultOf(reading, segment) ?? (isInOrder(run, segment) ? undefined : "is not in its place");
      if (fault !== undefined) damaged.add(`page ${segment.firstPage} to ${lastPage(segment)} ${fault}`);
    }
  }
  let [missing, first] = [0, 0];
  await eachPage(reading, "records looked up in the payment index", (last) => {
    const rows = database.all(
      `SELECT inbox_id, payment_key FROM inbox WHERE inbox_id > ? ORDER BY inbox_id LIMIT ${PAGE}`,
      last === undefined ? 0 : number(last, "inbox_id"),
    );
    // Of a payment that came very often each record would find all of them.
    for (const [key, records] of Map.groupBy(rows, (row) => number(row, "payment_key"))) {
      const found = readable(() => new Set(index.find(key)));
      for (const row of records) {
        const inboxId = number(row, "inbox_id");
        if (found?.has(inboxId) === true) continue;
        if (missing++ === 0) first = inboxId;
      }
    }
    return rows;
  });
  for (const each of [...damaged].slice(0, DAMAGES_TOLD)) report(`The payment index is damaged: ${each}.`);
  if (damaged.size > DAMAGES_TOLD)
    report(`The payment index is damaged in ${damaged.size - DAMAGES_TOLD} more places.`);
  if (missing > 0) report(`The payment index does not find ${missing} records, of which the first is ${first}.`);
}

const DAMAGES_TOLD = 10;
const lastPage = ({ firstPage, firstKeys }: Segment): number => firstPage + firstKeys.length - 1;

/** What is wrong with the pages of a segment; undefined when nothing is. */
function faultOf({ database }: Reading, { firstPage, firstKeys, filter }: Segment): string | undefined {
  let [lastKey, lastInboxId] = [-1, 0];
  for (const [place, firstKey] of firstKeys.entries()) {
    const page = readable(() => readPage(database, firstPage + place));
    if (page === undefined) return "cannot be read";
    const { keys, inboxIds } = page;
    if (keys[0] !== firstKey) return "does not begin as was written down";
    for (const [index, key] of keys.entries()) {
      const inboxId = inboxIds[index] ?? 0;
      if (key < lastKey || (key === lastKey && inboxId <= lastInboxId)) return "is not in its order";
      if (!mayHold(filter, marksOf(key))) return "does not go with its filter";
      [lastKey, lastInboxId] = [key, inboxId];
    }
  }
  return undefined;
}

function isInOrder({ segments }: Run, segment: Segment): boolean {
  const before = segments[segments.indexOf(segment) - 1];
  return before === undefined || (before.firstKeys[0] ?? 0) <= (segment.firstKeys[0] ?? 0);
}

/** Undefined for what is damaged. */
function readable<Read>(read: () => Read): Read | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof StoreError && error.code === "STORE_DAMAGED") return undefined;
    throw error;
  }
}
