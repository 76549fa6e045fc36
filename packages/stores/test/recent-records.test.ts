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

test("a record is given away once", () => {
  const recent = new RecentRecords();
  const one = record(1);
  recent.add(one);
  recent.add(record(2));
  assert.equal(recent.take(1), one);
  assert.equal(recent.take(1), undefined);
  assert.equal(recent.take(3), undefined);
  assert.ok(recent.take(2) !== undefined);
});

test("what is beyond the bound pushes out the oldest, and room that was made is used again", () => {
  const recent = new RecentRecords();
  const megabytes = (inboxId: number) => recent.add(record(inboxId, 24_000_000));
  for (const inboxId of [1, 2, 3]) megabytes(inboxId);
  assert.equal(recent.take(1), undefined);
  assert.ok(recent.take(2) !== undefined);
  megabytes(4);
  assert.ok(recent.take(3) !== undefined);
  assert.ok(recent.take(4) !== undefined);
});
