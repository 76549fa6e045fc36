import type { CertificateId, Currency, DeviceId, KeyProtection } from "@cairn/messages";

/**
 * What the issuing decision looks at. Shapes only; see decide.ts for the rules. Amounts are minor units of the
 * account's currency, times are seconds since 1970.
 */

declare const accountBrand: unique symbol;
/** Account number, 1 to 2^48-1, made by `accountNumber`. Never leaves the issuer: certificates carry it enciphered. */
export type AccountNumber = number & { readonly [accountBrand]: true };
/** 0 to 255, computed from the account number. Every transaction of the issuer's store touches one partition. */
export type Partition = number;

/** Credit score, best first. */
export type ScoreBand = "A" | "B" | "C" | "D" | "E";

export type CreditView = {
  readonly lineMinor: bigint;
  readonly usedMinor: bigint;
  /** As the operator or the bureau said. What counts is `overdueOf`, which looks at the dues as well. */
  readonly overdueMinor: bigint;
  /** What statements asked for and was not repaid yet, the oldest first. */
  readonly dues: readonly CreditDue[];
  readonly scoreBand: ScoreBand;
  /** When this was last confirmed by its source, seconds since 1970. */
  readonly informedAt: number;
};

/** A part of the used credit that is to be repaid by `dueAt`. */
export type CreditDue = { readonly dueAt: number; readonly minor: bigint };

export type AccountView = {
  readonly account: AccountNumber;
  readonly status: "active" | "frozen";
  readonly currency: Currency;
  readonly balanceMinor: bigint;
  readonly credit: CreditView;
  /** Conflicts of this account that nobody has resolved yet. */
  readonly unresolvedConflicts: number;
};

export type DeviceView = {
  readonly deviceId: DeviceId;
  readonly status: "active" | "frozen";
  readonly protection: KeyProtection;
  /** The device whose key this one's key took the place of; undefined for an additional or a first device. */
  readonly replacesDeviceId: DeviceId | undefined;
  readonly enrolledAt: number;
};

/** A certificate of the account as far as exposure is concerned. It counts from the moment it is prepared, signed or not. */
export type CertificateView = {
  readonly certificateId: CertificateId;
  readonly deviceId: DeviceId;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly limitMinor: bigint;
  /** The account's offline allowance when this was issued: `LimitComputation.allowanceMinor` of that decision. */
  readonly allowanceMinor: bigint;
  readonly protection: KeyProtection;
  /** What of the limit was held on the account's balance when this was issued. `holdOf` says what still is. */
  readonly heldMinor: bigint;
  /** Issued because it was asked for ahead, and for no other reason. */
  readonly issuedAhead: boolean;
  /** Settled so far under this certificate. */
  readonly settledMinor: bigint;
  /** Signed for, but given back: voided and overdue payments, and what a capture left of an open payment's maximum. */
  readonly releasedMinor: bigint;
  readonly revokedAt: number | undefined;
  /** When a mistaken revocation was taken back, the last time; undefined while it is revoked and when it never was. */
  readonly restoredAt: number | undefined;
  /** The device's last word, when it has closed the certificate. */
  readonly closing: { readonly sequence: number; readonly spentMinor: bigint; readonly closedAt: number } | undefined;
};

/** Everything the decision looks at, as of one moment. The issuer store's view has this shape and more. */
export type IssuingView = {
  readonly account: AccountView;
  /** The device that asks. */
  readonly device: DeviceView;
  /**
   * Of all the account's devices: every certificate whose exposure can still count (not past its upload deadline, closed
   * or not), and every one issued within the last 24 hours. Leaving one out grants its limit twice.
   */
  readonly certificates: readonly CertificateView[];
};

/** What made the server look while a device is online: the device itself, or a change that it is told of. */
export type IssuanceCause =
  | "device-online"
  | "sync"
  | "top-up"
  | "online-payment"
  | "credit-changed"
  | "status-changed"
  | "certificate-changed"
  | "settlement-posted"
  | "policy-changed"
  | "timer";

/**
 * What makes the server look at an account. In the first two the device is online and can take a certificate home.
 * `cause` is for the record; a decision never depends on it.
 */
export type IssuanceEvent =
  | { readonly kind: "device-online"; readonly cause?: IssuanceCause }
  | { readonly kind: "requested-ahead" }
  | { readonly kind: "account-changed" };
