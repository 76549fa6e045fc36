import type { CryptoPort } from "@cairn/cose";
import { type Refusal, refusal } from "./codes.ts";
import type { KeyId } from "./identifiers.ts";
import { type Decoded, isRefusal, type Verified, verifyUnder } from "./message.ts";
import type { PayeeCertificate } from "./payee-certificate.ts";
import type { StatusList } from "./status-list.ts";
import { KEY_USE, type KeyUse, type TrustAnchors, trustedKeys } from "./trust-list.ts";
import type { UserCertificate } from "./user-certificate.ts";

/**
 * Who signed? Each function answers with the verified message or with a refusal, never with half of either.
 * Validity in time is a rule (rules.ts), except for the issuer's key, whose validity depends on when it signed.
 */
export type VerifyContext = {
  readonly anchors: TrustAnchors;
  readonly crypto: CryptoPort;
  /** Signed by this issuer, no other; undefined: by any in the trust list. */
  readonly issuerId?: string | undefined;
};

export function verifyUserCertificate(
  decoded: Decoded<UserCertificate>,
  context: VerifyContext,
): Promise<Verified<UserCertificate> | Refusal> {
  const { issuerKeyId, issuedAt } = decoded.unverified;
  return verifyByIssuer(decoded, { keyId: issuerKeyId, use: KEY_USE.userCertificates, signedAt: issuedAt }, context);
}

export function verifyPayeeCertificate(
  decoded: Decoded<PayeeCertificate>,
  context: VerifyContext,
): Promise<Verified<PayeeCertificate> | Refusal> {
  const { issuerKeyId, issuedAt } = decoded.unverified;
  return verifyByIssuer(decoded, { keyId: issuerKeyId, use: KEY_USE.payeeCertificates, signedAt: issuedAt }, context);
}

export function verifyStatusList(
  decoded: Decoded<StatusList>,
  context: VerifyContext,
): Promise<Verified<StatusList> | Refusal> {
  const { issuerKeyId, issuedAt } = decoded.unverified;
  return verifyByIssuer(decoded, { keyId: issuerKeyId, use: KEY_USE.statusLists, signedAt: issuedAt }, context);
}

async function verifyByIssuer<Content>(
  decoded: Decoded<Content>,
  wanted: { readonly keyId: KeyId; readonly use: KeyUse; readonly signedAt: number },
  { anchors, crypto, issuerId }: VerifyContext,
): Promise<Verified<Content> | Refusal> {
  const { keyId, use, signedAt } = wanted;
  const candidates = trustedKeys(anchors, { keyId, use, signedAt, issuerId });
  if ("code" in candidates) return candidates;
  let last: Refusal = refusal("ISSUER_UNKNOWN");
  for (const { key } of candidates) {
    const verified = await verifyUnder(decoded, key, crypto);
    if (!isRefusal(verified)) return verified;
    last = verified;
  }
  return last;
}
