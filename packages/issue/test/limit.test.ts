import assert from "node:assert/strict";
import { test } from "node:test";
import {
  allowanceOf,
  type CertificateView,
  CONDITION_SENTENCES,
  computeLimit,
  DEFAULT_POLICY,
  type IssuingView,
  LIMIT_LINE_LABELS,
  type LimitComputation,
  openExposure,
  readPolicy,
} from "@cairn/issue";
import fc from "fast-check";
import { policyArbitrary, viewArbitrary } from "./arbitraries.ts";
import { aCertificate, aClosing, aDevice, anAccount, aView, DAY, deviceId, NOW } from "./views.ts";

type LineName = keyof typeof LIMIT_LINE_LABELS;
/** Caps out of the way, so that one line can be looked at. */
const WIDE = {
  allowance: {
    balancePercent: 100,
    creditPercentByScoreBand: { A: 100, B: 100, C: 100, D: 100, E: 0 },
  },
  protection: {
    2: { allowancePercent: 100, perCertificateCapMinor: "1000000" },
    1: { allowancePercent: 50, perCertificateCapMinor: "1000000" },
  },
  limit: { floorMinor: "1", stepMinor: "1", perCertificateCapMinor: "1000000", perDayCapMinor: "1000000" },
  perPayment: { capMinor: "1000000", shareOfLimitPercent: 100 },
};
const wide = readPolicy(WIDE);

function compute(view: Partial<IssuingView> = {}, policy = wide): LimitComputation {
  return computeLimit(aView(view), policy, NOW);
}
function line(computation: LimitComputation, name: LineName): bigint {
  const found = computation.lines.find(({ label }) => label === LIMIT_LINE_LABELS[name]);
  assert.ok(found !== undefined, name);
  return found.minor;
}
/** Spent in full and settled: no exposure, but issued. */
const used = (changes: Partial<CertificateView>): CertificateView =>
  aCertificate({ limitMinor: 20_000n, settledMinor: 20_000n, closing: aClosing(20_000n), ...changes });

test("a worked example under the default policy, to the last line", () => {
  const certificates = [aCertificate({ limitMinor: 50_000n, settledMinor: 12_345n })];
  assert.deepEqual(compute({ certificates }, DEFAULT_POLICY).lines, [
    { label: "Share of the balance", minor: 80_000n, note: "80 % of 1000.00 EUR" },
    { label: "Share of the credit", minor: 16_000n, note: "40 % of 400.00 EUR at score B" },
    { label: "Offline allowance", minor: 96_000n, note: "balance and credit together" },
    {
      label: "Held by open certificates",
      minor: -37_655n,
      note: "376.55 EUR may still be spent or settled under certificates of this account",
    },
    {
      label: "Above the share for this key protection",
      minor: 0n,
      note: "keys of level 2 and below hold at most 100 % of the allowance",
    },
    { label: "Above the cap for this key protection", minor: -28_345n, note: "at most 300.00 EUR at level 2" },
    { label: "Above the cap for one certificate", minor: 0n, note: "at most 500.00 EUR" },
    { label: "Above the cap for 24 hours", minor: 0n, note: "at most 1000.00 EUR, 0.00 EUR already issued" },
    { label: "Rounded down", minor: 0n, note: "to steps of 1.00 EUR" },
    { label: "Below the smallest certificate", minor: 0n, note: "at least 5.00 EUR" },
    { label: "Offline limit", minor: 30_000n, note: "what all payments together may add up to" },
    { label: "Most for one payment", minor: 15_000n, note: "50 % of the limit, at most 200.00 EUR" },
  ]);
});

test("balance and credit shares: rounded down, credit by score, never below zero", () => {
  const policy = readPolicy({ allowance: { balancePercent: 33, creditPercentByScoreBand: { A: 50, E: 0 } } });
  const share = (balanceMinor: bigint, credit: Parameters<typeof anAccount>[1]) =>
    allowanceOf(anAccount({ balanceMinor }, credit), policy);
  assert.deepEqual(share(100n, { lineMinor: 301n, usedMinor: 0n, scoreBand: "A" }), {
    balanceShareMinor: 33n,
    creditShareMinor: 150n,
    allowanceMinor: 183n,
  });
  assert.equal(share(5n, { scoreBand: "E" }).allowanceMinor, 1n);
  assert.equal(share(-100n, { lineMinor: 100n, usedMinor: 500n, scoreBand: "A" }).allowanceMinor, 0n);
});

