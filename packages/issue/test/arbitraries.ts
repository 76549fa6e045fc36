import type { CertificateView, IssuanceEvent, IssuingPolicy, IssuingView, ScoreBand } from "@cairn/issue";
import { readPolicy } from "@cairn/issue";
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
const small = (minimum: number, maximum: number) => fc.integer({ min: minimum, max: maximum }).map(String);

/** Valid policies of every kind, made the way an operator makes them: by the reader, from JSON. */
export const policyArbitrary: fc.Arbitrary<IssuingPolicy> = fc
  .record({
    conditions: fc.record({
      noCertificate: toggle,
      expired: toggle,
      renewalWindow: fc.record({ enabled: fc.boolean(), windowSeconds: fc.integer({ min: 1, max: DAY - 1 }) }),
      remainingLow: fc.record({ enabled: fc.boolean(), belowPercent: fc.integer({ min: 1, max: 99 }) }),
      allowanceChanged: fc.record({ enabled: fc.boolean(), abovePercent: percent, aboveMinor: small(0, 5_000) }),
      deviceKeyReplaced: toggle,
      requestedAhead: toggle,
    }),
    allowance: fc.record({
      balancePercent: percent,
      creditPercentByScoreBand: fc.record({ A: percent, B: percent, C: percent, D: percent, E: percent }),
    }),
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
    uploadDeadlineSeconds: fc.integer({ min: 1, max: 10 * DAY }),
    creditInformationMaximumAgeSeconds: fc.integer({ min: 1, max: 30 * DAY }),
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
    revoked: fc.boolean(),
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
      revokedAt: drawn.revoked ? NOW - 1 : undefined,
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
        scoreBand: drawn.scoreBand,
        informedAt: NOW - drawn.informedSecondsAgo,
      },
    ),
    device: aDevice({
      status: drawn.frozen === "device" ? "frozen" : "active",
      protection: drawn.protection,
      replacesDeviceId: drawn.replaces ? deviceId(9) : undefined,
    }),
    certificates: drawn.certificates,
  }));
