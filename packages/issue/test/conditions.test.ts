import assert from "node:assert/strict";
import { test } from "node:test";
import {
  allConditions,
  type CertificateView,
  CONDITION_SENTENCES,
  conditionsHolding,
  DEFAULT_POLICY,
  type IssuanceEvent,
  type IssuingPolicy,
  type IssuingView,
  readPolicy,
} from "@cairn/issue";
import fc from "fast-check";
import { eventArbitrary, viewArbitrary } from "./arbitraries.ts";
import {
  AHEAD,
  aCertificate,
  aClosing,
  aDevice,
  anAccount,
  aView,
  certificateId,
  DAY,
  deviceId,
  NOW,
  ONLINE,
} from "./views.ts";

function codes(
  view: Partial<IssuingView>,
  { event = ONLINE, policy = DEFAULT_POLICY }: { event?: IssuanceEvent; policy?: IssuingPolicy } = {},
): string[] {
  return conditionsHolding({ view: aView(view), event, policy, now: NOW }).map(({ code }) => code);
}
const withOne = (changes: Partial<CertificateView>): Partial<IssuingView> => ({
  certificates: [aCertificate(changes)],
});

test("a good certificate is left alone", () => {
  assert.deepEqual(codes(withOne({})), []);
});

test("no certificate: never one, closed, revoked, or only on another device", () => {
  assert.deepEqual(codes({}), ["NO_CERTIFICATE"]);
  assert.deepEqual(codes(withOne({ closing: aClosing(10_000n) })), ["NO_CERTIFICATE"]);
  assert.deepEqual(codes(withOne({ revokedAt: NOW - 1 })), ["NO_CERTIFICATE"]);
  assert.deepEqual(codes(withOne({ deviceId: deviceId(2) })), ["NO_CERTIFICATE"]);
});

test("expired: one second past the end, not at it, and only when no other one is left", () => {
  assert.deepEqual(codes(withOne({ expiresAt: NOW - 1 })), ["VALIDITY_ENDED"]);
  assert.ok(!codes(withOne({ expiresAt: NOW })).includes("VALIDITY_ENDED"));
  const expired = aCertificate({ certificateId: certificateId(2), expiresAt: NOW - 1 });
  assert.deepEqual(codes({ certificates: [expired, aCertificate()] }), []);
});

test("renewal: within the window, unless another certificate lasts longer", () => {
  assert.deepEqual(codes(withOne({ expiresAt: NOW + DAY - 1 })), ["RENEWAL_DUE"]);
  assert.deepEqual(codes(withOne({ expiresAt: NOW + DAY })), []);
  const ending = aCertificate({ certificateId: certificateId(2), expiresAt: NOW + 60 });
  assert.deepEqual(codes({ certificates: [ending, aCertificate()] }), []);
});

test("remaining low: under a quarter, what was given back counted as gone", () => {
  assert.deepEqual(codes(withOne({ settledMinor: 15_000n })), []);
  assert.deepEqual(codes(withOne({ settledMinor: 15_001n })), ["REMAINING_LOW"]);
  assert.deepEqual(codes(withOne({ settledMinor: 14_000n, releasedMinor: 1_001n })), ["REMAINING_LOW"]);
  const fresh = aCertificate({ certificateId: certificateId(2), settledMinor: 0n });
  assert.deepEqual(codes({ certificates: [aCertificate({ settledMinor: 19_000n }), fresh] }), []);
});

test("allowance changed: more by a fifth, or less than settlements explain", () => {
  const now96000 = { settledMinor: 0n };
  assert.deepEqual(codes(withOne({ ...now96000, allowanceMinor: 80_000n })), []);
  assert.deepEqual(codes(withOne({ ...now96000, allowanceMinor: 79_999n })), ["ALLOWANCE_CHANGED"]);
  assert.deepEqual(codes(withOne({ ...now96000, allowanceMinor: 120_000n })), []);
  assert.deepEqual(codes(withOne({ ...now96000, allowanceMinor: 120_010n })), ["ALLOWANCE_CHANGED"]);
  assert.deepEqual(codes(withOne({ settledMinor: 10_000n, allowanceMinor: 120_010n })), []);
});

