import assert from "node:assert/strict";
import { test } from "node:test";
import {
  computeLimit,
  DEFAULT_POLICY,
  type IssuingView,
  issuingRefusals,
  REFUSALS_IN_ORDER,
  readPolicy,
} from "@cairn/issue";
import fc from "fast-check";
import { policyArbitrary, viewArbitrary } from "./arbitraries.ts";
import { aCertificate, aClosing, aDevice, anAccount, aView, certificateId, DAY, NOW } from "./views.ts";

function codes(view: Partial<IssuingView>, policy = DEFAULT_POLICY): string[] {
  const whole = aView(view);
  const computation = computeLimit(whole, policy, NOW);
  return issuingRefusals({ view: whole, computation, policy, now: NOW }).map(({ code }) => code);
}
const DEADLINE = 7 * DAY;
/** Takes up all of the allowance. */
const large = aCertificate({ limitMinor: 96_000n, settledMinor: 0n });
/** Takes up all of the day, and no exposure. */
const today = [1, 2].map((number) =>
  aCertificate({
    certificateId: certificateId(number),
    issuedAt: NOW - 60,
    limitMinor: 50_000n,
    settledMinor: 50_000n,
    closing: aClosing(50_000n),
  }),
);

test("a good account is not refused", () => {
  assert.deepEqual(codes({}), []);
});

test("a frozen account", () => {
  assert.deepEqual(codes({ account: anAccount({ status: "frozen" }) }), ["ACCOUNT_FROZEN"]);
});

test("a frozen device", () => {
  assert.deepEqual(codes({ device: aDevice({ status: "frozen" }) }), ["DEVICE_FROZEN"]);
});

test("an unresolved conflict", () => {
  assert.deepEqual(codes({ account: anAccount({ unresolvedConflicts: 1 }) }), ["CONFLICT_UNRESOLVED"]);
});

test("overdue debt, of one minor unit", () => {
  assert.deepEqual(codes({ account: anAccount({}, { overdueMinor: 1n }) }), ["DEBT_OVERDUE"]);
});

test("credit information too old: one second past its age", () => {
  assert.deepEqual(codes({ account: anAccount({}, { informedAt: NOW - DEADLINE }) }), []);
  assert.deepEqual(codes({ account: anAccount({}, { informedAt: NOW - DEADLINE - 1 }) }), [
    "CREDIT_INFORMATION_TOO_OLD",
  ]);
});

test("old credit information does not matter to an account that has no credit, but to one that owes", () => {
  const old = { informedAt: 0, lineMinor: 0n };
  assert.deepEqual(codes({ account: anAccount({}, { ...old, usedMinor: 0n }) }), []);
  assert.deepEqual(codes({ account: anAccount({}, { ...old, usedMinor: 1n }) }), ["CREDIT_INFORMATION_TOO_OLD"]);
  const unused = { informedAt: 0, usedMinor: 0n, lineMinor: 1n };
  assert.deepEqual(codes({ account: anAccount({}, unused) }), ["CREDIT_INFORMATION_TOO_OLD"]);
  assert.deepEqual(codes({ account: anAccount({}, { ...old, usedMinor: 0n, overdueMinor: 1n }) }), [
    "DEBT_OVERDUE",
    "CREDIT_INFORMATION_TOO_OLD",
  ]);
});

test("no room: all of the allowance is out", () => {
  assert.deepEqual(codes({ certificates: [large] }), ["EXPOSURE_AT_CAP"]);
});

test("no room: money and credit are below the smallest certificate", () => {
  const poor = (balanceMinor: bigint) => anAccount({ balanceMinor }, { lineMinor: 0n, usedMinor: 0n });
  assert.deepEqual(codes({ account: poor(624n) }), ["EXPOSURE_AT_CAP"]);
  assert.deepEqual(codes({ account: poor(625n) }), []);
});

test("key protection too low: below the least that the policy asks for, or at a level that is given nothing", () => {
  const asked = readPolicy({ minimumProtection: 3 });
  assert.deepEqual(codes({}, asked), ["KEY_PROTECTION_TOO_LOW"]);
  assert.deepEqual(codes({ device: aDevice({ protection: 3 }) }, asked), []);
  const capped = readPolicy({ protection: { 2: { perCertificateCapMinor: "0" } } });
  assert.deepEqual(codes({}, capped), ["KEY_PROTECTION_TOO_LOW"]);
  const unshared = readPolicy({ protection: { 2: { allowancePercent: 0 } } });
  assert.deepEqual(codes({}, unshared), ["KEY_PROTECTION_TOO_LOW"]);
});

test("key protection too low comes after want of room, and is not blamed for it", () => {
  const poor = anAccount({ balanceMinor: 0n }, { lineMinor: 0n, usedMinor: 0n });
  const capped = readPolicy({ protection: { 2: { perCertificateCapMinor: "0" } } });
  assert.deepEqual(codes({ account: poor }, capped), ["EXPOSURE_AT_CAP"], "a better key would get nothing either");
  const asked = readPolicy({ minimumProtection: 3 });
  assert.deepEqual(codes({ account: poor }, asked), ["EXPOSURE_AT_CAP", "KEY_PROTECTION_TOO_LOW"]);
  assert.deepEqual(codes({ certificates: [large] }, asked), ["EXPOSURE_AT_CAP", "KEY_PROTECTION_TOO_LOW"]);
});

