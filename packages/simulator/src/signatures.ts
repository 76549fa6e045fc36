import { createECDH, createPrivateKey, hash, type KeyObject } from "node:crypto";
import { type CryptoPort, type P256PublicKey, publicKeyFromPoint, SIGNATURE_LENGTH, type Signer } from "@cairn/cose";
import { nodeCrypto, nodeSigner } from "@cairn/cose/node";
import { Seeded } from "./kernel/seeded.ts";

/** Keys and signatures of a simulated world, behind the ports that the real ones stand behind. */
export type Signatures = {
  readonly crypto: CryptoPort;
  /** The same name, the same key. */
  signer(name: string): Signer;
};

const DIGEST_LENGTH = 32;

/**
 * Signatures by a keyed hash: SHA-256 over a secret of the key and the message. In this world nobody but the holder of
 * a `Signer` can make one, which is all that the rest of the code relies on, and it costs a hundredth of ES256. Public
 * keys are points of P-256 as ever. Decision: docs/decisions/0095-simulated-signatures.md.
 */
export function simulatedSignatures(seed: string): Signatures {
  const secrets = new Map<string, Uint8Array>();
  const signers = new Map<string, Signer>();
  const nameOf = ({ x, yIsOdd }: P256PublicKey): string =>
    `${yIsOdd ? 3 : 2}${Buffer.from(x.buffer, x.byteOffset, x.length).toString("latin1")}`;
  return {
    crypto: {
      sha256,
      async verifyEs256(publicKey, message, signature) {
        const secret = secrets.get(nameOf(publicKey));
        if (secret === undefined || signature.length !== SIGNATURE_LENGTH) return false;
        const expected = keyedHash(secret, message);
        for (let at = 0; at < SIGNATURE_LENGTH; at += 1)
          if (signature[at] !== expected[at % DIGEST_LENGTH]) return false;
        return true;
      },
    },
    signer(name) {
      const known = signers.get(name);
      if (known !== undefined) return known;
      const { publicKey, scalar } = keyPairOf(seed, name);
      const secret = sha256(scalar);
      secrets.set(nameOf(publicKey), secret);
      const signer: Signer = {
        publicKey,
        async sign(message) {
          const signature = new Uint8Array(SIGNATURE_LENGTH);
          const digest = keyedHash(secret, message);
          signature.set(digest);
          signature.set(digest, DIGEST_LENGTH);
          return signature;
        },
      };
      signers.set(name, signer);
      return signer;
    },
  };
}

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

function keyedHash(secret: Uint8Array, message: Uint8Array): Uint8Array {
  const both = new Uint8Array(secret.length + message.length);
  both.set(secret);
  both.set(message, secret.length);
  return sha256(both);
}

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
