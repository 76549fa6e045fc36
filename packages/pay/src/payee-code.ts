import type { CryptoPort } from "@cairn/cose";
import {
  type Code,
  type CodeType,
  type Decoded,
  decodeMessage,
  expectCode,
  isRefusal,
  type MessageKind,
  type PayeeCertificate,
  type PayeeCertificateId,
  payeeCertificate,
  readCode,
  refusalFromError,
  refuseTrustList,
  restoreVerified,
  type TrustAnchors,
  trustAnchors,
  trustList,
  type Verified,
  verifyPayeeCertificate,
  verifyUnder,
} from "@cairn/messages";
import { type Refused, refused, refusedFor } from "./codes.ts";
import type { Wallet } from "./wallet.ts";

/** What a payee said, and who it is: both verified. */
export type FromPayee<Content> = {
  readonly kind: "verified";
  readonly payeeCertificate: Verified<PayeeCertificate>;
  readonly message: Verified<Content>;
};

type OfPayee = { readonly payeeCertificateId: PayeeCertificateId };
type Expected<Content> = { readonly type: CodeType; readonly kind: MessageKind<Content> };
type VerifiedBy = { readonly anchors: TrustAnchors; readonly crypto: CryptoPort };

/** A code as text, or its parts where the way they came (NFC, BLE) has no use for text. */
export type CodeInput = string | Code;

/**
 * Reads what a payee shows: strict decoding, the payee certificate under an issuer key of the trust list, the message
 * belongs to that certificate, its signature under the certificate's terminal key. Rules are the caller's.
 */
export async function readPayeeCode<Content extends OfPayee>(
  input: CodeInput,
  expected: Expected<Content>,
  by: VerifiedBy,
): Promise<FromPayee<Content> | Refused> {
  const decoded = decodePayeeCode(input, expected, by.crypto);
  return decoded.kind === "refused" ? decoded : verifyPayeeCode(decoded, by);
}

/** The second half of `readPayeeCode`: all but the strict decoding. */
export async function verifyPayeeCode<Content extends OfPayee>(
  decoded: DecodedPayeeCode<Content>,
  by: VerifiedBy,
): Promise<FromPayee<Content> | Refused> {
  const certificate = await verifyPayeeCertificate(decoded.certificate, by);
  if (isRefusal(certificate)) return refusedFor(certificate);
  if (decoded.message.unverified.payeeCertificateId !== certificate.content.payeeCertificateId) {
    return refused("PAYEE_CERTIFICATE_MISMATCH");
  }
  const message = await verifyUnder(decoded.message, certificate.content.terminalKey, by.crypto);
  if (isRefusal(message)) return refusedFor(message);
  return { kind: "verified", payeeCertificate: certificate, message };
}

export type DecodedPayeeCode<Content> = {
  readonly kind: "decoded";
  readonly certificate: Decoded<PayeeCertificate>;
  readonly message: Decoded<Content>;
};

/** The first half of `readPayeeCode`: nothing of it is verified. */
export function decodePayeeCode<Content>(
  input: CodeInput,
  expected: Expected<Content>,
  crypto: CryptoPort,
): DecodedPayeeCode<Content> | Refused {
  try {
    const code = expectCode(typeof input === "string" ? readCode(input) : input, expected.type);
    const certificate = decodeMessage(payeeCertificate, code.certificate, crypto);
    return { kind: "decoded", certificate, message: decodeMessage(expected.kind, code.message, crypto) };
  } catch (error) {
    return refusedFor(refusalFromError(error));
  }
}

/** The issuer keys that the wallet relies on now, or TRUST_LIST_EXPIRED: an old list may name a key withdrawn since. */
export function anchorsOf(
  { identity, now }: Wallet,
  crypto: CryptoPort,
): { readonly kind: "anchors"; readonly anchors: TrustAnchors } | Refused {
  const list = restoreVerified(trustList, identity.trustList, crypto);
  const expired = refuseTrustList(list, { held: undefined, now });
  return expired === undefined ? { kind: "anchors", anchors: trustAnchors(list, crypto) } : refusedFor(expired);
}
