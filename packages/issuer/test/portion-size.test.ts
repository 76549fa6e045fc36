import assert from "node:assert/strict";
import { test } from "node:test";
import { MAXIMUM_RECORDS } from "@cairn/messages";
import { fewerRecords, moreRecords } from "../src/client/portion-size.ts";

test("a portion is halved by a break, never below one record, and grows again, never beyond its bound", () => {
  const seen = [250];
  for (let turn = 0; turn < 8; turn++) seen.push(fewerRecords(seen[turn] ?? 0));
  assert.deepEqual(seen, [250, 125, 62, 31, 15, 7, 3, 1, 1]);
  assert.equal(fewerRecords(0), 1);
  let records = 1;
  for (let turn = 0; turn < 40; turn++) {
    const more = moreRecords(records, 250);
    assert.ok(more > records || more === 250);
    records = more;
  }
  assert.equal(records, 250);
  assert.equal(moreRecords(900), MAXIMUM_RECORDS);
});
