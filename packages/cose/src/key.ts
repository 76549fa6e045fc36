import type { CborMap, CborValue } from "./cbor.ts";
import { decodeCbor } from "./cbor-decode.ts";
import { encodeCbor } from "./cbor-encode.ts";
import { CoseError } from "./cose-error.ts";
import { KeyCache } from "./key-cache.ts";
import { COORDINATE_LENGTH, isCoordinate, isOnCurve, solveY } from "./p256.ts";

declare const keyBrand: unique symbol;

/**
 * A P-256 public key as it travels: x, and whether y is odd. It exists only after its form was checked: x is 32 bytes
 * and below the field's prime. That a point with this x exists costs a square root, so it is not checked here but
 * where the key is used: `verifyEs256` answers false and `decompress` throws for a key off the curve.
 */
export type P256PublicKey = {
  /** 32 bytes, big-endian. */
  readonly x: Uint8Array;
  readonly yIsOdd: boolean;
} & { readonly [keyBrand]: true };

/** COSE_Key labels and values: RFC 9052 section 7.1, RFC 9053 section 7.1.1. */
const KEY_TYPE_LABEL = 1;
const CURVE_LABEL = -1;
const X_LABEL = -2;
const Y_LABEL = -3;
const KEY_TYPE_EC2 = 2;
const CURVE_P256 = 1;

/** About 150 kB. */
const SOLVED_KEYS = 1_024;

/** Leading bytes of encoded points, SEC 1 section 2.3.3. */
const COMPRESSED_EVEN = 0x02;
const COMPRESSED_ODD = 0x03;
const UNCOMPRESSED = 0x04;

/** COSE_Key in the compressed form: kty, crv, x and the sign of y (RFC 9053 section 7.1.1), and nothing else. */
export function publicKeyToCbor(key: P256PublicKey): CborMap {
  return coseKey(key, key.yIsOdd);
}

/**
 * Reads a COSE_Key with exactly the four labels of `publicKeyToCbor`.
 * @throws CoseError COSE_KEY_INVALID for everything else. A point off the curve passes: see `P256PublicKey`.
 */
export function publicKeyFromCbor(value: CborValue): P256PublicKey {
  if (!(value instanceof Map) || value.size !== 4) throw invalid("A key is a map of exactly four labels.");
  if (value.get(KEY_TYPE_LABEL) !== KEY_TYPE_EC2) throw invalid("The key type is not EC2.");
  if (value.get(CURVE_LABEL) !== CURVE_P256) throw invalid("The key's curve is not P-256.");
  const x = value.get(X_LABEL);
  const yIsOdd = value.get(Y_LABEL);
  if (!(x instanceof Uint8Array)) throw invalid("The key's x coordinate is not a byte string.");
  if (typeof yIsOdd !== "boolean") throw invalid("The key's y coordinate is not in the compressed form.");
  return checkedKey(x, yIsOdd);
}

/** By the very array, for as long as somebody keeps it. */
const decoded = new WeakMap<Uint8Array, P256PublicKey>();

/**
 * Reads an encoded COSE_Key out of one's own store, as `publicKeyFromCbor`. The array is not to change: whoever comes
 * with the same one gets the same key.
 * @throws CborError, CoseError COSE_KEY_INVALID.
 */
export function decodePublicKey(bytes: Uint8Array): P256PublicKey {
  const known = decoded.get(bytes);
  if (known !== undefined) return known;
  const key = publicKeyFromCbor(decodeCbor(bytes));
  decoded.set(bytes, key);
  return key;
}

/**
 * Reads a point of SEC 1 section 2.3.3: 33 bytes compressed or 65 uncompressed. An uncompressed point is checked to
 * be on the curve, a compressed one only for its form: see `P256PublicKey`.
 * @throws CoseError COSE_KEY_INVALID.
 */
export function publicKeyFromPoint(bytes: Uint8Array): P256PublicKey {
  const lead = bytes[0];
  const x = bytes.subarray(1, 1 + COORDINATE_LENGTH);
  if (bytes.length === 1 + COORDINATE_LENGTH && (lead === COMPRESSED_EVEN || lead === COMPRESSED_ODD)) {
    return checkedKey(x, lead === COMPRESSED_ODD);
  }
  if (bytes.length !== 1 + 2 * COORDINATE_LENGTH || lead !== UNCOMPRESSED)
    throw invalid("The bytes are not a P-256 point.");
  const y = bytes.subarray(1 + COORDINATE_LENGTH);
  if (!isOnCurve(x, y)) throw invalid("The point is not on the curve.");
  const key = checkedKey(x, ((y[COORDINATE_LENGTH - 1] ?? 0) & 1) === 1);
  solved.set(key, new Uint8Array(y));
  return key;
}

