import { type CryptoPort, type P256PublicKey, publicKeysEqual } from "@cairn/cose";
import {
  decodeMessage,
  isOlderCopy,
  isRefusal,
  keyIdOf,
  type PayeeCertificate,
  payeeCertificate,
  type Refusal,
  refusal,
  refusalFromError,
  refusePayeeCertificate,
  refuseStatusList,
  refuseTrustList,
  type StatusList,
  sameBytes,
  statusList,
  type TrustAnchors,
  trustAnchors,
  trustList,
  type Verified,
  type VerifyContext,
  verifyPayeeCertificate,
  verifyStatusList,
  verifyUnder,
} from "@cairn/messages";

/** What a terminal brings home besides outcomes, as received. */
export type OfferedLists = {
  readonly trustList: Uint8Array;
  readonly statusList: Uint8Array;
  readonly payeeCertificate: Uint8Array;
};

type Known = { readonly crypto: CryptoPort; readonly now: number };

/**
 * Signed by the pinned root key, not expired, not older than the one held. The very bytes that are held were verified
 * when they were taken.
 */
export async function judgeTrustList(
  bytes: Uint8Array,
  against: Known & { readonly rootKey: P256PublicKey; readonly held: TrustAnchors | undefined },
): Promise<TrustAnchors | Refusal> {
  const { crypto, rootKey, held } = against;
  if (held !== undefined && sameBytes(held.list.bytes, bytes))
    return refuseTrustList(held.list, { held: held.list, now: against.now }) ?? held;
  try {
    const decoded = decodeMessage(trustList, bytes, crypto);
    if (decoded.unverified.rootKeyId !== keyIdOf(rootKey, crypto)) return refusal("ISSUER_UNKNOWN", "another root key");
    const list = await verifyUnder(decoded, rootKey, crypto);
    if (isRefusal(list)) return list;
    return refuseTrustList(list, { held: held?.list, now: against.now }) ?? trustAnchors(list, crypto);
  } catch (error) {
    return refusalFromError(error);
  }
}

/**
 * Signed by a trusted issuer key, not expired, not older than the one held. Of an older one that says the same, as another
 * server of the issuer's may have it, the one held stays.
 */
export async function judgeStatusList(
  bytes: Uint8Array,
  against: Known & VerifyContext & { readonly held: Verified<StatusList> | undefined },
): Promise<Verified<StatusList> | Refusal> {
  try {
    const list = await verifyStatusList(decodeMessage(statusList, bytes, against.crypto), against);
    if (isRefusal(list)) return list;
    return isOlderCopy(list, against.held) ? against.held : (refuseStatusList(list, against) ?? list);
  } catch (error) {
    return refusalFromError(error);
  }
}

/**
 * Signed by a trusted issuer key, for this terminal's own key, valid now; a renewal must be for the same payee and
 * currency. One older than the certificate held changes nothing.
 */
export async function judgePayeeCertificate(
  bytes: Uint8Array,
  against: Known &
    VerifyContext & { readonly ownKey: P256PublicKey; readonly held: Verified<PayeeCertificate> | undefined },
): Promise<Verified<PayeeCertificate> | Refusal> {
  const { held, ownKey } = against;
  try {
    const certificate = await verifyPayeeCertificate(decodeMessage(payeeCertificate, bytes, against.crypto), against);
    if (isRefusal(certificate)) return certificate;
    const { terminalKey, payeeId, terms, issuedAt } = certificate.content;
    if (!publicKeysEqual(terminalKey, ownKey)) return refusal("PAYEE_CERTIFICATE_MISMATCH", "for another terminal");
    if (held !== undefined) {
      if (payeeId !== held.content.payeeId) return refusal("PAYEE_CERTIFICATE_MISMATCH", "for another payee");
      if (terms.currency !== held.content.terms.currency) return refusal("CURRENCY_MISMATCH", "another currency");
      if (issuedAt < held.content.issuedAt) return held;
    }
    // The issuer has just signed: its time is as good as ours when our clock is slow.
    const now = Math.max(against.now, issuedAt);
    return refusePayeeCertificate(certificate.content, now) ?? certificate;
  } catch (error) {
    return refusalFromError(error);
  }
}
