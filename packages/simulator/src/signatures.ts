import { createECDH, createPrivateKey, hash, type KeyObject } from "node:crypto";
import {
  type CryptoPort,
  newBytes,
  type P256PublicKey,
  publicKeyFromPoint,
  publicKeysEqual,
  SIGNATURE_LENGTH,
  type Signer,
} from "@cairn/cose";
import { nodeCrypto, nodeSigner } from "@cairn/cose/node";
import { sameBytes } from "@cairn/messages";
import { Seeded } from "./kernel/seeded.ts";

/** Keys and signatures of a simulated world, behind the ports that the real ones stand behind. */
export type Signatures = {
  readonly crypto: CryptoPort;
  /** The same name, the same key. */
  signer(name: string): Signer;
};

const DIGEST_LENGTH = 32;

/**
 * Signatures by a keyed checksum: a secret of the key and every byte of the message, mixed. In this world nobody but
 * the holder of a `Signer` can make one, which is all that the rest of the code relies on, and it costs a
 * fraction of a microsecond. Digests are the same checksum under no one's secret. Public keys are points of P-256 as
 * ever. Decision: docs/decisions/0095-simulated-signatures.md.
 */
export function simulatedSignatures(seed: string): Signatures {
  const secrets = new Map<number, { readonly publicKey: P256PublicKey; readonly secret: Secret }[]>();
  const signers = new Map<string, Signer>();
  const secretOf = (key: P256PublicKey): Secret | undefined =>
    secrets.get(placeOf(key))?.find(({ publicKey }) => publicKey === key || publicKeysEqual(publicKey, key))?.secret;
  const expected = new Uint8Array(SIGNATURE_LENGTH);
  return {
    crypto: {
      sha256(bytes) {
        const digest = newBytes(DIGEST_LENGTH);
        writeChecksum(digest, NOBODY, bytes);
        return digest;
      },
      async verifyEs256(publicKey, message, signature) {
        const secret = secretOf(publicKey);
        if (secret === undefined || signature.length !== SIGNATURE_LENGTH) return false;
        writeChecksum(expected, secret, message);
        return sameBytes(signature, expected);
      },
    },
    signer(name) {
      const known = signers.get(name);
      if (known !== undefined) return known;
      const { publicKey, scalar } = keyPairOf(seed, name);
      const secret = secretFrom(sha256(scalar));
      const place = placeOf(publicKey);
      secrets.set(place, [...(secrets.get(place) ?? []), { publicKey, secret }]);
      const signer: Signer = {
        publicKey,
        async sign(message) {
          const signature = newBytes(SIGNATURE_LENGTH);
          writeChecksum(signature, secret, message);
          return signature;
        },
      };
      signers.set(name, signer);
      return signer;
    },
  };
}

/** Four words, with sign: engines keep such numbers in place. */
type Secret = { readonly k1: number; readonly k2: number; readonly k3: number; readonly k4: number };
/** The first digits of pi. */
const NOBODY: Secret = { k1: 0x243f6a88, k2: 0x85a308d3 | 0, k3: 0x13198a2e, k4: 0x03707344 };

function secretFrom(digest: Uint8Array): Secret {
  const words = new DataView(digest.buffer, digest.byteOffset);
  return { k1: words.getInt32(0), k2: words.getInt32(4), k3: words.getInt32(8), k4: words.getInt32(12) };
}

/** By 30 bits of x. */
function placeOf({ x }: P256PublicKey): number {
  return (((x[28] ?? 0) << 24) | ((x[29] ?? 0) << 16) | ((x[30] ?? 0) << 8) | (x[31] ?? 0)) & 0x3fffffff;
}

/**
 * 128 bits that depend on every bit of the secret and of the message, drawn out to the length that is asked for, after
 * MurmurHash3 (Austin Appleby, public domain; its form of 128 bits for machines of 32). Nobody in this world computes
 * a second message to a checksum.
 */