test("allowance changed: only what can have been settled since the newest certificate explains a smaller one", () => {
  const newest = aCertificate({ settledMinor: 0n, allowanceMinor: 150_000n });
  const long = newest.issuedAt - DEFAULT_POLICY.uploadDeadlineSeconds;
  const older = (expiresAt: number) => [
    aCertificate({ certificateId: certificateId(2), expiresAt, issuedAt: expiresAt - DAY, settledMinor: 50_000n }),
    newest,
  ];
  assert.deepEqual(codes({ certificates: older(long) }), []);
  assert.deepEqual(codes({ certificates: older(long - 1) }), ["ALLOWANCE_CHANGED"]);
});

test("allowance changed: a change of the credit counts as one of the balance", () => {
  const certificates = [aCertificate({ settledMinor: 0n })];
  const account = anAccount({}, { lineMinor: 200_000n });
  assert.deepEqual(codes({ account, certificates }), ["ALLOWANCE_CHANGED"]);
  assert.deepEqual(codes({ account: anAccount({ balanceMinor: 60_000n }), certificates }), ["ALLOWANCE_CHANGED"]);
});

test("allowance changed: both the share and the sum must be passed", () => {
  const account = anAccount({ balanceMinor: 1_250n }, { lineMinor: 0n, usedMinor: 0n });
  const one = (allowanceMinor: bigint) => [aCertificate({ settledMinor: 0n, allowanceMinor })];
  // From 5.00 to 10.00 is twice as much, but small money.
  assert.deepEqual(codes({ account, certificates: one(500n) }), []);
  const policy = readPolicy({ conditions: { allowanceChanged: { aboveMinor: "499" } } });
  assert.deepEqual(codes({ account, certificates: one(500n) }, { policy }), ["ALLOWANCE_CHANGED"]);
});

test("allowance changed: measured from the newest certificate, in whichever order they come", () => {
  const older = aCertificate({ certificateId: certificateId(2), issuedAt: NOW - 5 * DAY, allowanceMinor: 10_000n });
  assert.deepEqual(codes({ certificates: [older, aCertificate()] }), []);
  assert.deepEqual(codes({ certificates: [aCertificate(), older] }), []);
});

test("device key replaced: until the new device has had its first certificate", () => {
  const device = aDevice({ deviceId: deviceId(2), replacesDeviceId: deviceId(1) });
  assert.deepEqual(codes({ device, certificates: [aCertificate()] }), ["NO_CERTIFICATE", "DEVICE_KEY_REPLACED"]);
  assert.deepEqual(codes({ device, certificates: [aCertificate({ deviceId: deviceId(2) })] }), []);
});

test("restored: within its time, until a new one was issued, and not once it is closed", () => {
  const within = DEFAULT_POLICY.conditions.restored.withinSeconds;
  assert.deepEqual(codes(withOne({ restoredAt: NOW })), ["CERTIFICATE_RESTORED"]);
  assert.deepEqual(codes(withOne({ restoredAt: NOW - within })), ["CERTIFICATE_RESTORED"]);
  assert.deepEqual(codes(withOne({ restoredAt: NOW - within - 1 })), []);
  const restored = aCertificate({ restoredAt: NOW - 60 });
  const since = aCertificate({ certificateId: certificateId(2), issuedAt: NOW - 60 });
  assert.deepEqual(codes({ certificates: [restored, since] }), []);
  const before = aCertificate({ certificateId: certificateId(2), issuedAt: NOW - 61 });
  assert.deepEqual(codes({ certificates: [restored, before] }), ["CERTIFICATE_RESTORED"]);
  assert.deepEqual(codes(withOne({ restoredAt: NOW - 60, closing: aClosing(10_000n) })), ["NO_CERTIFICATE"]);
  assert.deepEqual(codes(withOne({ restoredAt: NOW - 60, deviceId: deviceId(2) })), ["NO_CERTIFICATE"]);
});

