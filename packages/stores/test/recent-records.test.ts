import assert from "node:assert/strict";
import { test } from "node:test";
import type { InboxRecord } from "@cairn/stores";
import { RecentRecords } from "../src/issuer/postgres/recent-records.ts";

const record = (name: string, length = 10): InboxRecord => ({
  inboxId: 0,
  recordHash: name,
  partition: 1,
  broughtBy: "terminal",
  senderId: "00" as InboxRecord["senderId"],
  paymentId: undefined,
  bytes: new Uint8Array(length),
  receivedAt: 1,
});

test("a record is given away once", () => {
  const recent = new RecentRecords();
  const one = record("one");
  recent.add([one, record("two"), one]);
  assert.equal(recent.take("one"), one);
  assert.equal(recent.take("one"), undefined);
  assert.equal(recent.take("three"), undefined);
  assert.ok(recent.take("two") !== undefined);
});

test("what is beyond the bound pushes out the oldest, and room that was made is used again", () => {
  const recent = new RecentRecords();
  const megabytes = (name: string) => record(name, 24_000_000);
  recent.add([megabytes("one"), megabytes("two"), megabytes("three")]);
  assert.equal(recent.take("one"), undefined);
  assert.ok(recent.take("two") !== undefined);
  recent.add([megabytes("four")]);
  assert.ok(recent.take("three") !== undefined);
  assert.ok(recent.take("four") !== undefined);
});
