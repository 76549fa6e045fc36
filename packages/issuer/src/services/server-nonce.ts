import { timingSafeEqual } from "node:crypto";
import { type CryptoPort, putWord, wordAt } from "@cairn/cose";
import { fromHex, IDENTIFIER_BYTES, identifier, type ServerNonce } from "@cairn/messages";
import { hmac } from "../keys/hmac.ts";
import type { Random } from "../ports.ts";

/**
 * Nonces that the server need not remember until they are used: 4 bytes of expiry, 8 random bytes, and the first 12
 * bytes of HMAC-SHA-256 over both under a secret of the server. 96 bits of authentication are more than anyone can
 * guess online; the random part keeps two nonces of one second apart.
 */
const EXPIRY_BYTES = 4;
const RANDOM_BYTES = 8;
const BODY_BYTES = EXPIRY_BYTES + RANDOM_BYTES;
const CONTEXT = new TextEncoder().encode("cairn/1/server-nonce");
/** A device on a slow line fetches one, signs and sends: two minutes are plenty. */
export const NONCE_VALIDITY_SECONDS = 120;

export function makeNonce(input: {
  readonly now: number;
  readonly secret: Uint8Array;
  readonly random: Random;
  readonly crypto: Pick<CryptoPort, "sha256">;
}): {
  readonly nonce: ServerNonce;
  readonly expiresAt: number;
} {
  const expiresAt = input.now + NONCE_VALIDITY_SECONDS;
  const bytes = new Uint8Array(IDENTIFIER_BYTES.serverNonce);
  putWord(bytes, 0, expiresAt);
  bytes.set(input.random.bytes(RANDOM_BYTES), EXPIRY_BYTES);
  bytes.set(authenticate(bytes.subarray(0, BODY_BYTES), input), BODY_BYTES);
  return { nonce: identifier<ServerNonce>(bytes, IDENTIFIER_BYTES.serverNonce), expiresAt };
}

/** When a nonce of ours expires; undefined when it is not ours or has expired. Single use is the store's to keep. */
export function nonceExpiry(
  nonce: ServerNonce,
  at: { readonly now: number; readonly secret: Uint8Array; readonly crypto: Pick<CryptoPort, "sha256"> },
): number | undefined {
  const bytes = fromHex(nonce);
  const expected = authenticate(bytes.subarray(0, BODY_BYTES), at);
  if (!timingSafeEqual(expected, bytes.subarray(BODY_BYTES))) return undefined;
  const expiresAt = wordAt(bytes, 0);
  return expiresAt >= at.now ? expiresAt : undefined;
}

function authenticate(
  body: Uint8Array,
  by: { readonly secret: Uint8Array; readonly crypto: Pick<CryptoPort, "sha256"> },
): Uint8Array {
  const message = new Uint8Array(CONTEXT.length + body.length);
  message.set(CONTEXT);
  message.set(body, CONTEXT.length);
  return hmac(by.secret, message, by.crypto).subarray(0, IDENTIFIER_BYTES.serverNonce - BODY_BYTES);
}
