import type { CryptoPort } from "@cairn/cose";
import { KEY_USE, type KeyId, keyIdOf, type TrustAnchors, type TrustedKey } from "@cairn/messages";

/**
 * Whom the server believes when it settles, as far as signatures go; guard-items.ts goes on from there. Its own keys,
 * withdrawn ones too: what terminals took in good faith before a key was withdrawn is still paid. Keys of other issuers
 * of the same trust list for payee certificates alone: a payee may ask for payments under whichever issuer certified
 * it, but no other issuer can sign a right to spend this one's accounts.
 */
export function settlementAnchorsOf(
  published: TrustAnchors,
  own: readonly TrustedKey[],
  crypto: CryptoPort,
): TrustAnchors {
  const keysById = new Map<KeyId, TrustedKey[]>();
  const add = (trusted: TrustedKey): void => {
    const keyId = keyIdOf(trusted.key, crypto);
    keysById.set(keyId, [...(keysById.get(keyId) ?? []), trusted]);
  };
  for (const trusted of own) add(trusted);
  const ownIssuers = new Set(own.map(({ issuerId }) => issuerId));
  for (const trusted of published.list.content.keys) {
    const uses = trusted.uses & KEY_USE.payeeCertificates;
    if (!ownIssuers.has(trusted.issuerId) && uses !== 0) add({ ...trusted, uses });
  }
  return { list: published.list, keysById };
}