test("a share of the allowance that is used up is want of room, not a bad key", () => {
  const policy = readPolicy({ protection: { 2: { allowancePercent: 20 } } });
  const certificates = [aCertificate({ limitMinor: 19_000n, settledMinor: 0n })];
  assert.deepEqual(codes({}, policy), []);
  assert.deepEqual(codes({ certificates }, policy), ["EXPOSURE_AT_CAP"]);
});

test("overdue debt: a statement's due date has passed, and the debt is still used", () => {
  const owing = (dueAt: number, minor: bigint, usedMinor = 10_000n) =>
    codes({ account: anAccount({}, { usedMinor, dues: [{ dueAt, minor }] }) });
  assert.deepEqual(owing(NOW - 1, 1n), ["DEBT_OVERDUE"]);
  assert.deepEqual(owing(NOW, 1n), [], "on the due date itself it is in time");
  assert.deepEqual(owing(NOW - 1, 500n, 0n), [], "nothing is used any more");
});

test("the daily cap, though there is room; what it leaves for the smallest certificate is enough", () => {
  assert.deepEqual(codes({ certificates: today }), ["DAILY_CAP_REACHED"]);
  const issued = (limitMinor: bigint) =>
    aCertificate({ issuedAt: NOW - 60, limitMinor, settledMinor: limitMinor, closing: aClosing(limitMinor) });
  assert.deepEqual(codes({ certificates: [issued(99_500n)] }), []);
  assert.deepEqual(codes({ certificates: [issued(99_600n)] }), ["DAILY_CAP_REACHED"]);
});

test("a key is not too weak where the allowance, rounded down, makes no certificate for any key", () => {
  const limit = { floorMinor: "500", stepMinor: "300" };
  const policy = readPolicy({ limit, protection: { 2: { perCertificateCapMinor: "0" } } });
  const poor = (balanceMinor: bigint) => anAccount({ balanceMinor }, { lineMinor: 0n, usedMinor: 0n });
  assert.deepEqual(codes({ account: poor(740n) }, policy), ["EXPOSURE_AT_CAP"]);
  assert.deepEqual(codes({ account: poor(750n) }, policy), ["KEY_PROTECTION_TOO_LOW"]);
  // Just enough: an allowance of 6.00 makes a certificate of the least that there is.
  const least = readPolicy({
    limit: { ...limit, floorMinor: "600" },
    protection: { 2: { perCertificateCapMinor: "0" } },
  });
  assert.deepEqual(codes({ account: poor(750n) }, least), ["KEY_PROTECTION_TOO_LOW"]);
});

test("precedence: with every reason at once, in the documented order; each one taken away leaves the rest", () => {
  const view: IssuingView = {
    account: anAccount({ status: "frozen", unresolvedConflicts: 2 }, { overdueMinor: 1n, informedAt: 0 }),
    device: aDevice({ status: "frozen", protection: 2 }),
    certificates: [large, ...today],
  };
  const policy = readPolicy({ minimumProtection: 3 });
  const all = [
    "ACCOUNT_FROZEN",
    "DEVICE_FROZEN",
    "CONFLICT_UNRESOLVED",
    "DEBT_OVERDUE",
    "CREDIT_INFORMATION_TOO_OLD",
    "EXPOSURE_AT_CAP",
    "KEY_PROTECTION_TOO_LOW",
    "DAILY_CAP_REACHED",
  ];
  assert.deepEqual(Object.keys(REFUSALS_IN_ORDER), all);
  assert.deepEqual(codes(view, policy), all);
  const { account } = view;
  const healed: readonly Partial<IssuingView>[] = [
    { account: { ...account, status: "active" } },
    { device: aDevice({ protection: 2 }) },
    { account: { ...account, unresolvedConflicts: 0 } },
    { account: { ...account, credit: { ...account.credit, overdueMinor: 0n } } },
    { account: { ...account, credit: { ...account.credit, informedAt: NOW } } },
    { certificates: today },
    { device: aDevice({ status: "frozen", protection: 3 }) },
    { certificates: [large] },
  ];
  healed.forEach((without, index) => {
    assert.deepEqual(
      codes({ ...view, ...without }, policy),
      all.filter((_, position) => position !== index),
    );
  });
});

test("each refusal has a sentence", () => {
  for (const [code, sentence] of Object.entries(REFUSALS_IN_ORDER)) {
    assert.match(code, /^[A-Z_]+$/);
    assert.match(sentence, /^[A-Z].{20,120}\.$/);
  }
});

test("a limit of zero is always refused, and a limit above zero never for lack of room", () => {
  fc.assert(
    fc.property(viewArbitrary, policyArbitrary, (view, policy) => {
      const computation = computeLimit(view, policy, NOW);
      const room = issuingRefusals({ view, computation, policy, now: NOW }).filter(
        ({ code }) => code === "EXPOSURE_AT_CAP" || code === "KEY_PROTECTION_TOO_LOW" || code === "DAILY_CAP_REACHED",
      );
      assert.equal(room.length === 0, computation.limitMinor > 0n);
    }),
  );
});
