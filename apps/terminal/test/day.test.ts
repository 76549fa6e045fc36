import assert from "node:assert/strict";
import { test } from "node:test";
import type { HistoryEntry } from "@cairn/collect";
import { currency, type MessageId } from "@cairn/messages";
import { dayAsCsv, dayRange, daysAgo, neighbourDay } from "../src/till/day.ts";

const EUR = currency("EUR");

function payment(changes: { at: number; order?: string; taken?: bigint; guaranteed?: boolean }): HistoryEntry {
  const { at, order, taken = 1337n, guaranteed = true } = changes;
  return {
    kind: "payment",
    at,
    state: "stored",
    guaranteed,
    orderReference: order,
    acceptance: {
      paymentId: `id-${at}` as MessageId,
      takenMinor: taken,
      amountMinor: taken,
      risk: guaranteed ? undefined : "STATUS_LIST_STALE",
      answer: undefined,
    },
  } as HistoryEntry;
}

test("a day goes from midnight to midnight in the device's time zone", () => {
  const { from, until } = dayRange(new Date(2026, 4, 17, 15, 30));
  assert.equal(new Date(from * 1000).getTime(), new Date(2026, 4, 17).getTime());
  assert.equal(new Date(until * 1000).getTime(), new Date(2026, 4, 18).getTime());
});

test("days are stepped through over the end of a month", () => {
  const day = neighbourDay(new Date(2026, 2, 1), -1);
  assert.deepEqual([day.getMonth(), day.getDate()], [1, 28]);
  assert.equal(daysAgo(day, new Date(2026, 2, 1, 23)), 1);
});

test("the CSV holds one line for each accepted payment, oldest first", () => {
  const text = dayAsCsv([payment({ at: 200, order: "Table 4" }), payment({ at: 100, guaranteed: false })], {
    currency: EUR,
    refunds: [{ paymentId: "id-100" as MessageId, amountMinor: "300", beforeMinor: "0", at: 300, isDone: true }],
  });
  assert.deepEqual(text.split("\r\n"), [
    "time,payment,order,amount,currency,state,guaranteed,risk,code",
    "1970-01-01T00:01:40.000Z,id-100,,13.37,EUR,stored,no,STATUS_LIST_STALE,",
    "1970-01-01T00:03:20.000Z,id-200,Table 4,13.37,EUR,stored,yes,,",
    "1970-01-01T00:05:00.000Z,id-100,,-3.00,EUR,given-back,,,",
    "",
  ]);
});

test("what people typed cannot break a line or run as a formula", () => {
  const text = dayAsCsv([payment({ at: 1, order: '=HYPERLINK("x"),\n"' })], { currency: EUR, refunds: [] });
  assert.ok(text.includes(`"'=HYPERLINK(""x""),\n"""`), text);
});
