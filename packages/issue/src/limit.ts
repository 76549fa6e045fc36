import { formatMinor } from "@cairn/messages";
import type { Condition } from "./conditions.ts";
import { openExposure } from "./exposure.ts";
import { atLeastZero, largerOf, percentOf, roundDown, smallerOf } from "./minor-arithmetic.ts";
import type { AccountView, CertificateView, IssuingView } from "./model.ts";
import type { IssuingPolicy } from "./policy.ts";

/** One line of the reckoning. `minor` is what the line adds or takes away; for the two sums and the payment cap, the figure itself. */
export type LimitLine = { readonly label: string; readonly minor: bigint; readonly note: string };

export type LimitComputation = {
  /** 0 when nothing can be issued. */
  readonly limitMinor: bigint;
  /** 0 when nothing can be issued. */
  readonly perPaymentCapMinor: bigint;
  /** What of the account's money and credit may be spent offline at all, whoever holds it. */
  readonly allowanceMinor: bigint;
  /** What of the allowance may come from the balance: the part that "balance-part" holds is in this proportion. */
  readonly balanceShareMinor: bigint;
  /** The limit as far as money, credit, exposure and caps go, without the daily caps. Rounded. */
  readonly roomMinor: bigint;
  /** What a perfectly protected key would have as room. Rounded. */
  readonly accountRoomMinor: bigint;
  /** What a key of this protection level could hold if nothing were open. Rounded; 0 below the minimum level. */
  readonly levelRoomMinor: bigint;
  /** What the daily caps still allow. Rounded. */
  readonly dailyRoomMinor: bigint;
  /** The reckoning from top to bottom: all lines but the sums and the payment cap add up to the limit. */
  readonly lines: readonly LimitLine[];
};

/** In the order in which they stand. */
export const LIMIT_LINE_LABELS = {
  balanceShare: "Share of the balance",
  creditShare: "Share of the credit",
  allowance: "Offline allowance",
  exposure: "Held by open certificates",
  protectionShare: "Above the share for this key protection",
  protectionCap: "Above the cap for this key protection",
  certificateCap: "Above the cap for one certificate",
  replacedKeyCap: "Above the cap for a key that took another's place",
  aheadCap: "Above the cap for one asked for ahead",
  dayCap: "Above the cap for 24 hours",
  aheadDayCap: "Above the cap for those asked for ahead in 24 hours",
  rounding: "Rounded down",
  floor: "Below the smallest certificate",
  limit: "Offline limit",
  perPaymentCap: "Most for one payment",
} as const;

const DAY_SECONDS = 86_400;

/** The shares of balance and credit that may be spent offline, and their sum, minor units. */
export function allowanceOf(
  account: AccountView,
  policy: IssuingPolicy,
): {
  readonly balanceShareMinor: bigint;
  readonly creditShareMinor: bigint;
  readonly allowanceMinor: bigint;
} {
  const creditPercent = policy.allowance.creditPercentByScoreBand[account.credit.scoreBand];
  const balanceShareMinor = percentOf(atLeastZero(account.balanceMinor), policy.allowance.balancePercent);
  const creditShareMinor = percentOf(creditAvailable(account), creditPercent);
  return { balanceShareMinor, creditShareMinor, allowanceMinor: balanceShareMinor + creditShareMinor };
}

/**
 * How much a new certificate may carry, line by line. The limit and all open exposures together never exceed the
 * account's allowance, whatever happened to balance, credit and policy since those were issued. `conditions`: why it is
 * computed, as what was only asked for ahead has caps of its own.
 */