test("exposure of every open certificate of the account comes off, of whichever device", () => {
  const certificates = [
    aCertificate({ limitMinor: 30_000n, settledMinor: 10_000n }),
    aCertificate({ deviceId: deviceId(2), limitMinor: 5_000n, settledMinor: 0n, revokedAt: NOW - 5 }),
    aCertificate({ limitMinor: 9_000n, settledMinor: 0n, closing: aClosing(1_000n) }),
  ];
  const computation = compute({ certificates });
  assert.equal(line(computation, "exposure"), -26_000n);
  assert.equal(computation.limitMinor, 140_000n - 26_000n);
});

test("more exposure than allowance leaves nothing, not less than nothing", () => {
  const certificates = [aCertificate({ limitMinor: 900_000n, settledMinor: 0n })];
  const computation = compute({ certificates });
  assert.equal(line(computation, "exposure"), -140_000n);
  assert.equal(computation.limitMinor, 0n);
  assert.equal(computation.perPaymentCapMinor, 0n);
});

test("weak keys share one part of the allowance, strong ones are not in it", () => {
  const device = aDevice({ protection: 1 });
  assert.equal(compute({ device }).limitMinor, 70_000n);
  const weak = aCertificate({ deviceId: deviceId(2), protection: 0, limitMinor: 20_000n, settledMinor: 0n });
  assert.equal(compute({ device, certificates: [weak] }).limitMinor, 50_000n);
  const strong = aCertificate({ deviceId: deviceId(2), protection: 2, limitMinor: 20_000n, settledMinor: 0n });
  const computation = compute({ device, certificates: [strong] });
  assert.equal(computation.limitMinor, 70_000n);
  assert.equal(line(computation, "protectionShare"), -50_000n);
});

test("caps: by protection level, by certificate, within 24 hours", () => {
  const byLevel = compute({}, readPolicy({ ...WIDE, protection: { 2: { perCertificateCapMinor: "7000" } } }));
  assert.deepEqual([byLevel.limitMinor, line(byLevel, "protectionCap")], [7_000n, 7_000n - 140_000n]);
  const byCertificate = compute({}, readPolicy({ ...WIDE, limit: { ...WIDE.limit, perCertificateCapMinor: "6000" } }));
  assert.deepEqual([byCertificate.limitMinor, line(byCertificate, "certificateCap")], [6_000n, 6_000n - 140_000n]);
  const byDay = compute({}, readPolicy({ ...WIDE, limit: { ...WIDE.limit, perDayCapMinor: "5000" } }));
  assert.deepEqual([byDay.limitMinor, line(byDay, "dayCap")], [5_000n, 5_000n - 140_000n]);
});

test("the daily cap counts the limits of the last 24 hours, closed and spent or not, of all devices", () => {
  const policy = readPolicy({ ...WIDE, limit: { ...WIDE.limit, perDayCapMinor: "50000" } });
  const issued = (...ages: number[]) =>
    compute({ certificates: ages.map((age) => used({ issuedAt: NOW - age, deviceId: deviceId(3) })) }, policy);
  assert.equal(issued(0).limitMinor, 30_000n);
  assert.equal(issued(DAY - 1, 10).limitMinor, 10_000n);
  assert.equal(issued(DAY, 10).limitMinor, 30_000n);
  assert.equal(issued(1, 2, 3).limitMinor, 0n);
  // Issued by a server whose clock was ahead.
  assert.equal(issued(-60).limitMinor, 30_000n);
});

test("what the daily caps leave is the smaller of both, and nothing when more was issued than they allow now", () => {
  const left = (perDayCapMinor: string, aheadPerDayCapMinor: string) => {
    const requestedAhead = { perCertificateCapMinor: "9000", perDayCapMinor: aheadPerDayCapMinor };
    const policy = readPolicy({ ...WIDE, limit: { ...WIDE.limit, perDayCapMinor }, conditions: { requestedAhead } });
    const certificates = [used({ issuedAt: NOW - 60, limitMinor: 5_000n, settledMinor: 5_000n, issuedAhead: true })];
    const { dailyRoomMinor, limitMinor } = computeLimit(aView({ certificates }), policy, NOW, AHEAD_ALONE);
    return [dailyRoomMinor, limitMinor];
  };
  assert.deepEqual(left("20000", "12000"), [7_000n, 7_000n]);
  assert.deepEqual(left("6000", "12000"), [1_000n, 1_000n]);
  assert.deepEqual(left("20000", "3000"), [0n, 0n]);
  assert.deepEqual(left("4000", "12000"), [0n, 0n]);
});

