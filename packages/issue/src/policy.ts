import type { KeyProtection } from "@cairn/messages";
import type { ScoreBand } from "./model.ts";

/**
 * What an operator decides about issuing. Amounts are minor units of the account's currency: an issuer with several
 * currencies holds one policy for each. Percents are whole numbers.
 */
export type IssuingPolicy = {
  /** The operator's own name for this state of the policy, 1 to 40 printable characters. */
  readonly version: string;
  /** Which occasions make the issuer look. Each can be switched off. */
  readonly conditions: {
    readonly noCertificate: { readonly enabled: boolean };
    readonly expired: { readonly enabled: boolean };
    readonly renewalWindow: { readonly enabled: boolean; readonly windowSeconds: number };
    /** `minimumIntervalSeconds`: not before so long after the device's newest certificate. */
    readonly remainingLow: {
      readonly enabled: boolean;
      readonly belowPercent: number;
      readonly minimumIntervalSeconds: number;
    };
    /** Holds when the allowance moved by more than both figures. */
    readonly allowanceChanged: {
      readonly enabled: boolean;
      readonly abovePercent: number;
      readonly aboveMinor: bigint;
      readonly minimumIntervalSeconds: number;
    };
    /** `perCertificateCapMinor` binds a key that took another's place for the first `cautiousSeconds`. */
    readonly deviceKeyReplaced: {
      readonly enabled: boolean;
      readonly cautiousSeconds: number;
      readonly perCertificateCapMinor: bigint;
    };
    /** Holds for `withinSeconds` after a mistaken revocation was taken back: terminals may still refuse the old one. */
    readonly restored: { readonly enabled: boolean; readonly withinSeconds: number };
    /** The caps bind certificates that are issued for this reason alone, beside all other caps. */
    readonly requestedAhead: {
      readonly enabled: boolean;
      readonly perCertificateCapMinor: bigint;
      readonly perDayCapMinor: bigint;
    };
  };
  /** What of the account's money and credit may be spent offline at all. At most 100: else a settlement could shrink the allowance by more than the exposure it ends. */
  readonly allowance: {
    readonly balancePercent: number;
    readonly creditPercentByScoreBand: Readonly<Record<ScoreBand, number>>;
  };
  /** Keys guarded less well get nothing. */
  readonly minimumProtection: KeyProtection;
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
  /**
   * What of a limit is held on the balance while its certificate is open, out of reach of withdrawals, transfers and
   * online payments. "balance-part": in the proportion in which the allowance came from the balance. With less than
   * "whole-limit" the account can spend online what it promised offline, and the issuer's reserve pays.
   */
  readonly hold: HoldPart;
  readonly perPayment: { readonly capMinor: bigint; readonly shareOfLimitPercent: number };
  readonly validitySecondsByScoreBand: Readonly<Record<ScoreBand, number>>;
  /** How long after a certificate's expiry its payments may still be uploaded. The same figure rules settlement. */
  readonly uploadDeadlineSeconds: number;
  readonly creditInformationMaximumAgeSeconds: number;
  /** Statements of built-in credit. Off where a bureau or core banking says what is overdue. */
  readonly creditRepayment: {
    readonly enabled: boolean;
    readonly statementEverySeconds: number;
    readonly dueAfterSeconds: number;
  };
};

export const HOLD_PARTS = ["none", "balance-part", "whole-limit"] as const;
export type HoldPart = (typeof HOLD_PARTS)[number];

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
  version: "built-in",
  conditions: {
    noCertificate: { enabled: true },
    expired: { enabled: true },
    // A phone that is online once a day meets the window before its shortest certificate ends.
    renewalWindow: { enabled: true, windowSeconds: DAY_SECONDS },
    // A quarter is about one more ordinary purchase.
    remainingLow: { enabled: true, belowPercent: 25, minimumIntervalSeconds: 0 },
    // Wages and rent are worth a new certificate, a coffee is not.
    allowanceChanged: { enabled: true, abovePercent: 20, aboveMinor: 1_000n, minimumIntervalSeconds: 0 },
    // Whoever talked a victim out of a code should not carry off a full limit before the victim looks.
    deviceKeyReplaced: { enabled: true, cautiousSeconds: DAY_SECONDS, perCertificateCapMinor: 20_000n },
    // As long as a terminal that syncs daily may hold the list that names the restored certificate.
    restored: { enabled: true, withinSeconds: DAY_SECONDS },
    // Half of what a day may bring: the other half stays for what the issuer itself finds due.
    requestedAhead: { enabled: true, perCertificateCapMinor: 50_000n, perDayCapMinor: 50_000n },
  },
  allowance: {
    // A fifth stays out of it, for what leaves the balance online while certificates are out.
    balancePercent: 80,
    // Credit is the issuer's own money: the worse the score, the less of it goes where nobody can ask.
    creditPercentByScoreBand: { A: 50, B: 40, C: 25, D: 10, E: 0 },
  },
  minimumProtection: 0,
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
  // The issuer's reserve is never needed for honest payers.
  hold: "whole-limit",
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
  // A month's statement and a fortnight to pay it, as cards have it.
  creditRepayment: { enabled: true, statementEverySeconds: 30 * DAY_SECONDS, dueAfterSeconds: 14 * DAY_SECONDS },
};