export function computeLimit(
  view: IssuingView,
  policy: IssuingPolicy,
  now: number,
  conditions: readonly Condition[] = [],
): LimitComputation {
  const { account, device, certificates } = view;
  const money = (minor: bigint): string => `${formatMinor(minor, account.currency)} ${account.currency}`;
  const { balanceShareMinor, creditShareMinor, allowanceMinor } = allowanceOf(account, policy);
  const band = account.credit.scoreBand;
  const level = policy.protection[device.protection];
  const lines: LimitLine[] = [
    {
      label: LIMIT_LINE_LABELS.balanceShare,
      minor: balanceShareMinor,
      note: `${policy.allowance.balancePercent} % of ${money(account.balanceMinor)}`,
    },
    {
      label: LIMIT_LINE_LABELS.creditShare,
      minor: creditShareMinor,
      note: `${policy.allowance.creditPercentByScoreBand[band]} % of ${money(creditAvailable(account))} at score ${band}`,
    },
    { label: LIMIT_LINE_LABELS.allowance, minor: allowanceMinor, note: "balance and credit together" },
  ];
  const lower = (label: string, fromMinor: bigint, toMinor: bigint, note: string): bigint => {
    const loweredMinor = smallerOf(fromMinor, atLeastZero(toMinor));
    lines.push({ label, minor: loweredMinor - fromMinor, note });
    return loweredMinor;
  };

  const exposureMinor = openExposure(certificates, policy, now);
  let roomMinor = lower(
    LIMIT_LINE_LABELS.exposure,
    allowanceMinor,
    allowanceMinor - exposureMinor,
    `${money(exposureMinor)} may still be spent or settled under certificates of this account`,
  );
  // Counted over all keys guarded no better: many weak devices get no more than one.
  const weaker = certificates.filter((certificate) => certificate.protection <= device.protection);
  const shareMinor = percentOf(allowanceMinor, level.allowancePercent);
  roomMinor = lower(
    LIMIT_LINE_LABELS.protectionShare,
    roomMinor,
    shareMinor - openExposure(weaker, policy, now),
    `keys of level ${device.protection} and below hold at most ${level.allowancePercent} % of the allowance`,
  );
  const isBelowMinimum = device.protection < policy.minimumProtection;
  const levelCapMinor = isBelowMinimum ? 0n : level.perCertificateCapMinor;
  roomMinor = lower(
    LIMIT_LINE_LABELS.protectionCap,
    roomMinor,
    levelCapMinor,
    isBelowMinimum
      ? `level ${policy.minimumProtection} at least is asked for, this key has level ${device.protection}`
      : `at most ${money(levelCapMinor)} at level ${device.protection}`,
  );
  roomMinor = lower(
    LIMIT_LINE_LABELS.certificateCap,
    roomMinor,
    policy.limit.perCertificateCapMinor,
    `at most ${money(policy.limit.perCertificateCapMinor)}`,
  );
  const { deviceKeyReplaced, requestedAhead } = policy.conditions;
  if (isCautious(view, policy, now))
    roomMinor = lower(
      LIMIT_LINE_LABELS.replacedKeyCap,
      roomMinor,
      deviceKeyReplaced.perCertificateCapMinor,
      `at most ${money(deviceKeyReplaced.perCertificateCapMinor)} within ${deviceKeyReplaced.cautiousSeconds} s of its enrolment`,
    );
  const isAhead = isAheadAlone(conditions);
  if (isAhead)
    roomMinor = lower(
      LIMIT_LINE_LABELS.aheadCap,
      roomMinor,
      requestedAhead.perCertificateCapMinor,
      `at most ${money(requestedAhead.perCertificateCapMinor)} when nothing else makes one due`,
    );
  const ofDay = certificates.filter(({ issuedAt }) => now - issuedAt < DAY_SECONDS);
  const issuedMinor = sumOfLimits(ofDay);
  let dailyRoomMinor = atLeastZero(policy.limit.perDayCapMinor - issuedMinor);
  let capped = lower(
    LIMIT_LINE_LABELS.dayCap,
    roomMinor,
    dailyRoomMinor,
    `at most ${money(policy.limit.perDayCapMinor)}, ${money(issuedMinor)} already issued`,
  );
  if (isAhead) {
    const aheadMinor = sumOfLimits(ofDay.filter(({ issuedAhead }) => issuedAhead));
    const aheadRoomMinor = atLeastZero(requestedAhead.perDayCapMinor - aheadMinor);
    dailyRoomMinor = smallerOf(dailyRoomMinor, aheadRoomMinor);
    capped = lower(
      LIMIT_LINE_LABELS.aheadDayCap,
      capped,
      aheadRoomMinor,
      `at most ${money(requestedAhead.perDayCapMinor)}, ${money(aheadMinor)} already issued`,
    );
  }
  const rounded = lower(
    LIMIT_LINE_LABELS.rounding,
    capped,
    roundDown(capped, policy.limit.stepMinor),
    `to steps of ${money(policy.limit.stepMinor)}`,
  );
  const limitMinor = lower(
    LIMIT_LINE_LABELS.floor,
    rounded,
    rounded < policy.limit.floorMinor ? 0n : rounded,
    `at least ${money(policy.limit.floorMinor)}`,
  );
  const perPaymentCapMinor = paymentCap(limitMinor, policy);
  lines.push(
    { label: LIMIT_LINE_LABELS.limit, minor: limitMinor, note: "what all payments together may add up to" },
    {
      label: LIMIT_LINE_LABELS.perPaymentCap,
      minor: perPaymentCapMinor,
      note: `${policy.perPayment.shareOfLimitPercent} % of the limit, at most ${money(policy.perPayment.capMinor)}`,
    },
  );
  return {
    limitMinor,
    perPaymentCapMinor,
    allowanceMinor,
    balanceShareMinor,
    roomMinor: roundDown(roomMinor, policy.limit.stepMinor),
    accountRoomMinor: roundDown(
      smallerOf(atLeastZero(allowanceMinor - exposureMinor), policy.limit.perCertificateCapMinor),
      policy.limit.stepMinor,
    ),
    levelRoomMinor: roundDown(smallerOf(shareMinor, levelCapMinor), policy.limit.stepMinor),
    dailyRoomMinor: roundDown(dailyRoomMinor, policy.limit.stepMinor),
    lines,
  };
}

/** Whether the only reason is that it was asked for ahead. */
export function isAheadAlone(conditions: readonly Condition[]): boolean {
  return conditions.length > 0 && conditions.every(({ code }) => code === "REQUESTED_AHEAD");
}

/** Whether the device's key took another's place so short a time ago that its own cap binds. */
function isCautious(
  { device }: IssuingView,
  { conditions: { deviceKeyReplaced } }: IssuingPolicy,
  now: number,
): boolean {
  return (
    deviceKeyReplaced.enabled &&
    device.replacesDeviceId !== undefined &&
    now - device.enrolledAt < deviceKeyReplaced.cautiousSeconds
  );
}

function sumOfLimits(certificates: readonly CertificateView[]): bigint {
  return certificates.reduce((sumMinor, { limitMinor }) => sumMinor + limitMinor, 0n);
}

function paymentCap(limitMinor: bigint, policy: IssuingPolicy): bigint {
  if (limitMinor === 0n) return 0n;
  const shareMinor = percentOf(limitMinor, policy.perPayment.shareOfLimitPercent);
  // A certificate with a cap of zero could pay nothing and is no valid message.
  return largerOf(smallerOf(shareMinor, policy.perPayment.capMinor), 1n);
}

function creditAvailable({ credit }: AccountView): bigint {
  return atLeastZero(credit.lineMinor - credit.usedMinor);
}
