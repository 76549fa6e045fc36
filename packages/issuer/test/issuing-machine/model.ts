import type { IssuingPolicy, ScoreBand } from "@cairn/issue";
import type { CertificateId, DeviceId, KeyProtection } from "@cairn/messages";

/**
 * The same economy as the issuer's, kept with plain arithmetic and nothing of the issuer's code: what the test knows to
 * be true. Amounts are minor units, times seconds since 1970.
 */
export type ModelPayment = { readonly sequence: number; readonly minor: bigint; readonly spentMinor: bigint };
export type ModelCertificate = {
  readonly id: CertificateId;
  readonly device: ModelDevice;
  readonly limitMinor: bigint;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly protection: KeyProtection;
  spentMinor: bigint;
  settledMinor: bigint;
  /** Made, and not uploaded yet. */
  readonly waiting: ModelPayment[];
  sequence: number;
  closed: boolean;
  revoked: boolean;
  restoredAt: number | undefined;
};
export type ModelDevice = {
  readonly id: DeviceId;
  readonly protection: KeyProtection;
  readonly replaces: boolean;
  frozen: boolean;
  /** Its key was shown to be copied. */
  copied: boolean;
};
export type ModelAccount = {
  balanceMinor: bigint;
  lineMinor: bigint;
  usedMinor: bigint;
  /** As the operator said. */
  overdueMinor: bigint;
  scoreBand: ScoreBand;
  informedAt: number;
  statementAt: number;
  dues: { readonly dueAt: number; minor: bigint }[];
  frozen: boolean;
  conflicts: number;
  readonly devices: ModelDevice[];
  readonly certificates: ModelCertificate[];
  /** Whether everything that could make the issuer's reserve pay was kept from happening. */
  covered: boolean;
};

const DAY = 86_400;
const least = (left: bigint, right: bigint): bigint => (left < right ? left : right);
const most = (left: bigint, right: bigint): bigint => (left > right ? left : right);

export function exposureOf(certificate: ModelCertificate, policy: IssuingPolicy, now: number): bigint {
  const { limitMinor, spentMinor, settledMinor, protection } = certificate;
  if (now > certificate.expiresAt + policy.uploadDeadlineSeconds) return 0n;
  if (!certificate.closed) return limitMinor - settledMinor;
  const waitingPercent = 100 - policy.protection[protection].releasedAtClosingPercent;
  const unspentMinor = limitMinor - spentMinor;
  return spentMinor - settledMinor + (unspentMinor * BigInt(waitingPercent) + 99n) / 100n;
}

export const exposureOfAll = (account: ModelAccount, policy: IssuingPolicy, now: number): bigint =>
  account.certificates.reduce((sumMinor, each) => sumMinor + exposureOf(each, policy, now), 0n);

export function allowanceOf(account: ModelAccount, { allowance }: IssuingPolicy): bigint {
  const creditMinor = most(account.lineMinor - account.usedMinor, 0n);
  const percent = BigInt(allowance.creditPercentByScoreBand[account.scoreBand]);
  return (account.balanceMinor * BigInt(allowance.balancePercent)) / 100n + (creditMinor * percent) / 100n;
}

export function overdueOf(account: ModelAccount, now: number): bigint {
  const pastMinor = account.dues
    .filter(({ dueAt }) => dueAt < now)
    .reduce((sumMinor, { minor }) => sumMinor + minor, 0n);
  return most(account.overdueMinor, least(pastMinor, account.usedMinor));
}

/** Money comes in: what is used is repaid first, the oldest due of it before the others. */
export function moneyIn(account: ModelAccount, minor: bigint): void {
  const repaidMinor = least(minor, account.usedMinor);
  account.usedMinor -= repaidMinor;
  account.balanceMinor += minor - repaidMinor;
  account.overdueMinor = most(account.overdueMinor - repaidMinor, 0n);
  let restMinor = repaidMinor;
  for (const due of account.dues) {
    const paidMinor = least(due.minor, restMinor);
    due.minor -= paidMinor;
    restMinor -= paidMinor;
  }
  account.dues = account.dues.filter(({ minor: leftMinor }) => leftMinor > 0n);
}

