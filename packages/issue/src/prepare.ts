import type { CryptoPort, P256PublicKey } from "@cairn/cose";
import {
  type CertificateId,
  type KeyId,
  type Prepared,
  prepareMessage,
  type UserCertificate,
  userCertificate,
} from "@cairn/messages";
import type { IssuanceTerms } from "./decide.ts";

/**
 * Fixes the certificate that will be signed, checked and complete before any key is touched: store it, then sign it
 * with `signPrepared`. Signing again after a crash gives the same certificate, as its identity does not cover the signature.
 * The caller knows that the device's key signs: enrolment verified a signature under it. Looking once more whether it is a
 * point of the curve would take five times as long as all the rest.
 * @throws MessageError when terms, times or index break the rules of a user certificate.
 */
export function prepareCertificate(
  terms: IssuanceTerms,
  about: {
    readonly issuerKeyId: KeyId;
    readonly deviceKey: P256PublicKey;
    readonly certificateId: CertificateId;
    readonly statusIndex: number;
    /** Becomes the time of issue, seconds since 1970. */
    readonly now: number;
    readonly crypto: CryptoPort;
  },
): Prepared<UserCertificate> {
  return prepareMessage(
    userCertificate,
    {
      issuerKeyId: about.issuerKeyId,
      certificateId: about.certificateId,
      deviceKey: about.deviceKey,
      issuedAt: about.now,
      expiresAt: about.now + terms.validitySeconds,
      terms: {
        currency: terms.currency,
        limitMinor: terms.limitMinor,
        perPaymentCapMinor: terms.perPaymentCapMinor,
        protection: terms.protection,
        statusIndex: about.statusIndex,
      },
    },
    about.crypto,
  );
}
