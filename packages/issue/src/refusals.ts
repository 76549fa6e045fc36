import { overdueOf } from "./credit-dues.ts";
import type { LimitComputation } from "./limit.ts";
import { roundDown } from "./minor-arithmetic.ts";
import type { IssuingView } from "./model.ts";
import type { IssuingPolicy } from "./policy.ts";

/** Why nothing is issued, in order of precedence, with what the payer reads. Codes are stable. None is final: each is looked at anew at the next sync. */
export const REFUSALS_IN_ORDER = {
  ACCOUNT_FROZEN: "This account is blocked. Please contact your issuer.",
  DEVICE_FROZEN: "This device is blocked. Please contact your issuer.",
  CONFLICT_UNRESOLVED: "Payments from this account contradict each other. Please contact your issuer.",
  DEBT_OVERDUE: "A repayment is overdue. Offline payments are possible again once it is paid.",
  CREDIT_INFORMATION_TOO_OLD: "Your credit information is out of date. Please try again later.",
  EXPOSURE_AT_CAP: "Your balance, your credit and your unsettled payments leave no room for a new offline limit now.",
  KEY_PROTECTION_TOO_LOW: "The key on this device is not protected well enough for offline payments.",
  DAILY_CAP_REACHED: "The most that may be issued to this account within 24 hours is reached. Try again tomorrow.",
} as const;

export type IssuingRefusalCode = keyof typeof REFUSALS_IN_ORDER;
export type IssuingRefusal = { readonly code: IssuingRefusalCode; readonly sentence: string };

/** Every refusal that holds, the one that counts first. Empty exactly when `computation.limitMinor` may be issued. */
export function issuingRefusals({
  view: { account, device },
  computation,
  policy,
  now,
}: {
  readonly view: IssuingView;
  readonly computation: LimitComputation;
  readonly policy: IssuingPolicy;
  readonly now: number;
}): readonly IssuingRefusal[] {
  const { credit } = account;
  const overdueMinor = overdueOf(credit, now);
  // Who has neither a line nor a debt is not asked for fresh credit information: nothing rests on it.
  const hasCredit = credit.lineMinor > 0n || credit.usedMinor > 0n || overdueMinor > 0n;
  const { floorMinor, stepMinor } = policy.limit;
  const { allowanceMinor, accountRoomMinor, levelRoomMinor, roomMinor, dailyRoomMinor } = computation;
  // A key that could hold nothing even with nothing open: a better one would be given what this one is not.
  const isKeyTooWeak =
    device.protection < policy.minimumProtection ||
    (levelRoomMinor < floorMinor && roundDown(allowanceMinor, stepMinor) >= floorMinor);
  const refusals: IssuingRefusal[] = [];
  const report = (holds: boolean, code: IssuingRefusalCode): void => {
    if (holds) refusals.push({ code, sentence: REFUSALS_IN_ORDER[code] });
  };
  report(account.status !== "active", "ACCOUNT_FROZEN");
  report(device.status !== "active", "DEVICE_FROZEN");
  report(account.unresolvedConflicts > 0, "CONFLICT_UNRESOLVED");
  report(overdueMinor > 0n, "DEBT_OVERDUE");
  report(
    hasCredit && now - credit.informedAt > policy.creditInformationMaximumAgeSeconds,
    "CREDIT_INFORMATION_TOO_OLD",
  );
  report((isKeyTooWeak ? accountRoomMinor : roomMinor) < floorMinor, "EXPOSURE_AT_CAP");
  report(isKeyTooWeak, "KEY_PROTECTION_TOO_LOW");
  report(dailyRoomMinor < floorMinor, "DAILY_CAP_REACHED");
  return refusals;
}
