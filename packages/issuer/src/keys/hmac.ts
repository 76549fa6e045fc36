import { type CryptoPort, newBytes } from "@cairn/cose";

/** Of SHA-256 (FIPS 180-4). */
const BLOCK_BYTES = 64;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/** Secrets made ready, by the very array. */
const padded = new WeakMap<Uint8Array, { readonly inner: Uint8Array; readonly outer: Uint8Array }>();

/**
 * HMAC-SHA-256 (RFC 2104), 32 bytes, by the digest of the port: for short messages half the time of the platform's own,
 * which makes an object for each.
 * @param secret 64 bytes at most. It is not to change.
 * @throws RangeError for a longer secret.
 */
export function hmac(secret: Uint8Array, message: Uint8Array, { sha256 }: Pick<CryptoPort, "sha256">): Uint8Array {
  const { inner, outer } = padsOf(secret);
  return sha256(joined(outer, sha256(joined(inner, message))));
}

function padsOf(secret: Uint8Array) {
  const known = padded.get(secret);
  if (known !== undefined) return known;
  if (secret.length > BLOCK_BYTES) throw new RangeError(`A secret of more than ${BLOCK_BYTES} bytes.`);
  const pads = { inner: padOf(secret, INNER_PAD), outer: padOf(secret, OUTER_PAD) };
  padded.set(secret, pads);
  return pads;
}

function padOf(secret: Uint8Array, pad: number): Uint8Array {
  return Uint8Array.from({ length: BLOCK_BYTES }, (_, at) => (secret[at] ?? 0) ^ pad);
}

function joined(pad: Uint8Array, bytes: Uint8Array): Uint8Array {
  const both = newBytes(pad.length + bytes.length);
  both.set(pad);
  both.set(bytes, pad.length);
  return both;
}
