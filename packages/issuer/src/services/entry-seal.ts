import type { CryptoPort } from "@cairn/cose";
import { toHex } from "@cairn/messages";
import type { EntrySeal } from "@cairn/stores";
import { hmac } from "../keys/hmac.ts";

/**
 * HMAC-SHA-256 of what an entry says, under the secret that lies with the issuer's keys: whoever may write into the
 * database, and has no more, cannot make one.
 */
export function entrySeal(by: {
  readonly crypto: Pick<CryptoPort, "sha256">;
  readonly nonceSecret: Uint8Array;
}): EntrySeal {
  return (text) => toHex(hmac(by.nonceSecret, new TextEncoder().encode(`cairn/1/entry-seal/${text}`), by.crypto));
}
