import type { CryptoPort, P256PublicKey } from "@cairn/cose";
import {
  type Decoded,
  decodeMessage,
  isOlderCopy,
  isRefusal,
  keyIdOf,
  type MessageKind,
  type Refusal,
  refusal,
  refusalFromError,
  refuseStatusList,
  refuseTrustList,
  type StatusList,
  sameBytes,
  statusList,
  type TrustAnchors,
  type TrustList,
  trustAnchors,
  trustList,
  type Verified,
  verifyStatusList,
  verifyUnder,
} from "@cairn/messages";

/**
 * An offered trust list: strict decoding, signature under the pinned root key, never an older one, not expired. The very
 * bytes that are held were verified when they were taken.
 */
export async function judgeTrustList(
  bytes: Uint8Array,
  against: { readonly rootKey: P256PublicKey; readonly held: Verified<TrustList> | undefined; readonly now: number },
  crypto: CryptoPort,
): Promise<Verified<TrustList> | Refusal> {
  const { held } = against;
  if (held !== undefined && sameBytes(held.bytes, bytes)) return refuseTrustList(held, against) ?? held;
  const decoded = tryDecode(trustList, bytes, crypto);
  if (isRefusal(decoded)) return decoded;
  if (decoded.unverified.rootKeyId !== keyIdOf(against.rootKey, crypto))
    return refusal("ISSUER_UNKNOWN", "signed by another root key");
  const verified = await verifyUnder(decoded, against.rootKey, crypto);
  if (isRefusal(verified)) return verified;
  return refuseTrustList(verified, against) ?? verified;
}

/**
 * An offered status list: strict decoding, a key of the wallet's issuer, never an older one, not expired. Of an older one
 * that says the same, as another server of the issuer's may have it, the one held stays.
 */
export async function judgeStatusList(
  bytes: Uint8Array,
  against: {
    readonly anchors: TrustAnchors;
    /** The wallet's own: another issuer of the trust list says nothing about its certificates. */
    readonly issuerId: string;
    readonly held: Verified<StatusList> | undefined;
    readonly now: number;
  },
  crypto: CryptoPort,
): Promise<Verified<StatusList> | Refusal> {
  const decoded = tryDecode(statusList, bytes, crypto);
  if (isRefusal(decoded)) return decoded;
  const verified = await verifyStatusList(decoded, { ...against, crypto });
  if (isRefusal(verified)) return verified;
  return isOlderCopy(verified, against.held) ? against.held : (refuseStatusList(verified, against) ?? verified);
}

/** The trust list that a wallet relies on after an answer: the offered one when it may be taken, else the one it holds. */
export function anchorsAfter(
  offered: Verified<TrustList> | Refusal,
  held: Verified<TrustList>,
  crypto: CryptoPort,
): TrustAnchors {
  return trustAnchors(isRefusal(offered) ? held : offered, crypto);
}

/** A decoder's coded error as a refusal value. */
export function tryDecode<Content>(
  kind: MessageKind<Content>,
  bytes: Uint8Array,
  crypto: CryptoPort,
): Decoded<Content> | Refusal {
  try {
    return decodeMessage(kind, bytes, crypto);
  } catch (error) {
    return refusalFromError(error);
  }
}