/** A payment is taken: of the balance, then of the credit; what is left over is the issuer's loss. Gives the loss. */
export function moneyOut(account: ModelAccount, minor: bigint): bigint {
  const ofBalanceMinor = least(minor, account.balanceMinor);
  const ofCreditMinor = least(minor - ofBalanceMinor, most(account.lineMinor - account.usedMinor, 0n));
  account.balanceMinor -= ofBalanceMinor;
  account.usedMinor += ofCreditMinor;
  return minor - ofBalanceMinor - ofCreditMinor;
}

/** Refusals that rest on facts, not on room, in the documented order of precedence. */
export function factualRefusals(
  account: ModelAccount,
  device: ModelDevice,
  policy: IssuingPolicy,
  now: number,
): readonly string[] {
  const overdueMinor = overdueOf(account, now);
  const hasCredit = account.lineMinor > 0n || account.usedMinor > 0n || overdueMinor > 0n;
  const isOld = hasCredit && now - account.informedAt > policy.creditInformationMaximumAgeSeconds;
  return [
    ...(account.frozen ? ["ACCOUNT_FROZEN"] : []),
    ...(device.frozen ? ["DEVICE_FROZEN"] : []),
    ...(account.conflicts > 0 ? ["CONFLICT_UNRESOLVED"] : []),
    ...(overdueMinor > 0n ? ["DEBT_OVERDUE"] : []),
    ...(isOld ? ["CREDIT_INFORMATION_TOO_OLD"] : []),
  ];
}

/** Conditions that must lead to a certificate or to a refusal, all but the change of the allowance. */
export function conditionsMet(
  account: ModelAccount,
  device: ModelDevice,
  { conditions }: IssuingPolicy,
  at: { readonly now: number; readonly ahead: boolean },
): readonly string[] {
  const { now } = at;
  const own = account.certificates.filter((certificate) => certificate.device === device);
  const open = own.filter(({ closed, revoked }) => !closed && !revoked);
  const usable = open.filter(({ expiresAt }) => expiresAt >= now);
  const sum = (pick: (certificate: ModelCertificate) => bigint): bigint =>
    usable.reduce((sumMinor, certificate) => sumMinor + pick(certificate), 0n);
  const newestAt = Math.max(0, ...own.map(({ issuedAt }) => issuedAt));
  const { renewalWindow, remainingLow, restored } = conditions;
  const met: [string, { readonly enabled: boolean }, boolean][] = [
    ["NO_CERTIFICATE", conditions.noCertificate, open.length === 0],
    ["VALIDITY_ENDED", conditions.expired, open.length > 0 && usable.length === 0],
    [
      "RENEWAL_DUE",
      renewalWindow,
      usable.length > 0 && usable.every(({ expiresAt }) => expiresAt < now + renewalWindow.windowSeconds),
    ],
    [
      "REMAINING_LOW",
      remainingLow,
      now - newestAt >= remainingLow.minimumIntervalSeconds &&
        sum(({ limitMinor, settledMinor }) => limitMinor - settledMinor) * 100n <
          sum(({ limitMinor }) => limitMinor) * BigInt(remainingLow.belowPercent),
    ],
    ["DEVICE_KEY_REPLACED", conditions.deviceKeyReplaced, device.replaces && own.length === 0],
    [
      "CERTIFICATE_RESTORED",
      restored,
      open.some(
        ({ restoredAt }) =>
          restoredAt !== undefined && now - restoredAt <= restored.withinSeconds && newestAt < restoredAt,
      ),
    ],
    ["REQUESTED_AHEAD", conditions.requestedAhead, at.ahead],
  ];
  return met.filter(([, { enabled }, holds]) => enabled && holds).map(([code]) => code);
}

/** What was issued to the account within the last day, and what of it only because it was asked for ahead. */
export const issuedToday = (account: ModelAccount, now: number): bigint =>
  account.certificates
    .filter(({ issuedAt }) => now - issuedAt < DAY)
    .reduce((sumMinor, { limitMinor }) => sumMinor + limitMinor, 0n);
