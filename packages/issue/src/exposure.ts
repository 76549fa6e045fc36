import { atLeastZero, largerOf, smallerOf } from "./minor-arithmetic.ts";
import type { CertificateView } from "./model.ts";
import type { IssuingPolicy } from "./policy.ts";

/** What of the policy says how long and how much a certificate counts. */
export type ExposurePolicy = Pick<IssuingPolicy, "protection" | "uploadDeadlineSeconds">;

/**
 * What may still be settled under a certificate, minor units.
 * - Past its upload deadline: nothing.
 * - Not closed, revoked ones too (a terminal that is offline still takes them): the limit less what was settled.
 * - Closed: what was spent, neither settled nor given back; and of the unspent rest the share that a key of this
 *   protection level does not get back at once, because its closing may be a lie.
 * Never grows with time, settling, closing or releasing; never negative.
 */
export function exposureOf(certificate: CertificateView, policy: ExposurePolicy, now: number): bigint {
  const { closing, limitMinor, settledMinor, releasedMinor } = certificate;
  if (now > certificate.expiresAt + policy.uploadDeadlineSeconds) return 0n;
  if (closing === undefined) return atLeastZero(limitMinor - settledMinor);
  // A false closing can claim more than the limit, or less than has already arrived.
  const spentMinor = smallerOf(closing.spentMinor, limitMinor);
  const pendingMinor = atLeastZero(spentMinor - settledMinor - releasedMinor);
  const unspentMinor = atLeastZero(limitMinor - largerOf(spentMinor, settledMinor));
  const waitingPercent = BigInt(100 - policy.protection[certificate.protection].releasedAtClosingPercent);
  // Rounded up: a fraction of a cent still counts as exposed.
  return pendingMinor + (unspentMinor * waitingPercent + 99n) / 100n;
}

/**
 * What of a certificate is still held on the account's balance, minor units: what was held at first, less what was
 * settled (settlement takes the balance first), and never more than may still come. So it ends when the certificate is
 * closed, settled, or past its upload deadline, as its exposure does.
 */
export function holdOf(certificate: CertificateView, policy: ExposurePolicy, now: number): bigint {
  const unsettledMinor = atLeastZero(certificate.heldMinor - certificate.settledMinor);
  return smallerOf(unsettledMinor, exposureOf(certificate, policy, now));
}

/** Sum of the holds of certificates, minor units. */
export function openHold(certificates: readonly CertificateView[], policy: ExposurePolicy, now: number): bigint {
  return certificates.reduce((sumMinor, certificate) => sumMinor + holdOf(certificate, policy, now), 0n);
}

/** Sum of the exposures of certificates, minor units. */
export function openExposure(certificates: readonly CertificateView[], policy: ExposurePolicy, now: number): bigint {
  return certificates.reduce((sumMinor, certificate) => sumMinor + exposureOf(certificate, policy, now), 0n);
}