test("what is low or changed waits until the newest certificate is old enough", () => {
  const minimumIntervalSeconds = 3_600;
  const policy = readPolicy({
    conditions: { remainingLow: { minimumIntervalSeconds }, allowanceChanged: { minimumIntervalSeconds } },
  });
  const due = { settledMinor: 19_000n, allowanceMinor: 10_000n };
  const at = (secondsAgo: number) => codes(withOne({ ...due, issuedAt: NOW - secondsAgo }), { policy });
  assert.deepEqual(at(3_599), []);
  assert.deepEqual(at(3_600), ["REMAINING_LOW", "ALLOWANCE_CHANGED"]);
  const older = aCertificate({ ...due, issuedAt: NOW - 7_200 });
  const newer = aCertificate({ ...due, certificateId: certificateId(2), issuedAt: NOW - 60 });
  for (const certificates of [
    [older, newer],
    [newer, older],
  ])
    assert.deepEqual(codes({ certificates }, { policy }), []);
});

test("all conditions are told with whether they hold and are switched on", () => {
  const policy = readPolicy({ conditions: { noCertificate: { enabled: false } } });
  const all = allConditions({ view: aView(), event: ONLINE, policy, now: NOW });
  assert.deepEqual(
    all.map(({ code }) => code),
    Object.keys(CONDITION_SENTENCES),
  );
  assert.deepEqual(
    all.filter(({ met }) => met).map(({ code, enabled }) => [code, enabled]),
    [["NO_CERTIFICATE", false]],
  );
});

test("requested ahead holds whatever the certificate is like", () => {
  assert.deepEqual(codes(withOne({}), { event: AHEAD }), ["REQUESTED_AHEAD"]);
});

test("all that hold are reported, in their order", () => {
  const certificate = aCertificate({ expiresAt: NOW + 60, settledMinor: 19_000n, allowanceMinor: 10_000n });
  assert.deepEqual(codes({ certificates: [certificate] }, { event: AHEAD }), [
    "RENEWAL_DUE",
    "REMAINING_LOW",
    "ALLOWANCE_CHANGED",
    "REQUESTED_AHEAD",
  ]);
});

test("each condition can be switched off by itself", () => {
  const replaced = aDevice({ replacesDeviceId: deviceId(9) });
  const cases: readonly (readonly [keyof IssuingPolicy["conditions"], string, Partial<IssuingView>, IssuanceEvent])[] =
    [
      ["noCertificate", "NO_CERTIFICATE", {}, ONLINE],
      ["expired", "VALIDITY_ENDED", withOne({ expiresAt: NOW - 1 }), ONLINE],
      ["renewalWindow", "RENEWAL_DUE", withOne({ expiresAt: NOW + 60 }), ONLINE],
      ["remainingLow", "REMAINING_LOW", withOne({ settledMinor: 20_000n }), ONLINE],
      ["allowanceChanged", "ALLOWANCE_CHANGED", withOne({ allowanceMinor: 1_000n }), ONLINE],
      ["deviceKeyReplaced", "DEVICE_KEY_REPLACED", { device: replaced }, ONLINE],
      ["restored", "CERTIFICATE_RESTORED", withOne({ restoredAt: NOW - 60 }), ONLINE],
      ["requestedAhead", "REQUESTED_AHEAD", withOne({}), AHEAD],
    ];
  assert.equal(cases.length, Object.keys(CONDITION_SENTENCES).length);
  for (const [name, code, view, event] of cases) {
    const on = codes(view, { event });
    assert.ok(on.includes(code), code);
    const off = readPolicy({ conditions: { [name]: { enabled: false } } });
    assert.deepEqual(
      codes(view, { event, policy: off }),
      on.filter((other) => other !== code),
    );
  }
});

test("nothing holds while the device is not online", () => {
  fc.assert(
    fc.property(viewArbitrary, (view) => {
      const input = { view, event: { kind: "account-changed" } as const, policy: DEFAULT_POLICY, now: NOW };
      assert.deepEqual(conditionsHolding(input), []);
    }),
  );
});

test("the order of certificates does not matter", () => {
  fc.assert(
    fc.property(viewArbitrary, eventArbitrary, (view, event) => {
      const issuedAtAll = new Set(view.certificates.map(({ issuedAt }) => issuedAt));
      fc.pre(issuedAtAll.size === view.certificates.length);
      const turned = { ...view, certificates: view.certificates.toReversed() };
      assert.deepEqual(
        conditionsHolding({ view, event, policy: DEFAULT_POLICY, now: NOW }),
        conditionsHolding({ view: turned, event, policy: DEFAULT_POLICY, now: NOW }),
      );
    }),
  );
});
