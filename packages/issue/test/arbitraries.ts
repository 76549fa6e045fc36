import type { CertificateView, IssuanceEvent, IssuingPolicy, IssuingView, ScoreBand } from "@cairn/issue";
import { HOLD_PARTS, readPolicy } from "@cairn/issue";
import type { KeyProtection } from "@cairn/messages";
import fc from "fast-check";
import { aCertificate, aDevice, anAccount, certificateId, DAY, deviceId, NOW } from "./views.ts";

export const protectionArbitrary = fc.constantFrom<KeyProtection[]>(0, 1, 2, 3);
export const scoreBandArbitrary = fc.constantFrom<ScoreBand[]>("A", "B", "C", "D", "E");
export const minorArbitrary = fc.bigInt({ min: 0n, max: 200_000n });
export const eventArbitrary = fc.constantFrom<IssuanceEvent[]>(
  { kind: "device-online" },
  { kind: "requested-ahead" },
  { kind: "account-changed" },
);
const percent = fc.integer({ min: 0, max: 100 });
const toggle = fc.record({ enabled: fc.boolean() });
const interval = fc.constantFrom(0, 0, 3_600, DAY);
const small = (minimum: number, maximum: number) => fc.integer({ min: minimum, max: maximum }).map(String);

/** Valid policies of every kind, made the way an operator makes them: by the reader, from JSON. */
export const policyArbitrary: fc.Arbitrary<IssuingPolicy> = fc
  .record({
    conditions: fc.record({
      noCertificate: toggle,
      expired: toggle,
      renewalWindow: fc.record({ enabled: fc.boolean(), windowSeconds: fc.integer({ min: 1, max: DAY - 1 }) }),
      remainingLow: fc.record({
        enabled: fc.boolean(),
        belowPercent: fc.integer({ min: 1, max: 99 }),
        minimumIntervalSeconds: interval,
      }),
      allowanceChanged: fc.record({
        enabled: fc.boolean(),
        abovePercent: percent,
        aboveMinor: small(0, 5_000),
        minimumIntervalSeconds: interval,
      }),
      deviceKeyReplaced: fc.record({
        enabled: fc.boolean(),
        cautiousSeconds: fc.integer({ min: 0, max: 40 * DAY }),
        perCertificateCapMinor: small(1_000, 50_000),
      }),
      restored: fc.record({ enabled: fc.boolean(), withinSeconds: fc.integer({ min: 1, max: 3 * DAY }) }),
      requestedAhead: fc.record({
        enabled: fc.boolean(),
        perCertificateCapMinor: small(1_000, 100_000),
        perDayCapMinor: small(1_000, 200_000),
      }),
    }),
    allowance: fc.record({
      balancePercent: percent,
      creditPercentByScoreBand: fc.record({ A: percent, B: percent, C: percent, D: percent, E: percent }),
    }),
    minimumProtection: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3),
    hold: fc.constantFrom(...HOLD_PARTS),
    protection: fc
      .array(
        fc.record({
          allowancePercent: percent,
          perCertificateCapMinor: fc.oneof(fc.constant("0"), small(1_000, 100_000)),
          releasedAtClosingPercent: percent,
        }),
        { minLength: 4, maxLength: 4 },
      )
      .map((levels) => ({ 0: levels[0], 1: levels[1], 2: levels[2], 3: levels[3] })),
    limit: fc.record({
      floorMinor: small(1, 500),
      stepMinor: small(1, 500),
      perCertificateCapMinor: small(1_000, 100_000),
      perDayCapMinor: small(1_000, 300_000),
    }),
    perPayment: fc.record({ capMinor: small(1, 100_000), shareOfLimitPercent: fc.integer({ min: 1, max: 100 }) }),
    validitySecondsByScoreBand: fc
      .array(fc.integer({ min: DAY, max: 20 * DAY }), { minLength: 5, maxLength: 5 })
      .map(([A, B, C, D, E]) => ({ A, B, C, D, E })),
    uploadDeadlineSeconds: fc.integer({ min: 3_600, max: 10 * DAY }),
    creditRepayment: fc.record({
      enabled: fc.boolean(),
      statementEverySeconds: fc.integer({ min: DAY, max: 40 * DAY }),
      dueAfterSeconds: fc.integer({ min: 0, max: 30 * DAY }),
    }),
    creditInformationMaximumAgeSeconds: fc.integer({ min: 3_600, max: 30 * DAY }),
  })
  .map((json) => readPolicy(json));

