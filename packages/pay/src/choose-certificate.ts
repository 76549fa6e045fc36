import { type Currency, refuseUserCertificate } from "@cairn/messages";
import { type Refused, refused, refusedFor } from "./codes.ts";
import type { HeldCertificate } from "./wallet.ts";

export type CertificateWanted = {
  readonly currency: Currency;
  readonly amountMinor: bigint;
  /** Every time at which the certificate must be valid, seconds since 1970: now, and when the request was made. */
  readonly at: readonly number[];
};

/**
 * Which certificate pays. Each check drops certificates; when it drops the last one, it names the refusal, so a payer
 * hears of the last obstacle that was in the way, not of certificates that were never in question:
 * open (NO_CERTIFICATE), currency (CURRENCY_MISMATCH), valid (CERTIFICATE_NOT_YET_VALID, CERTIFICATE_EXPIRED), not
 * withdrawn (CERTIFICATE_REVOKED), cap (AMOUNT_OVER_CERTIFICATE_CAP), room (LIMIT_EXCEEDED).
 *
 * Of those left the one that expires first, so that no right to pay runs out unused; then the one with less room, so
 * that the larger rest stays whole for a larger payment; then the lower id, so that the choice is the same each time.
 */
export function chooseCertificate(
  held: readonly HeldCertificate[],
  wanted: CertificateWanted,
): { readonly kind: "chosen"; readonly held: HeldCertificate } | Refused {
  const open = held.filter(({ closed }) => !closed);
  if (open.length === 0) return refused("NO_CERTIFICATE");
  const inCurrency = open.filter(({ certificate }) => certificate.terms.currency === wanted.currency);
  if (inCurrency.length === 0) return refused("CURRENCY_MISMATCH");
  const valid = inCurrency.filter((candidate) => refuseAtAnyTime(candidate, wanted.at) === undefined);
  if (valid.length === 0) return notValid(inCurrency, wanted.at);
  const trusted = valid.filter(({ revoked }) => !revoked);
  if (trusted.length === 0) return refused("CERTIFICATE_REVOKED");
  const capped = trusted.filter(({ certificate }) => wanted.amountMinor <= certificate.terms.perPaymentCapMinor);
  if (capped.length === 0) return refused("AMOUNT_OVER_CERTIFICATE_CAP");
  const [best] = capped.filter((candidate) => wanted.amountMinor <= roomOf(candidate)).toSorted(byOrderOfUse);
  return best === undefined ? refused("LIMIT_EXCEEDED") : { kind: "chosen", held: best };
}

/** What a certificate can still pay, minor units. */
export function roomOf({ certificate, counter }: HeldCertificate): bigint {
  return certificate.terms.limitMinor - counter.spentMinor;
}

function byOrderOfUse(left: HeldCertificate, right: HeldCertificate): number {
  return (
    left.certificate.expiresAt - right.certificate.expiresAt ||
    Number(roomOf(left) - roomOf(right)) ||
    (left.certificate.certificateId < right.certificate.certificateId ? -1 : 1)
  );
}

function refuseAtAnyTime({ certificate }: HeldCertificate, at: readonly number[]) {
  for (const time of at) {
    const reason = refuseUserCertificate(certificate, time);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** One that is still to come is named before those that are past: it is the one that will work. */
function notValid(held: readonly HeldCertificate[], at: readonly number[]): Refused {
  const reasons = held.map((candidate) => refuseAtAnyTime(candidate, at));
  const reason = reasons.find((each) => each?.code === "CERTIFICATE_NOT_YET_VALID") ?? reasons[0];
  return reason === undefined ? refused("NO_CERTIFICATE") : refusedFor(reason);
}
