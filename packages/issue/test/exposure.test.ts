import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type CertificateView,
  DEFAULT_POLICY,
  exposureOf,
  holdOf,
  openExposure,
  openHold,
  readPolicy,
} from "@cairn/issue";
import fc from "fast-check";
import { certificateArbitrary, policyArbitrary } from "./arbitraries.ts";
import { aCertificate, aClosing, NOW } from "./views.ts";

const policy = readPolicy({
  uploadDeadlineSeconds: 3_600,
  protection: { 0: { releasedAtClosingPercent: 0 }, 1: { releasedAtClosingPercent: 33 } },
});
const open = aCertificate({ limitMinor: 10_000n, settledMinor: 0n });
const exposure = (changes: Parameters<typeof aCertificate>[0], now = NOW): bigint =>
  exposureOf({ ...open, ...changes }, policy, now);

test("a hold shrinks as payments settle, and ends with the exposure", () => {
  const hold = (changes: Partial<CertificateView>, now = NOW) => holdOf({ ...held, ...changes }, policy, now);
  const held = aCertificate({ limitMinor: 20_000n, heldMinor: 12_000n, settledMinor: 0n, protection: 3 });
  assert.equal(hold({}), 12_000n);
  assert.equal(hold({ settledMinor: 5_000n }), 7_000n, "settlement takes the balance first");
  assert.equal(hold({ settledMinor: 12_000n }), 0n, "the rest comes out of credit");
  assert.equal(hold({ heldMinor: 0n }), 0n);
  assert.equal(hold({ revokedAt: NOW }), 12_000n, "terminals that are offline still take it");
  assert.equal(hold({ closing: { sequence: 1, spentMinor: 9_000n, closedAt: NOW } }), 9_000n);
  const deadline = held.expiresAt + policy.uploadDeadlineSeconds;
  assert.deepEqual([hold({}, deadline), hold({}, deadline + 1)], [12_000n, 0n]);
  assert.equal(openHold([held, held], policy, NOW), 24_000n);
  const onCredit = { ...held, settledMinor: 15_000n };
  assert.equal(openHold([held, onCredit], policy, NOW), 12_000n, "what credit paid frees nothing of another's hold");
});

test("an open certificate counts its limit less what was settled", () => {
  assert.equal(exposure({}), 10_000n);
  assert.equal(exposure({ settledMinor: 4_000n }), 6_000n);
  assert.equal(exposure({ settledMinor: 10_000n }), 0n);
});

test("what was given back does not lower an open certificate: its counter never runs back, but nothing proves it", () => {
  assert.equal(exposure({ settledMinor: 4_000n, releasedMinor: 1_000n }), 6_000n);
});

test("a revoked certificate counts on: terminals that are offline still take it", () => {
  assert.equal(exposure({ revokedAt: NOW - 1 }), 10_000n);
});

test("an expired certificate counts until its upload deadline has passed", () => {
  const expiresAt = NOW - 3_600;
  assert.equal(exposure({ expiresAt }, NOW), 10_000n);
  assert.equal(exposure({ expiresAt }, NOW + 1), 0n);
});

test("a closed certificate counts what was spent and neither settled nor given back", () => {
  assert.equal(exposure({ closing: aClosing(7_000n) }), 7_000n);
  assert.equal(exposure({ closing: aClosing(7_000n), settledMinor: 4_000n }), 3_000n);
  assert.equal(exposure({ closing: aClosing(7_000n), settledMinor: 4_000n, releasedMinor: 2_000n }), 1_000n);
  assert.equal(exposure({ closing: aClosing(7_000n), settledMinor: 4_000n, releasedMinor: 3_000n }), 0n);
  assert.equal(exposure({ closing: aClosing(0n) }), 0n);
});

test("the unspent rest of a weakly guarded key waits for the deadline in part", () => {
  assert.equal(exposure({ protection: 0, closing: aClosing(7_000n), settledMinor: 7_000n }), 3_000n);
  assert.equal(exposure({ protection: 1, closing: aClosing(7_000n), settledMinor: 7_000n }), 2_010n);
  // 67 % of 1 cent: rounded up.
  assert.equal(exposure({ protection: 1, closing: aClosing(9_999n), settledMinor: 9_999n }), 1n);
  assert.equal(exposure({ protection: 0, closing: aClosing(0n), expiresAt: NOW - 3_601 }), 0n);
});

test("a closing that lies cannot make exposure negative or larger than it was", () => {
  assert.equal(exposure({ closing: aClosing(99_999n) }), 10_000n);
  assert.equal(exposure({ closing: aClosing(0n), settledMinor: 4_000n }), 0n);
  assert.equal(exposure({ protection: 0, closing: aClosing(0n), settledMinor: 4_000n }), 6_000n);
  assert.equal(exposure({ settledMinor: 15_000n }), 0n);
});

test("exposure is never negative and never grows: not by time, settling, closing or giving back", () => {
  const more = fc.bigInt({ min: 0n, max: 50_000n });
  fc.assert(
    fc.property(
      certificateArbitrary,
      policyArbitrary,
      fc.record({ settled: more, released: more, spent: more, seconds: fc.nat(2_000_000) }),
      (certificate, anyPolicy, step) => {
        const before = exposureOf(certificate, anyPolicy, NOW);
        assert.ok(before >= 0n && before <= certificate.limitMinor);
        const settledMinor = certificate.settledMinor + step.settled;
        const releasedMinor = certificate.releasedMinor + step.released;
        const closing = certificate.closing ?? { sequence: 1, spentMinor: step.spent, closedAt: NOW };
        for (const later of [{ settledMinor }, { releasedMinor }, { closing }, { revokedAt: NOW }])
          assert.ok(exposureOf({ ...certificate, ...later }, anyPolicy, NOW) <= before);
        assert.ok(exposureOf(certificate, anyPolicy, NOW + step.seconds) <= before);
      },
    ),
  );
});

test("open exposure is the sum over all certificates", () => {
  assert.equal(openExposure([], DEFAULT_POLICY, NOW), 0n);
  const closed = aCertificate({ limitMinor: 10_000n, settledMinor: 0n, closing: aClosing(500n) });
  assert.equal(openExposure([open, closed, open], policy, NOW), 20_500n);
});