/** Any certificate, dishonest ones too: settled above the limit, closings that lie either way. */
export const certificateArbitrary: fc.Arbitrary<CertificateView> = fc
  .record({
    number: fc.nat({ max: 1_000_000 }),
    device: fc.integer({ min: 1, max: 3 }),
    issuedSecondsAgo: fc.integer({ min: -600, max: 20 * DAY }),
    validitySeconds: fc.integer({ min: 1, max: 20 * DAY }),
    limitMinor: fc.bigInt({ min: 1n, max: 100_000n }),
    allowanceMinor: minorArbitrary,
    protection: protectionArbitrary,
    settledMinor: fc.bigInt({ min: 0n, max: 120_000n }),
    releasedMinor: fc.bigInt({ min: 0n, max: 50_000n }),
    heldPercent: percent,
    issuedAhead: fc.boolean(),
    state: fc.constantFrom<("plain" | "revoked" | "restored")[]>("plain", "revoked", "restored"),
    restoredSecondsAgo: fc.integer({ min: 0, max: 3 * DAY }),
    closedSpentMinor: fc.option(fc.bigInt({ min: 0n, max: 150_000n }), { nil: undefined }),
  })
  .map((drawn) =>
    aCertificate({
      certificateId: certificateId(drawn.number),
      deviceId: deviceId(drawn.device),
      issuedAt: NOW - drawn.issuedSecondsAgo,
      expiresAt: NOW - drawn.issuedSecondsAgo + drawn.validitySeconds,
      limitMinor: drawn.limitMinor,
      allowanceMinor: drawn.allowanceMinor,
      protection: drawn.protection,
      settledMinor: drawn.settledMinor,
      releasedMinor: drawn.releasedMinor,
      heldMinor: (drawn.limitMinor * BigInt(drawn.heldPercent)) / 100n,
      issuedAhead: drawn.issuedAhead,
      revokedAt: drawn.state === "revoked" ? NOW - 1 : undefined,
      restoredAt: drawn.state === "restored" ? NOW - drawn.restoredSecondsAgo : undefined,
      closing:
        drawn.closedSpentMinor === undefined
          ? undefined
          : { sequence: 1, spentMinor: drawn.closedSpentMinor, closedAt: NOW - 1 },
    }),
  );

export const viewArbitrary: fc.Arbitrary<IssuingView> = fc
  .record({
    frozen: fc.constantFrom<("none" | "account" | "device")[]>("none", "none", "none", "account", "device"),
    balanceMinor: minorArbitrary,
    unresolvedConflicts: fc.constantFrom(0, 0, 0, 1),
    lineMinor: minorArbitrary,
    usedMinor: minorArbitrary,
    overdueMinor: fc.constantFrom(0n, 0n, 0n, 5n),
    dues: fc.array(
      fc.record({
        dueAt: fc.integer({ min: NOW - DAY, max: NOW + 30 * DAY }),
        minor: fc.bigInt({ min: 1n, max: 9_000n }),
      }),
      { maxLength: 2 },
    ),
    enrolledSecondsAgo: fc.integer({ min: 0, max: 40 * DAY }),
    scoreBand: scoreBandArbitrary,
    informedSecondsAgo: fc.integer({ min: -600, max: 10 * DAY }),
    protection: protectionArbitrary,
    replaces: fc.boolean(),
    certificates: fc.array(certificateArbitrary, { maxLength: 5 }),
  })
  .map((drawn) => ({
    account: anAccount(
      {
        status: drawn.frozen === "account" ? "frozen" : "active",
        balanceMinor: drawn.balanceMinor,
        unresolvedConflicts: drawn.unresolvedConflicts,
      },
      {
        lineMinor: drawn.lineMinor,
        usedMinor: drawn.usedMinor,
        overdueMinor: drawn.overdueMinor,
        dues: drawn.dues.toSorted((left, right) => left.dueAt - right.dueAt),
        scoreBand: drawn.scoreBand,
        informedAt: NOW - drawn.informedSecondsAgo,
      },
    ),
    device: aDevice({
      status: drawn.frozen === "device" ? "frozen" : "active",
      protection: drawn.protection,
      replacesDeviceId: drawn.replaces ? deviceId(9) : undefined,
      enrolledAt: NOW - drawn.enrolledSecondsAgo,
    }),
    certificates: drawn.certificates,
  }));