function writeChecksum(to: Uint8Array, { k1, k2, k3, k4 }: Secret, message: Uint8Array): void {
  let h1 = k1 ^ message.length;
  let h2 = k2;
  let h3 = k3;
  let h4 = k4;
  const end = message.length;
  for (let at = 0; at < end; at += 16) {
    let block = message;
    let begin = at;
    if (at + 16 > end) {
      // Beyond the end there are zeros.
      LAST_BLOCK.fill(0);
      for (let left = at; left < end; left += 1) LAST_BLOCK[left - at] = message[left] as number;
      block = LAST_BLOCK;
      begin = 0;
    }
    h1 ^= Math.imul(rotated(Math.imul(wordAt(block, begin), 0x239b961b), 15), 0xab0e9789);
    h1 = (Math.imul(rotated(h1, 19) + h2, 5) + 0x561ccd1b) | 0;
    h2 ^= Math.imul(rotated(Math.imul(wordAt(block, begin + 4), 0xab0e9789), 16), 0x38b34ae5);
    h2 = (Math.imul(rotated(h2, 17) + h3, 5) + 0x0bcaa747) | 0;
    h3 ^= Math.imul(rotated(Math.imul(wordAt(block, begin + 8), 0x38b34ae5), 17), 0xa1e38b93);
    h3 = (Math.imul(rotated(h3, 15) + h4, 5) + 0x96cd1c35) | 0;
    h4 ^= Math.imul(rotated(Math.imul(wordAt(block, begin + 12), 0xa1e38b93), 18), 0x239b961b);
    h4 = (Math.imul(rotated(h4, 13) + h1, 5) + 0x32ac3b17) | 0;
  }
  for (let at = 0; at < to.length; at += 16) {
    h1 = Math.imul(rotated(h1 ^ (h2 >>> 16) ^ at, 13) + h4, 0x85ebca6b);
    h2 = Math.imul(rotated(h2 ^ (h3 >>> 15), 15) + h1, 0xc2b2ae35);
    h3 = Math.imul(rotated(h3 ^ (h4 >>> 13), 17) + h2, 0x27d4eb2f);
    h4 = Math.imul(rotated(h4 ^ (h1 >>> 14), 19) + h3, 0x165667b1);
    writeWord(to, at, h1);
    writeWord(to, at + 4, h2);
    writeWord(to, at + 8, h3);
    writeWord(to, at + 12, h4);
  }
}

const LAST_BLOCK = new Uint8Array(16);

/** Four bytes that are there. */
function wordAt(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
  return low | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
}

function writeWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word;
  bytes[at + 1] = word >>> 8;
  bytes[at + 2] = word >>> 16;
  bytes[at + 3] = word >>> 24;
}

const rotated = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));

/** The real thing: ES256 by the platform. Signatures differ from run to run; everything else is the same. */
export function realSignatures(seed: string): Signatures {
  const signers = new Map<string, Signer>();
  return {
    crypto: nodeCrypto({ keyCacheSize: 65_536 }),
    signer(name) {
      const known = signers.get(name);
      if (known !== undefined) return known;
      const signer = nodeSigner(keyPairOf(seed, name).privateKey());
      signers.set(name, signer);
      return signer;
    },
  };
}

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(hash("sha256", bytes, "buffer"));

function keyPairOf(seed: string, name: string) {
  const curve = createECDH("prime256v1");
  const scalar = sha256(new Seeded(seed, "key", name).bytes(DIGEST_LENGTH));
  curve.setPrivateKey(scalar);
  const point = curve.getPublicKey();
  return {
    scalar,
    publicKey: publicKeyFromPoint(new Uint8Array(point)),
    privateKey: (): KeyObject =>
      createPrivateKey({
        format: "jwk",
        key: {
          kty: "EC",
          crv: "P-256",
          d: Buffer.from(scalar).toString("base64url"),
          x: point.subarray(1, 33).toString("base64url"),
          y: point.subarray(33).toString("base64url"),
        },
      }),
  };
}
