import { allowanceOf } from "./limit.ts";
import { largerOf, percentOf } from "./minor-arithmetic.ts";
import type { CertificateView, IssuanceEvent, IssuingView } from "./model.ts";
import type { IssuingPolicy } from "./policy.ts";

/** Why the issuer looks, in the order in which they are reported. Codes are stable: they are stored with certificates. */
export const CONDITION_SENTENCES = {
  NO_CERTIFICATE: "This device holds no certificate.",
  VALIDITY_ENDED: "The certificate on this device has expired.",
  RENEWAL_DUE: "The certificate on this device expires soon.",
  REMAINING_LOW: "The offline limit on this device is nearly used up.",
  ALLOWANCE_CHANGED: "Balance or credit has changed since the certificate was issued.",
  DEVICE_KEY_REPLACED: "This device took the place of another one.",
  REQUESTED_AHEAD: "A certificate was asked for ahead of time.",
} as const;

export type ConditionCode = keyof typeof CONDITION_SENTENCES;
export type Condition = { readonly code: ConditionCode; readonly sentence: string };

export type ConditionsInput = {
  readonly view: IssuingView;
  readonly event: IssuanceEvent;
  readonly policy: IssuingPolicy;
  /** Seconds since 1970. */
  readonly now: number;
};

/**
 * Every issuing condition that holds and is switched on. None while the device is not online: a certificate that
 * nobody takes home would only use up the allowance.
 */
export function conditionsHolding({ view, event, policy, now }: ConditionsInput): readonly Condition[] {
  if (event.kind === "account-changed") return [];
  const { conditions } = policy;
  const own = view.certificates.filter(({ deviceId }) => deviceId === view.device.deviceId);
  const open = own.filter(({ closing, revokedAt }) => closing === undefined && revokedAt === undefined);
  const usable = open.filter(({ expiresAt }) => expiresAt >= now);
  const holding: Condition[] = [];
  const report = (holds: boolean, code: ConditionCode): void => {
    if (holds) holding.push({ code, sentence: CONDITION_SENTENCES[code] });
  };
  report(conditions.noCertificate.enabled && open.length === 0, "NO_CERTIFICATE");
  report(conditions.expired.enabled && open.length > 0 && usable.length === 0, "VALIDITY_ENDED");
  report(
    conditions.renewalWindow.enabled && expiresWithin(usable, now + conditions.renewalWindow.windowSeconds),
    "RENEWAL_DUE",
  );
  report(conditions.remainingLow.enabled && remainsLess(usable, conditions.remainingLow.belowPercent), "REMAINING_LOW");
  report(conditions.allowanceChanged.enabled && allowanceChanged(view, usable, policy), "ALLOWANCE_CHANGED");
  report(
    conditions.deviceKeyReplaced.enabled && view.device.replacesDeviceId !== undefined && own.length === 0,
    "DEVICE_KEY_REPLACED",
  );
  report(conditions.requestedAhead.enabled && event.kind === "requested-ahead", "REQUESTED_AHEAD");
  return holding;
}

/** Whether even the last of them ends before `until`. */
function expiresWithin(usable: readonly CertificateView[], until: number): boolean {
  return usable.length > 0 && usable.every(({ expiresAt }) => expiresAt < until);
}

/** What was given back does not come back to its certificate: counters never run backwards. */
function remainsLess(usable: readonly CertificateView[], belowPercent: number): boolean {
  let limitMinor = 0n;
  let remainingMinor = 0n;
  for (const certificate of usable) {
    limitMinor += certificate.limitMinor;
    remainingMinor += certificate.limitMinor - certificate.settledMinor - certificate.releasedMinor;
  }
  return remainingMinor * 100n < limitMinor * BigInt(belowPercent);
}

/**
 * Whether balance or credit moved since the device's newest certificate by more than its own settlements explain.
 * They can have lowered the allowance by anything from nothing to all that was settled, as shares differ; without
 * that span each ordinary purchase would look like a change, and its new certificate be refused for lack of room.
 */
function allowanceChanged(view: IssuingView, usable: readonly CertificateView[], policy: IssuingPolicy): boolean {
  const [first, ...others] = usable;
  if (first === undefined) return false;
  const newest = others.reduce((latest, other) => (other.issuedAt >= latest.issuedAt ? other : latest), first);
  const { abovePercent, aboveMinor } = policy.conditions.allowanceChanged;
  const thresholdMinor = largerOf(aboveMinor, percentOf(newest.allowanceMinor, abovePercent));
  const settledMinor = view.certificates.reduce((sumMinor, certificate) => sumMinor + certificate.settledMinor, 0n);
  const changeMinor = allowanceOf(view.account, policy).allowanceMinor - newest.allowanceMinor;
  return changeMinor > thresholdMinor || changeMinor + settledMinor < -thresholdMinor;
}
