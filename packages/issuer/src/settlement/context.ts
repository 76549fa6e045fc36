import type { CryptoPort, SignatureToVerify } from "@cairn/cose";
import type { CertificateIdCipher } from "@cairn/issue";
import {
  type PayeeCertificate,
  type PayeeId,
  type TerminalId,
  type TrustAnchors,
  terminalIdOf,
  type UserCertificate,
  type Verified,
} from "@cairn/messages";
import { type DecodingCaches, decodingCaches } from "./decode-record.ts";
import { RecentCache } from "./recent-cache.ts";
import { VerifiedCache } from "./verified-cache.ts";
import type { UploadedRecord } from "./verify-records.ts";
import { type FoundSignatures, verifySignatures } from "./verify-signatures.ts";

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
  readonly checker: SignatureChecker;
  /** Undefined when it is no longer known. */
  readonly senderOf: (record: UploadedRecord) => Sender | undefined;
};

/** Looks at signatures, here or on threads. */
export type SignatureChecker = {
  /** Whether it can do anything with hints; else it must be given none. */
  readonly takesHints: boolean;
  /** @param bringers Of each signature who brought its hint, by a number; as long as `signatures`, or empty. */
  verify(signatures: readonly SignatureToVerify[], bringers: readonly number[]): Promise<FoundSignatures>;
};

/** On the calling thread, one by one. */
export const checkerHere = (crypto: CryptoPort): SignatureChecker => ({
  takesHints: false,
  verify: (signatures, bringers) => verifySignatures(signatures, bringers, { crypto, batches: undefined }),
});

export type VerificationCaches = {
  readonly decoding: DecodingCaches;
  readonly certificates: VerifiedCache<UserCertificate>;
  readonly payeeCertificates: VerifiedCache<PayeeCertificate>;
  /** A thumbprint costs a square root, and one till uploads thousands of payments. */
  readonly terminalIds: WeakMap<Verified<PayeeCertificate>, TerminalId>;
  /** Whose hints made a batch fail: they are not used again. */
  readonly distrusted: RecentCache<string, true>;
};

/** Certificates in a busy hour; each is about two kilobytes here. */
const REMEMBERED_CERTIFICATES = 20_000;

const DISTRUSTED_SENDERS = 1_000;

/** @param size Certificates remembered, of each kind. */
export function verificationCaches(size: number = REMEMBERED_CERTIFICATES): VerificationCaches {
  return {
    decoding: decodingCaches(size),
    certificates: new VerifiedCache(),
    payeeCertificates: new VerifiedCache(),
    terminalIds: new WeakMap(),
    distrusted: new RecentCache(DISTRUSTED_SENDERS),
  };
}

/** Other keys may be trusted now: what was verified under the old ones is verified again. */
export function forgetCertificates(caches: VerificationCaches): void {
  caches.certificates.clear();
  caches.payeeCertificates.clear();
}

export function terminalOf(
  certificate: Verified<PayeeCertificate>,
  context: Pick<VerifyRecordsContext, "caches" | "crypto">,
): TerminalId {
  const known = context.caches.terminalIds.get(certificate);
  if (known !== undefined) return known;
  const terminalId = terminalIdOf(certificate.content.terminalKey, context.crypto);
  context.caches.terminalIds.set(certificate, terminalId);
  return terminalId;
}