test("what a perfect key would have as room is bound by the cap for one certificate", () => {
  const policy = readPolicy({ ...WIDE, limit: { ...WIDE.limit, perCertificateCapMinor: "6000" } });
  assert.equal(compute({}, policy).accountRoomMinor, 6_000n);
  assert.equal(compute().accountRoomMinor, 140_000n);
});

test("rounding goes down to the step", () => {
  const policy = readPolicy({ ...WIDE, limit: { ...WIDE.limit, stepMinor: "300" } });
  const computation = compute({ account: anAccount({ balanceMinor: 1_099n }, { scoreBand: "E" }) }, policy);
  assert.equal(computation.limitMinor, 900n);
  assert.equal(line(computation, "rounding"), -199n);
});

test("below the floor there is nothing", () => {
  const policy = readPolicy({ ...WIDE, limit: { ...WIDE.limit, floorMinor: "500" } });
  const at = (balanceMinor: bigint) => compute({ account: anAccount({ balanceMinor }, { scoreBand: "E" }) }, policy);
  assert.equal(at(500n).limitMinor, 500n);
  assert.equal(at(499n).limitMinor, 0n);
  assert.equal(line(at(499n), "floor"), -499n);
});

test("per-payment cap: the share of the limit, at most the cap, at least one minor unit", () => {
  const cap = (perPayment: { capMinor: string; shareOfLimitPercent: number }, balanceMinor = 10_000n) =>
    compute({ account: anAccount({ balanceMinor }, { scoreBand: "E" }) }, readPolicy({ ...WIDE, perPayment }))
      .perPaymentCapMinor;
  assert.equal(cap({ capMinor: "9000", shareOfLimitPercent: 25 }), 2_500n);
  assert.equal(cap({ capMinor: "2000", shareOfLimitPercent: 25 }), 2_000n);
  assert.equal(cap({ capMinor: "2000", shareOfLimitPercent: 1 }, 99n), 1n);
});

const AHEAD_ALONE = [{ code: "REQUESTED_AHEAD", sentence: CONDITION_SENTENCES.REQUESTED_AHEAD }] as const;

test("what is asked for ahead alone has caps of its own, by certificate and by day; others are not bound by them", () => {
  const caps = { perCertificateCapMinor: "9000", perDayCapMinor: "12000" };
  const policy = readPolicy({ ...WIDE, conditions: { requestedAhead: caps } });
  const ahead = (certificates: readonly CertificateView[]) =>
    computeLimit(aView({ certificates }), policy, NOW, AHEAD_ALONE);
  assert.deepEqual([ahead([]).limitMinor, line(ahead([]), "aheadCap")], [9_000n, 9_000n - 140_000n]);
  const today = { issuedAt: NOW - 60, limitMinor: 5_000n, settledMinor: 5_000n, closing: aClosing(5_000n) };
  const second = ahead([aCertificate({ ...today, issuedAhead: true })]);
  assert.deepEqual([second.limitMinor, line(second, "aheadDayCap")], [7_000n, -2_000n]);
  assert.equal(ahead([aCertificate({ ...today, issuedAhead: false })]).limitMinor, 9_000n);
  assert.equal(ahead([aCertificate({ ...today, issuedAt: NOW - DAY, issuedAhead: true })]).limitMinor, 9_000n);
  const both = [{ code: "NO_CERTIFICATE", sentence: CONDITION_SENTENCES.NO_CERTIFICATE }, ...AHEAD_ALONE] as const;
  assert.equal(computeLimit(aView(), policy, NOW, both).limitMinor, 140_000n);
});

test("a key that took another's place has its own cap for a while", () => {
  const replaced = { cautiousSeconds: DAY, perCertificateCapMinor: "4000" };
  const policy = readPolicy({ ...WIDE, conditions: { deviceKeyReplaced: replaced } });
  const device = (secondsAgo: number) => aDevice({ replacesDeviceId: deviceId(9), enrolledAt: NOW - secondsAgo });
  assert.equal(compute({ device: device(DAY - 1) }, policy).limitMinor, 4_000n);
  assert.equal(line(compute({ device: device(0) }, policy), "replacedKeyCap"), 4_000n - 140_000n);
  assert.equal(compute({ device: device(DAY) }, policy).limitMinor, 140_000n);
  assert.equal(compute({ device: aDevice({ enrolledAt: NOW }) }, policy).limitMinor, 140_000n);
  const off = readPolicy({ ...WIDE, conditions: { deviceKeyReplaced: { ...replaced, enabled: false } } });
  assert.equal(compute({ device: device(0) }, off).limitMinor, 140_000n);
});

