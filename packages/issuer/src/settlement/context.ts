import type { CryptoPort } from "@cairn/cose";
import type { CertificateIdCipher } from "@cairn/issue";
import {
  type Decoded,
  type PayeeCertificate,
  type PayeeId,
  type Refusal,
  type TerminalId,
  type TrustAnchors,
  terminalIdOf,
  type UserCertificate,
  type Verified,
  verifyPayeeCertificate,
  verifyUserCertificate,
} from "@cairn/messages";
import { type DecodingCaches, decodingCaches } from "./decode-record.ts";
import type { PaymentProver } from "./payment-prover.ts";
import { VerifiedCache } from "./verified-cache.ts";
import type { UploadedRecord } from "./verify-records.ts";

/** Whose records these are, as known from enrolment: a terminal speaks for its payee, a wallet device for its account. */
export type Sender =
  | { readonly kind: "terminal"; readonly payeeId: PayeeId }
  | { readonly kind: "payer"; readonly account: number };

export type VerifyRecordsContext = {
  /** The issuer's own keys, old ones included. */
  readonly anchors: TrustAnchors;
  readonly crypto: CryptoPort;
  readonly certificateIdCipher: CertificateIdCipher;
  readonly caches: VerificationCaches;
  /** Where the platform can verify many signatures at once. */
  readonly prover?: PaymentProver | undefined;
  /** Undefined when it is no longer known. */
  readonly senderOf: (record: UploadedRecord) => Sender | undefined;
};

export type VerificationCaches = {
  readonly decoding: DecodingCaches;
  readonly certificates: VerifiedCache<UserCertificate>;
  readonly payeeCertificates: VerifiedCache<PayeeCertificate>;
  /** A thumbprint costs a square root, and one till uploads thousands of payments. */
  readonly terminalIds: WeakMap<Verified<PayeeCertificate>, TerminalId>;
};

/** Certificates in a busy hour; each is about two kilobytes here. */
const REMEMBERED_CERTIFICATES = 20_000;

/** @param size Certificates remembered, of each kind. */
export function verificationCaches(size: number = REMEMBERED_CERTIFICATES): VerificationCaches {
  return {
    decoding: decodingCaches(size),
    certificates: new VerifiedCache(),
    payeeCertificates: new VerifiedCache(),
    terminalIds: new WeakMap(),
  };
}

/** Other keys may be trusted now: what was verified under the old ones is verified again. */
export function forgetCertificates(caches: VerificationCaches): void {
  caches.certificates.clear();
  caches.payeeCertificates.clear();
}

type Judged<Content> = Verified<Content> | Refusal | Promise<Verified<Content> | Refusal>;

export function verifiedCertificate(
  decoded: Decoded<UserCertificate>,
  context: VerifyRecordsContext,
): Judged<UserCertificate> {
  return context.caches.certificates.get(decoded, () => verifyUserCertificate(decoded, context));
}

export function verifiedPayeeCertificate(
  decoded: Decoded<PayeeCertificate>,
  context: VerifyRecordsContext,
): Judged<PayeeCertificate> {
  return context.caches.payeeCertificates.get(decoded, () => verifyPayeeCertificate(decoded, context));
}

export function terminalOf(certificate: Verified<PayeeCertificate>, context: VerifyRecordsContext): TerminalId {
  const known = context.caches.terminalIds.get(certificate);
  if (known !== undefined) return known;
  const terminalId = terminalIdOf(certificate.content.terminalKey, context.crypto);
  context.caches.terminalIds.set(certificate, terminalId);
  return terminalId;
}
