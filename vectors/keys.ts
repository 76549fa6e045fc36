import { createECDH, createHash, createHmac } from "node:crypto";
import { type P256PublicKey, publicKeyFromPoint, type Signer } from "@cairn/cose";

/**
 * TEST KEYS. Their private halves are published here and in keys.json, so that anybody can make further vectors.
 * Nothing of value may ever be signed with them.
 */
export const TEST_KEY_NAMES = [
  "root",
  "other-root",
  "issuer",
  "other-issuer",
  "retired-issuer",
  "payee-only-issuer",
  "device",
  "other-device",
  "terminal",
  "other-terminal",
] as const;
export type TestKeyName = (typeof TEST_KEY_NAMES)[number];

export type TestKey = Signer & { readonly name: TestKeyName; readonly privateKey: Uint8Array };

/** Order of the group of P-256 (SP 800-186 section 3.2.1.3). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

const sha256 = (...parts: (string | Uint8Array)[]): Uint8Array => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const toNumber = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
const toBytes = (number: bigint): Uint8Array =>
  Uint8Array.from(Buffer.from(number.toString(16).padStart(64, "0"), "hex"));

/** The private key is the SHA-256 of "Cairn test key: NAME". */
export function testKey(name: TestKeyName): TestKey {
  const privateKey = toBytes(toNumber(sha256(`Cairn test key: ${name}`)) % ORDER);
  return {
    name,
    privateKey,
    publicKey: publicKeyFromPoint(multiplyBase(privateKey)),
    sign: async (message) => signDeterministically(privateKey, message),
  };
}

/**
 * ES256 with the nonce of RFC 6979, so that generating the vectors again gives the same bytes. For test keys alone: it
 * computes in variable time.
 */
export function signDeterministically(privateKey: Uint8Array, message: Uint8Array): Uint8Array {
  const digest = sha256(message);
  const reduced = toBytes(toNumber(digest) % ORDER);
  for (const nonce of nonces(privateKey, reduced)) {
    const r = toNumber(multiplyBase(toBytes(nonce)).subarray(1, 33)) % ORDER;
    const s = (inverse(nonce) * (toNumber(reduced) + r * toNumber(privateKey))) % ORDER;
    if (r !== 0n && s !== 0n) return Uint8Array.from([...toBytes(r), ...toBytes(s)]);
  }
  throw new Error("No nonce left.");
}

/** The other valid signature over the same message: (r, n - s). */
export function otherSignature(signature: Uint8Array): Uint8Array {
  return Uint8Array.from([...signature.subarray(0, 32), ...toBytes(ORDER - toNumber(signature.subarray(32)))]);
}

/** RFC 6979 section 3.2. */
function* nonces(privateKey: Uint8Array, digest: Uint8Array): Generator<bigint, void, void> {
  const hmac = (key: Uint8Array, ...parts: Uint8Array[]): Uint8Array => {
    const mac = createHmac("sha256", key);
    for (const part of parts) mac.update(part);
    return mac.digest();
  };
  let value: Uint8Array = new Uint8Array(32).fill(1);
  let key: Uint8Array = new Uint8Array(32);
  for (const step of [0, 1]) {
    key = hmac(key, value, Uint8Array.of(step), privateKey, digest);
    value = hmac(key, value);
  }
  for (;;) {
    value = hmac(key, value);
    const candidate = toNumber(value);
    if (candidate > 0n && candidate < ORDER) yield candidate;
    key = hmac(key, value, Uint8Array.of(0));
    value = hmac(key, value);
  }
}

/** The uncompressed point, 65 bytes. */
function multiplyBase(scalar: Uint8Array): Uint8Array {
  const exchange = createECDH("prime256v1");
  exchange.setPrivateKey(scalar);
  return exchange.getPublicKey();
}

/** By Fermat: the order is prime. */
function inverse(value: bigint): bigint {
  let result = 1n;
  let base = value % ORDER;
  for (let exponent = ORDER - 2n; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) result = (result * base) % ORDER;
    base = (base * base) % ORDER;
  }
  return result;
}

/** A key of the right form whose x belongs to no point of the curve. */
export function offCurveKey(): P256PublicKey {
  // x = 1 has no y on P-256, as keys.test.ts shows.
  return publicKeyFromPoint(Uint8Array.from([2, ...new Uint8Array(31), 1]));
}
