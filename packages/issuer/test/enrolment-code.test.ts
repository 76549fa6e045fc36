import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { nodeCrypto } from "@cairn/cose/node";
import { MemoryIssuerStore } from "@cairn/stores";
import { systemRandom } from "../src/ports.ts";
import { AttemptLimit } from "../src/services/attempt-limit.ts";
import { derivedEnrolmentCode, enrolmentCodeHash, makeEnrolmentCode } from "../src/services/enrolment-code.ts";
import { forgetExpiredCodes } from "../src/services/enrolment-codes.ts";
import { EUR } from "./support/values.ts";

const crypto = nodeCrypto();
const ours = { crypto, nonceSecret: new Uint8Array(32).fill(7) };

test("a code has two groups of five letters and hashes the same however it is typed", () => {
  for (let round = 0; round < 200; round++)
    assert.match(makeEnrolmentCode(systemRandom), /^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/);
  const hash = enrolmentCodeHash("7K3QM-9ZX01", ours);
  assert.match(hash ?? "", /^[0-9a-f]{64}$/);
  for (const typed of ["7k3qm9zx01", " 7K3QM 9ZXO1 ", "7K3QM-9ZXOI", "7k3qm-9zxol"])
    assert.equal(enrolmentCodeHash(typed, ours), hash);
  assert.notEqual(enrolmentCodeHash("7K3QM-9ZX02", ours), hash);
});

test("whoever has the database alone cannot try codes: the same code has another hash under another secret", () => {
  const theirs = { crypto, nonceSecret: new Uint8Array(32).fill(8) };
  assert.notEqual(enrolmentCodeHash("7K3QM-9ZX01", theirs), enrolmentCodeHash("7K3QM-9ZX01", ours));
  const plain = createHash("sha256").update("cairn/1/enrolment-code/7K3QM9ZX01").digest("hex");
  assert.notEqual(enrolmentCodeHash("7K3QM-9ZX01", ours), plain);
});

test("housekeeping looks at all codes within 256 minutes, and takes away those that expired unused a week ago", async () => {
  const store = new MemoryIssuerStore();
  const account = await store.createAccount({ name: "Ada", currency: EUR, createdAt: 0 });
  const expiresAt = 1_000_000;
  const hashes = Array.from({ length: 40 }, (_, number) => createHash("sha256").update(`${number}`).digest("hex"));
  for (const codeHash of hashes) await store.createEnrolmentCode({ codeHash, for: { account }, expiresAt });
  const round = async (from: number) => {
    let forgotten = 0;
    for (let minute = 0; minute < 256; minute++)
      forgotten += await forgetExpiredCodes({ store, clock: { nowSeconds: () => from + 60 * minute } });
    return forgotten;
  };
  assert.equal(await round(expiresAt + 7 * 86_400 - 256 * 60), 0);
  assert.equal(await round(expiresAt + 7 * 86_400 + 1), hashes.length);
});

test("a derived code is the same for the same words and another under another secret", () => {
  const code = derivedEnrolmentCode("P-1/02/20000", ours);
  assert.match(code, /^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/);
  assert.equal(derivedEnrolmentCode("P-1/02/20000", ours), code);
  const theirs = { crypto, nonceSecret: new Uint8Array(32).fill(8) };
  for (const other of [derivedEnrolmentCode("P-1/02/20001", ours), derivedEnrolmentCode("P-1/02/20000", theirs)])
    assert.notEqual(other, code);
});

test("what cannot be a code has no hash", () => {
  for (const typed of ["", "7K3QM-9ZX0", "7K3QM-9ZX011", "7K3QM-9ZXU1", "7K3QM-9ZX0é"])
    assert.equal(enrolmentCodeHash(typed, ours), undefined);
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

/** What an attempt is told that is not to be looked at yet. */
const STILL_WAITS = "waits";
const told = (attempt: Promise<number>): Promise<number | string> =>
  Promise.race([attempt, new Promise<string>((resolve) => setImmediate(resolve, STILL_WAITS))]);

async function guess(limit: AttemptLimit, address: string, now: number): Promise<number> {
  const seconds = await limit.begin(address, now);
  if (seconds === 0) limit.end(address, now, false);
  return seconds;
}

test("wrong codes are bounded by address and overall, and a minute later begin anew", async () => {
  const limit = new AttemptLimit({ perAddressPerMinute: 2, overallPerMinute: 3 });
  assert.equal(await guess(limit, "a", 100), 0);
  assert.equal(await guess(limit, "a", 110), 0);
  assert.equal(await guess(limit, "a", 130), 30, "the address has had its two");
  assert.equal(await guess(limit, "b", 130), 0);
  assert.equal(await guess(limit, "c", 130), 30, "all together have had their three");
  assert.equal(await guess(limit, "a", 160), 0);
});

test("right codes do not count, however many come at once", async () => {
  const limit = new AttemptLimit({ perAddressPerMinute: 2, overallPerMinute: 3 });
  const begun = Array.from({ length: 40 }, () => limit.begin("a", 100));
  for (const attempt of begun) {
    assert.equal(await attempt, 0);
    limit.end("a", 100, true);
  }
  assert.equal(await guess(limit, "a", 100), 0);
});

test("many guesses at once gain nothing: they wait for those under way, and are turned away once these were wrong", async () => {
  const limit = new AttemptLimit({ perAddressPerMinute: 2, overallPerMinute: 3 });
  const begun = ["a", "a", "a", "b", "b"].map((address) => limit.begin(address, 100));
  assert.deepEqual(await Promise.all(begun.map(told)), [0, 0, STILL_WAITS, 0, STILL_WAITS]);
  limit.end("a", 100, false);
  assert.deepEqual(await Promise.all(begun.slice(2).map(told)), [STILL_WAITS, 0, STILL_WAITS]);
  limit.end("a", 110, true);
  assert.equal(await told(limit.begin("c", 110)), STILL_WAITS, "those that came before have the place");
  limit.end("b", 120, false);
  assert.equal(await begun[2], 0);
  limit.end("a", 130, false);
  assert.equal(await begun[4], 30, "three wrong ones of all together");
});

test("what was begun in the minute before counts in the one in which it turns out to be wrong", async () => {
  const limit = new AttemptLimit({ perAddressPerMinute: 1, overallPerMinute: 9 });
  assert.equal(await limit.begin("a", 159), 0);
  const next = limit.begin("a", 220);
  assert.equal(await told(next), STILL_WAITS);
  limit.end("a", 221, false);
  assert.equal(await next, 59);
});

test("who waits beyond any sensible number is turned away at once", async () => {
  const limit = new AttemptLimit({ perAddressPerMinute: 1, overallPerMinute: 9 });
  const begun = Array.from({ length: 1_002 }, () => limit.begin("a", 100));
  assert.deepEqual(await Promise.all([begun[0], begun[1_001]]), [0, 1]);
  assert.equal(await told(begun[1_000] as Promise<number>), STILL_WAITS);
});

test("a clock set back begins a new minute instead of waiting for the old one", async () => {
  const limit = new AttemptLimit({ perAddressPerMinute: 1, overallPerMinute: 9 });
  assert.equal(await guess(limit, "a", 10_000), 0);
  assert.equal(await guess(limit, "a", 50), 0);
});
