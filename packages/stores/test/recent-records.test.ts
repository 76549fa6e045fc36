import assert from "node:assert/strict";
import { test } from "node:test";
import type { InboxRecord } from "@cairn/stores";
import { RecentRecords } from "../src/issuer/postgres/recent-records.ts";

const record = (inboxId: number, length = 10): InboxRecord => ({
  inboxId,
  recordHash: String(inboxId),
  partition: 1,
  broughtBy: "terminal",
  senderId: "00" as InboxRecord["senderId"],
  paymentId: undefined,
  bytes: new Uint8Array(length),
  receivedAt: 1,
});
const range = (first: number, last = first, records = last - first + 1) => ({ first, last, records });

test("records are given away once, all that wait together and none else", () => {
  const recent = new RecentRecords();
  const together = [record(1), record(2), record(5)];
  recent.add([]);
  recent.add(together);
  for (const inboxId of [10, 20, 30]) recent.add([record(inboxId), record(inboxId + 1)]);
  assert.equal(recent.take(range(2, 5, 2)), undefined);
  assert.equal(recent.take(range(1, 5, 3)), together);
  assert.equal(recent.take(range(1, 5, 3)), undefined);
  assert.equal(recent.take(range(10)), undefined, "one of them was answered or left for later");
  assert.equal(recent.take(range(20, 29, 2)), undefined);
  assert.equal(recent.take(range(20, 21)), undefined, "and then they are read like any other");
  assert.equal(recent.take(range(30, 31))?.length, 2);
});

test("what is beyond the bound pushes out the oldest, and room that was made is used again", () => {
  const recent = new RecentRecords();
  const megabytes = (inboxId: number) => recent.add([record(inboxId, 24_000_000)]);
  for (const inboxId of [1, 2, 3]) megabytes(inboxId);
  assert.equal(recent.take(range(1)), undefined);
  assert.ok(recent.take(range(2)) !== undefined);
  megabytes(4);
  assert.ok(recent.take(range(3)) !== undefined);
  assert.ok(recent.take(range(4)) !== undefined);
});