/** The 33 bytes of the compressed point (SEC 1 section 2.3.3). */
export function compressedPoint(key: P256PublicKey): Uint8Array {
  const point = new Uint8Array(1 + COORDINATE_LENGTH);
  point[0] = key.yIsOdd ? COMPRESSED_ODD : COMPRESSED_EVEN;
  point.set(key.x, 1);
  return point;
}

/**
 * The 65 bytes of the uncompressed point (SEC 1 section 2.3.3), for platforms that import nothing else.
 * @throws CoseError COSE_KEY_INVALID when the curve has no point with this x.
 */
export function decompress(key: P256PublicKey): Uint8Array {
  const point = new Uint8Array(1 + 2 * COORDINATE_LENGTH);
  point[0] = UNCOMPRESSED;
  point.set(key.x, 1);
  point.set(yOf(key), 1 + COORDINATE_LENGTH);
  return point;
}

/**
 * COSE Key Thumbprint (RFC 9679), 32 bytes: the digest of the key's required labels in deterministic encoding.
 * Section 4.2 wants y in full there, so this costs a square root, the first time.
 * @throws CoseError COSE_KEY_INVALID when the curve has no point with this x.
 */
export function keyThumbprint(key: P256PublicKey, sha256: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  let known = thumbprints.get(sha256);
  if (known === undefined) {
    known = new KeyCache(SOLVED_KEYS);
    thumbprints.set(sha256, known);
  }
  let thumbprint = known.get(key);
  if (thumbprint === undefined) {
    thumbprint = sha256(encodeCbor(coseKey(key, yOf(key))));
    known.set(key, thumbprint);
  }
  return new Uint8Array(thumbprint);
}

export function publicKeysEqual(left: P256PublicKey, right: P256PublicKey): boolean {
  return left === right || (left.yIsOdd === right.yIsOdd && endsWith(left.x, right.x));
}

/** Whether these are the bytes of `compressedPoint(key)`. */
export function isCompressedPoint(bytes: Uint8Array, key: P256PublicKey): boolean {
  const lead = key.yIsOdd ? COMPRESSED_ODD : COMPRESSED_EVEN;
  return bytes.length === 1 + COORDINATE_LENGTH && bytes[0] === lead && endsWith(bytes, key.x);
}

function endsWith(bytes: Uint8Array, x: Uint8Array): boolean {
  const start = bytes.length - COORDINATE_LENGTH;
  for (let at = 0; at < COORDINATE_LENGTH; at += 1) if (bytes[start + at] !== x[at]) return false;
  return true;
}

function coseKey(key: P256PublicKey, y: boolean | Uint8Array): CborMap {
  return new Map<number, CborValue>([
    [KEY_TYPE_LABEL, KEY_TYPE_EC2],
    [CURVE_LABEL, CURVE_P256],
    [X_LABEL, key.x],
    [Y_LABEL, y],
  ]);
}

/** Thumbprints already made, by the function that made them: not everybody's digests are SHA-256 (simulations). */
const thumbprints = new WeakMap<(bytes: Uint8Array) => Uint8Array, KeyCache<Uint8Array>>();

/** Square roots already taken: a device meets the same few issuer and payee keys in every message. */
const solved = new KeyCache<Uint8Array>(SOLVED_KEYS);

function yOf(key: P256PublicKey): Uint8Array {
  const known = solved.get(key);
  if (known !== undefined) return known;
  const y = solveY(key.x, key.yIsOdd);
  if (y === undefined) throw invalid("The curve has no point with this x.");
  solved.set(key, y);
  return y;
}

/** The one place where a key comes to be. */
function checkedKey(x: Uint8Array, yIsOdd: boolean): P256PublicKey {
  if (!isCoordinate(x)) throw invalid("The key's x coordinate is not 32 bytes below the field's prime.");
  return { x: new Uint8Array(x), yIsOdd } as P256PublicKey;
}

function invalid(message: string): CoseError {
  return new CoseError("COSE_KEY_INVALID", message);
}
