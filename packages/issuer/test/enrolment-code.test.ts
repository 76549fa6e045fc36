import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeCrypto } from "@cairn/cose/node";
import { systemRandom } from "../src/ports.ts";
import { AttemptLimit } from "../src/services/attempt-limit.ts";
import { enrolmentCodeHash, makeEnrolmentCode } from "../src/services/enrolment-code.ts";

const crypto = nodeCrypto();

test("a code has two groups of five letters and hashes the same however it is typed", () => {
  for (let round = 0; round < 200; round++)
    assert.match(makeEnrolmentCode(systemRandom), /^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/);
  const hash = enrolmentCodeHash("7K3QM-9ZX01", crypto);
  assert.match(hash ?? "", /^[0-9a-f]{64}$/);
  for (const typed of ["7k3qm9zx01", " 7K3QM 9ZXO1 ", "7K3QM-9ZXOI", "7k3qm-9zxol"])
    assert.equal(enrolmentCodeHash(typed, crypto), hash);
  assert.notEqual(enrolmentCodeHash("7K3QM-9ZX02", crypto), hash);
});

test("what cannot be a code has no hash", () => {
  for (const typed of ["", "7K3QM-9ZX0", "7K3QM-9ZX011", "7K3QM-9ZXU1", "7K3QM-9ZX0é"])
    assert.equal(enrolmentCodeHash(typed, crypto), undefined);
});

test("every letter of the alphabet comes from some byte, equally often", () => {
  const random = { bytes: (length: number) => Uint8Array.from({ length }, () => next++ & 255) };
  let next = 0;
  const counts = new Map<string, number>();
  for (let round = 0; round < 128; round++)
    for (const letter of makeEnrolmentCode(random).replace("-", "")) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  assert.equal(counts.size, 32);
  assert.deepEqual([...new Set(counts.values())], [40]);
});

test("failed attempts are bounded by address and overall, and a minute later begin anew", () => {
  const limit = new AttemptLimit({ perAddressPerMinute: 2, overallPerMinute: 3 });
  assert.equal(limit.begin("a", 100), 0);
  assert.equal(limit.begin("a", 110), 0);
  assert.equal(limit.begin("a", 130), 30, "the address has had its two");
  assert.equal(limit.begin("b", 130), 0);
  assert.equal(limit.begin("c", 130), 30, "all together have had their three");
  assert.equal(limit.begin("a", 160), 0);
});

test("what succeeds does not count", () => {
  const limit = new AttemptLimit({ perAddressPerMinute: 1, overallPerMinute: 1 });
  for (let round = 0; round < 5; round++) {
    assert.equal(limit.begin("a", 100), 0);
    limit.succeeded("a");
  }
  limit.succeeded("a");
  assert.equal(limit.begin("a", 100), 0);
  assert.equal(limit.begin("b", 100), 60, "taking back more than was counted gains nothing");
});

test("a clock set back begins a new minute instead of waiting for the old one", () => {
  const limit = new AttemptLimit({ perAddressPerMinute: 1, overallPerMinute: 9 });
  assert.equal(limit.begin("a", 10_000), 0);
  assert.equal(limit.begin("a", 50), 0);
});
