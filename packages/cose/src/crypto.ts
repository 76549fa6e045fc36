import { CodedError } from "./coded-error.ts";
import type { P256PublicKey } from "./key.ts";

/** Bytes of an ES256 signature: r, then s, 32 bytes each, big-endian (RFC 9053 section 2.1). */
export const SIGNATURE_LENGTH = 64;

/** Hashing and verifying. Implementations: `webCrypto()` here, `nodeCrypto()` in `@cairn/cose/node`. */
export interface CryptoPort {
  /** SHA-256 digest, 32 bytes, in a plain Uint8Array of its own. */
  sha256(bytes: Uint8Array): Uint8Array;
  /** The same as 64 lower-case hexadecimal digits, from platforms that make the text faster than the bytes. */
  sha256Hex?(bytes: Uint8Array): string;
  /**
   * Whether `signature` (r then s, 64 bytes) is a valid ES256 signature (RFC 9053 section 2.1) of `message` under the
   * key. False for a bad signature of any kind, a wrong length and a key that is no point of the curve. Never rejects
   * for bad data, only when the platform's cryptography itself fails. Both of the two valid signatures (r, s) and
   * (r, n - s) are true: identify messages by what was signed, never by the signature.
   */
  verifyEs256(publicKey: P256PublicKey, message: Uint8Array, signature: Uint8Array): Promise<boolean>;
}

/** A signature with the y coordinate of its point R, which whoever has verified it once can work out. */
export type HintedSignature = {
  readonly publicKey: P256PublicKey;
  /** SHA-256 of what was signed, 32 bytes. */
  readonly digest: Uint8Array;
  /** r, then s: 64 bytes. */
  readonly signature: Uint8Array;
  /** 32 bytes, big-endian. Trusted in nothing: a wrong one makes the batch fail. */
  readonly hint: Uint8Array;
};

/**
 * Many ES256 signatures checked at once (M. Bellare, J. Garay, T. Rabin: Fast Batch Verification for Modular
 * Exponentiation and Digital Signatures, 1998, the test with small exponents, for ECDSA with R known).
 *
 * A signature (r, s) of a digest e under Q is valid when R = (e/s) G + (r/s) Q has r as its x coordinate. With R given,
 * all of them are valid when the sum of z ((e/s) G + (r/s) Q - R) is zero for random z of 128 bits: a batch with a bad
 * signature in it passes with a probability of 2^-128, whatever hints it comes with. The group's order is prime, so
 * there are no small subgroups to hide in. G, and every key that occurs more than once, are multiplied once.
 */
export type SignatureBatches = {
  /** Undefined when the signature is not valid. */
  hintFor(signature: Omit<HintedSignature, "hint">): Uint8Array | undefined;
  /** One alone: as `verifyEs256`, for whoever has the digest only. Slower than that. */
  isValid(signature: Omit<HintedSignature, "hint">): boolean;
  /** True: every one is valid. False: at least one is not, or its hint is wrong. */
  areAllValid(signatures: readonly HintedSignature[]): boolean;
};

/** A signature to be verified: over a message, or with a hint for {@link SignatureBatches} over its digest. */
export type SignatureToVerify = HintedSignature | UnhintedSignature;
export type UnhintedSignature = {
  readonly publicKey: P256PublicKey;
  readonly message: Uint8Array;
  /** r, then s: 64 bytes. */
  readonly signature: Uint8Array;
  readonly hint?: undefined;
};

/** Whether each is valid, in their order: `verifyEs256` for many, wherever and however it is worked out. */
export type SignatureVerifier = (signatures: readonly SignatureToVerify[]) => Promise<readonly boolean[]>;

/** Holds a private key that need not ever leave it. */
export interface Signer {
  readonly publicKey: P256PublicKey;
  /** The ES256 signature of `message`: r then s, 64 bytes. */
  sign(message: Uint8Array): Promise<Uint8Array>;
}

export type CryptoCode =
  /** The platform offers no WebCrypto: an insecure page, or an engine without it. */
  | "CRYPTO_UNAVAILABLE"
  /** A private key that is not P-256, cannot sign, or cannot be read. */
  | "CRYPTO_KEY_UNSUITABLE";

/** The platform or the configured key is at fault, never a message. */
export class CryptoError extends CodedError<CryptoCode> {}
