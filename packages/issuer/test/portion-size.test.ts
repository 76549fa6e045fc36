import assert from "node:assert/strict";
import { test } from "node:test";
import { MAXIMUM_RECORDS } from "@cairn/messages";
import { PortionSize } from "../src/client/portion-size.ts";

test("a portion is halved by a break, never below one record, and grows again, never beyond its bound", () => {
  const size = new PortionSize(250, 250);
  const seen: number[] = [];
  for (let turn = 0; turn < 9; turn++) {
    seen.push(size.records);
    assert.equal(size.isSmallest, size.records === 1);
    size.broke();
  }
  assert.deepEqual(seen, [250, 125, 62, 31, 15, 7, 3, 1, 1]);
  for (let turn = 0; turn < 40; turn++) {
    const before = size.records;
    size.passed();
    assert.ok(size.records > before || size.records === 250);
  }
  assert.equal(size.records, 250);
});

test("no portion is larger than an upload may be, or empty", () => {
  assert.equal(new PortionSize(9_999, 9_999).records, MAXIMUM_RECORDS);
  assert.equal(new PortionSize(0).records, 1);
  const size = new PortionSize(900);
  size.passed();
  assert.equal(size.records, MAXIMUM_RECORDS);
});
