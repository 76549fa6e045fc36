import { generateKeyPairSync, hash, randomFillSync, sign } from "node:crypto";
import { type HintedSignature, SIGNATURE_LENGTH, type SignatureBatches } from "../crypto.ts";
import { compressedPoint, type P256PublicKey, publicKeyFromPoint } from "../key.ts";
import { COORDINATE_LENGTH } from "../p256.ts";
import { type Curve, ORDER, openCurve } from "./openssl-curve.ts";

const UNCOMPRESSED = 4;

/** Undefined where the platform has no means for it, or does not pass a test of what it has. */
export function openSignatureBatches(): SignatureBatches | undefined {
  const curve = openCurve();
  return curve === undefined ? undefined : trustedBatchesOn(curve);
}

/** Undefined when the curve's arithmetic takes good signatures for bad ones, or bad ones for good. */
export function trustedBatchesOn(curve: Curve): SignatureBatches | undefined {
  const batches = batchesOn(curve);
  return passesTest(batches) ? batches : undefined;
}

function batchesOn(curve: Curve): SignatureBatches {
  /** A square root each: as long as somebody keeps the key. */
  const known = new WeakMap<P256PublicKey, Uint8Array>();
  const pointOf = (key: P256PublicKey): Uint8Array | undefined => {
    const point = known.get(key) ?? curve.pointOf(compressedPoint(key));
    if (point !== undefined) known.set(key, point);
    return point;
  };

  /** Of a valid signature the point R. */
  function foundPoint({ publicKey, digest, signature }: Omit<HintedSignature, "hint">): Uint8Array | undefined {
    const parts = partsOf(signature);
    const point = pointOf(publicKey);
    if (parts === undefined || point === undefined) return undefined;
    const inverse = inverseOf(parts.s);
    const e = numberAt(digest, 0);
    const found = curve.combine((e * inverse) % ORDER, point, (parts.r * inverse) % ORDER);
    return found !== undefined && numberAt(found, 1) % ORDER === parts.r ? found : undefined;
  }

  return {
    hintFor: (plain) => {
      const found = foundPoint(plain);
      // An x coordinate above the order, one in 2^128, has no hint: r alone does not tell it.
      return found !== undefined && numberAt(found, 1) < ORDER ? found.slice(1 + COORDINATE_LENGTH) : undefined;
    },

    isValid: (plain) => foundPoint(plain) !== undefined,

    // A signature is valid when e G + r Q = s R (FIPS 186-5 section 6.4.2 without its division by s): the sum of all of
    // them, each times a random number, is the point at infinity for others with a probability of 2^-128.
    areAllValid: (signatures) => {
      const parts: { readonly r: bigint; readonly s: bigint }[] = [];
      for (const { signature, hint } of signatures) {
        const each = hint.length === COORDINATE_LENGTH ? partsOf(signature) : undefined;
        if (each === undefined) return false;
        parts.push(each);
      }
      const randoms = randomFillSync(new BigUint64Array(2 * signatures.length));
      const ofKeys = new Map<P256PublicKey, bigint>();
      const encoded = new Uint8Array(1 + 2 * COORDINATE_LENGTH);
      encoded[0] = UNCOMPRESSED;
      let ofGenerator = 0n;
      let areSound = true;
      for (const [index, { publicKey, digest, signature, hint }] of signatures.entries()) {
        const { r, s } = parts[index] as { readonly r: bigint; readonly s: bigint };
        const z = ((randoms[2 * index] ?? 0n) << 64n) | (randoms[2 * index + 1] ?? 0n);
        ofGenerator += z * numberAt(digest, 0);
        ofKeys.set(publicKey, (ofKeys.get(publicKey) ?? 0n) + z * r);
        encoded.set(signature.subarray(0, COORDINATE_LENGTH), 1);
        encoded.set(hint, 1 + COORDINATE_LENGTH);
        areSound = curve.add(encoded, (z * s) % ORDER) && areSound;
      }
      for (const [key, scalar] of ofKeys) {
        const point = pointOf(key);
        areSound = point !== undefined && curve.add(point, negative(scalar)) && areSound;
      }
      return curve.isZero(negative(ofGenerator)) && areSound;
    },
  };
}

/** r and s, both from 1 to the order less 1 (FIPS 186-5 section 6.4.2). */
function partsOf(signature: Uint8Array): { readonly r: bigint; readonly s: bigint } | undefined {
  if (signature.length !== SIGNATURE_LENGTH) return undefined;
  const r = numberAt(signature, 0);
  const s = numberAt(signature, COORDINATE_LENGTH);
  return r > 0n && r < ORDER && s > 0n && s < ORDER ? { r, s } : undefined;
}

/** 32 big-endian bytes. */
function numberAt(bytes: Uint8Array, offset: number): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, COORDINATE_LENGTH);
  const upper = (view.getBigUint64(0) << 64n) | view.getBigUint64(8);
  return (upper << 128n) | (view.getBigUint64(16) << 64n) | view.getBigUint64(24);
}

/** What makes 0 with it, modulo the order. */
const negative = (value: bigint): bigint => (ORDER - (value % ORDER)) % ORDER;

/** By the extended Euclidean algorithm. Public values only: it does not run in constant time. */
function inverseOf(value: bigint): bigint {
  let [rest, next] = [ORDER, value];
  let [factor, nextFactor] = [0n, 1n];
  while (next > 0n) {
    const quotient = rest / next;
    [rest, next] = [next, rest - quotient * next];
    [factor, nextFactor] = [nextFactor, factor - quotient * nextFactor];
  }
  return factor < 0n ? factor + ORDER : factor;
}

/** The calls underneath are experimental and go past the compiler: what they cannot do here must not decide about money. */
function passesTest(batches: SignatureBatches): boolean {
  const sound: HintedSignature[] = [];
  for (const text of ["one", "two", "three"]) {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const { x = "", y = "" } = publicKey.export({ format: "jwk" });
    const point = [Buffer.of(UNCOMPRESSED), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")];
    const plain = {
      publicKey: publicKeyFromPoint(Buffer.concat(point)),
      digest: hash("sha256", text, "buffer"),
      signature: sign("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" }),
    };
    const hint = batches.hintFor(plain);
    if (hint === undefined) return false;
    sound.push({ ...plain, hint });
  }
  const [first, ...others] = sound as [HintedSignature, ...HintedSignature[]];
  const changed = Uint8Array.from(first.digest, (byte, at) => (at === 0 ? byte ^ 1 : byte));
  const forged = { ...first, digest: changed };
  const tellsOne = batches.isValid(first) && !batches.isValid(forged);
  return tellsOne && batches.areAllValid(sound) && !batches.areAllValid([forged, ...others]);
}