test("below the least protection that the policy asks for there is no limit, and the line says why", () => {
  const policy = readPolicy({ ...WIDE, minimumProtection: 3 });
  const computation = compute({}, policy);
  assert.deepEqual([computation.limitMinor, computation.levelRoomMinor], [0n, 0n]);
  const cap = computation.lines.find(({ label }) => label === LIMIT_LINE_LABELS.protectionCap);
  assert.equal(cap?.note, "level 3 at least is asked for, this key has level 2");
  assert.equal(compute({ device: aDevice({ protection: 3 }) }, policy).limitMinor > 0n, true);
});

test("the lines explain the limit: they add up to it, always in the same order, those of special cases where they apply", () => {
  const sums: readonly string[] = [
    LIMIT_LINE_LABELS.allowance,
    LIMIT_LINE_LABELS.limit,
    LIMIT_LINE_LABELS.perPaymentCap,
  ];
  fc.assert(
    fc.property(viewArbitrary, policyArbitrary, fc.boolean(), (view, policy, isAhead) => {
      const computation = computeLimit(view, policy, NOW, isAhead ? AHEAD_ALONE : []);
      const special: readonly string[] = [
        LIMIT_LINE_LABELS.replacedKeyCap,
        LIMIT_LINE_LABELS.aheadCap,
        LIMIT_LINE_LABELS.aheadDayCap,
      ];
      const labels = computation.lines.map(({ label }) => label);
      assert.deepEqual(
        labels,
        Object.values(LIMIT_LINE_LABELS).filter((label) => !special.includes(label) || labels.includes(label)),
      );
      assert.equal(labels.includes(LIMIT_LINE_LABELS.aheadCap), isAhead);
      assert.equal(labels.includes(LIMIT_LINE_LABELS.aheadDayCap), isAhead);
      const parts = computation.lines.filter(({ label }) => !sums.includes(label));
      assert.equal(
        parts.reduce((sum, { minor }) => sum + minor, 0n),
        computation.limitMinor,
      );
      assert.equal(line(computation, "limit"), computation.limitMinor);
      assert.equal(
        line(computation, "allowance"),
        line(computation, "balanceShare") + line(computation, "creditShare"),
      );
      assert.equal(line(computation, "perPaymentCap"), computation.perPaymentCapMinor);
    }),
  );
});

test("no new limit ever pushes the open exposures over the allowance or above a cap", () => {
  fc.assert(
    fc.property(viewArbitrary, policyArbitrary, (view, policy) => {
      const { limitMinor, perPaymentCapMinor, allowanceMinor } = computeLimit(view, policy, NOW);
      if (limitMinor === 0n) return;
      assert.ok(limitMinor + openExposure(view.certificates, policy, NOW) <= allowanceMinor);
      assert.equal(allowanceMinor, allowanceOf(view.account, policy).allowanceMinor);
      const level = policy.protection[view.device.protection];
      const weaker = view.certificates.filter(({ protection }) => protection <= view.device.protection);
      const shareMinor = (allowanceMinor * BigInt(level.allowancePercent)) / 100n;
      assert.ok(limitMinor + openExposure(weaker, policy, NOW) <= shareMinor);
      const today = view.certificates.filter(({ issuedAt }) => issuedAt > NOW - DAY);
      const issuedMinor = today.reduce((sum, certificate) => sum + certificate.limitMinor, 0n);
      assert.ok(limitMinor + issuedMinor <= policy.limit.perDayCapMinor);
      assert.ok(limitMinor <= policy.limit.perCertificateCapMinor && limitMinor <= level.perCertificateCapMinor);
      assert.ok(limitMinor >= policy.limit.floorMinor && limitMinor % policy.limit.stepMinor === 0n);
      assert.ok(perPaymentCapMinor >= 1n && perPaymentCapMinor <= limitMinor);
      assert.ok(perPaymentCapMinor <= policy.perPayment.capMinor);
    }),
    { numRuns: 500 },
  );
});
