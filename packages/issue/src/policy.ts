import type { KeyProtection } from "@cairn/messages";
import type { ScoreBand } from "./model.ts";

/**
 * What an operator decides about issuing. Amounts are minor units of the account's currency: an issuer with several
 * currencies holds one policy for each. Percents are whole numbers.
 */
export type IssuingPolicy = {
  /** Which occasions make the issuer look. Each can be switched off. */
  readonly conditions: {
    readonly noCertificate: { readonly enabled: boolean };
    readonly expired: { readonly enabled: boolean };
    readonly renewalWindow: { readonly enabled: boolean; readonly windowSeconds: number };
    readonly remainingLow: { readonly enabled: boolean; readonly belowPercent: number };
    /** Holds when the allowance moved by more than both figures. */
    readonly allowanceChanged: {
      readonly enabled: boolean;
      readonly abovePercent: number;
      readonly aboveMinor: bigint;
    };
    readonly deviceKeyReplaced: { readonly enabled: boolean };
    readonly requestedAhead: { readonly enabled: boolean };
  };
  /** What of the account's money and credit may be spent offline at all. At most 100: else a settlement could shrink the allowance by more than the exposure it ends. */
  readonly allowance: {
    readonly balancePercent: number;
    readonly creditPercentByScoreBand: Readonly<Record<ScoreBand, number>>;
  };
  readonly protection: Readonly<Record<KeyProtection, ProtectionPolicy>>;
  readonly limit: {
    /** A smaller limit is not worth a certificate: it is refused instead. */
    readonly floorMinor: bigint;
    /** Limits are rounded down to a multiple of this. */
    readonly stepMinor: bigint;
    readonly perCertificateCapMinor: bigint;
    /** Cap on the sum of the limits issued to one account within any 24 hours. */
    readonly perDayCapMinor: bigint;
  };
  readonly perPayment: { readonly capMinor: bigint; readonly shareOfLimitPercent: number };
  readonly validitySecondsByScoreBand: Readonly<Record<ScoreBand, number>>;
  /** How long after a certificate's expiry its payments may still be uploaded. The same figure rules settlement. */
  readonly uploadDeadlineSeconds: number;
  readonly creditInformationMaximumAgeSeconds: number;
};

export type ProtectionPolicy = {
  /** What keys guarded no better than this may hold together, of the account's allowance. */
  readonly allowancePercent: number;
  /** 0 issues nothing at this level. */
  readonly perCertificateCapMinor: bigint;
  /** How much of the unspent rest a closing gives back at once; the other part waits for the upload deadline. */
  readonly releasedAtClosingPercent: number;
};

const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;

/** A careful beginning for a currency with two decimals. Every figure has its reason; none is a recommendation for a market. */
export const DEFAULT_POLICY: IssuingPolicy = {
  conditions: {
    noCertificate: { enabled: true },
    expired: { enabled: true },
    // A phone that is online once a day meets the window before its shortest certificate ends.
    renewalWindow: { enabled: true, windowSeconds: DAY_SECONDS },
    // A quarter is about one more ordinary purchase.
    remainingLow: { enabled: true, belowPercent: 25 },
    // Wages and rent are worth a new certificate, a coffee is not.
    allowanceChanged: { enabled: true, abovePercent: 20, aboveMinor: 1_000n },
    deviceKeyReplaced: { enabled: true },
    requestedAhead: { enabled: true },
  },
  allowance: {
    // A fifth stays out of it, for what leaves the balance online while certificates are out.
    balancePercent: 80,
    // Credit is the issuer's own money: the worse the score, the less of it goes where nobody can ask.
    creditPercentByScoreBand: { A: 50, B: 40, C: 25, D: 10, E: 0 },
  },
  protection: {
    // Software keys can be copied by whoever reads the disk: small sums, and a closing may be a lie.
    0: { allowancePercent: 50, perCertificateCapMinor: 5_000n, releasedAtClosingPercent: 50 },
    // The operating system's key store falls with the operating system.
    1: { allowancePercent: 75, perCertificateCapMinor: 15_000n, releasedAtClosingPercent: 80 },
    // Keys that cannot leave the hardware: the closing is the device's true last word.
    2: { allowancePercent: 100, perCertificateCapMinor: 30_000n, releasedAtClosingPercent: 100 },
    3: { allowancePercent: 100, perCertificateCapMinor: 50_000n, releasedAtClosingPercent: 100 },
  },
  limit: {
    // Below the price of a lunch a certificate only disappoints.
    floorMinor: 500n,
    // Whole units are easy to read and tell less about the balance.
    stepMinor: 100n,
    // What the issuer is ready to lose to one extracted key at one terminal more than is honest.
    perCertificateCapMinor: 50_000n,
    // Bounds what false closings can gather before the first upload shows them: two full certificates.
    perDayCapMinor: 100_000n,
  },
  // A lost unlocked phone or a mistyped price takes half at most.
  perPayment: { capMinor: 20_000n, shareOfLimitPercent: 50 },
  // A long validity is a long time without a look at the account: the better the score, the longer.
  validitySecondsByScoreBand: {
    A: 14 * DAY_SECONDS,
    B: 10 * DAY_SECONDS,
    C: 7 * DAY_SECONDS,
    D: 4 * DAY_SECONDS,
    E: 48 * HOUR_SECONDS,
  },
  // A terminal on a ship or a mountain is back within a week.
  uploadDeadlineSeconds: 7 * DAY_SECONDS,
  // A nightly feed that fails over a long weekend stops nobody; one that is dead does.
  creditInformationMaximumAgeSeconds: 7 * DAY_SECONDS,
};
