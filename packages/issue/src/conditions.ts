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
  CERTIFICATE_RESTORED: "A certificate on this device was revoked by mistake and is good again.",
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

/** A condition with whether it is switched on and whether what it looks for is there. */
export type ConditionState = Condition & { readonly enabled: boolean; readonly met: boolean };

/**
 * Every issuing condition that holds and is switched on. None while the device is not online: a certificate that
 * nobody takes home would only use up the allowance.
 */
export function conditionsHolding(input: ConditionsInput): readonly Condition[] {
  if (input.event.kind === "account-changed") return [];
  return allConditions(input)
    .filter(({ enabled, met }) => enabled && met)
    .map(({ code, sentence }) => ({ code, sentence }));
}

/** All conditions, those too that do not hold or are switched off. */
export function allConditions({ view, event, policy, now }: ConditionsInput): readonly ConditionState[] {
  const { conditions } = policy;
  const own = view.certificates.filter(({ deviceId }) => deviceId === view.device.deviceId);
  const open = own.filter(({ closing, revokedAt }) => closing === undefined && revokedAt === undefined);
  const usable = open.filter(({ expiresAt }) => expiresAt >= now);
  const state = (code: ConditionCode, { enabled }: { readonly enabled: boolean }, met: boolean): ConditionState => ({
    code,
    sentence: CONDITION_SENTENCES[code],
    enabled,
    met,
  });
  const { renewalWindow, remainingLow, allowanceChanged } = conditions;
  return [
    state("NO_CERTIFICATE", conditions.noCertificate, open.length === 0),
    state("VALIDITY_ENDED", conditions.expired, open.length > 0 && usable.length === 0),
    state("RENEWAL_DUE", renewalWindow, expiresWithin(usable, now + renewalWindow.windowSeconds)),
    state(
      "REMAINING_LOW",
      remainingLow,
      isDue(own, remainingLow, now) && remainsLess(usable, remainingLow.belowPercent),
    ),
    state(
      "ALLOWANCE_CHANGED",
      allowanceChanged,
      isDue(own, allowanceChanged, now) && hasAllowanceChanged(view, usable, policy),
    ),
    state(
      "DEVICE_KEY_REPLACED",
      conditions.deviceKeyReplaced,
      view.device.replacesDeviceId !== undefined && own.length === 0,
    ),
    state("CERTIFICATE_RESTORED", conditions.restored, wasRestored(own, open, now - conditions.restored.withinSeconds)),
    state("REQUESTED_AHEAD", conditions.requestedAhead, event.kind === "requested-ahead"),
  ];
}

/** Whether the device's newest certificate is old enough for another one of this kind. */
function isDue(
  own: readonly CertificateView[],
  { minimumIntervalSeconds }: { readonly minimumIntervalSeconds: number },
  now: number,
): boolean {
  return own.every(({ issuedAt }) => now - issuedAt >= minimumIntervalSeconds);
}

/** Whether an open one was restored since `from` and none was issued to the device after that. */
function wasRestored(own: readonly CertificateView[], open: readonly CertificateView[], from: number): boolean {
  return open.some(
    ({ restoredAt }) =>
      restoredAt !== undefined && restoredAt >= from && own.every(({ issuedAt }) => issuedAt < restoredAt),
  );
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
function hasAllowanceChanged(view: IssuingView, usable: readonly CertificateView[], policy: IssuingPolicy): boolean {
  const [first, ...others] = usable;
  if (first === undefined) return false;
  const newest = others.reduce((latest, other) => (other.issuedAt >= latest.issuedAt ? other : latest), first);
  const { abovePercent, aboveMinor } = policy.conditions.allowanceChanged;
  const thresholdMinor = largerOf(aboveMinor, percentOf(newest.allowanceMinor, abovePercent));
  // What was over before cannot have been settled since.
  const from = newest.issuedAt - policy.uploadDeadlineSeconds;
  const settledMinor = view.certificates
    .filter(({ expiresAt }) => expiresAt >= from)
    .reduce((sumMinor, certificate) => sumMinor + certificate.settledMinor, 0n);
  const changeMinor = allowanceOf(view.account, policy).allowanceMinor - newest.allowanceMinor;
  return changeMinor > thresholdMinor || changeMinor + settledMinor < -thresholdMinor;
}
