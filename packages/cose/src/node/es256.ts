import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { CryptoError, type CryptoPort, SIGNATURE_LENGTH, type Signer } from "../crypto.ts";
import { compressedPoint, type P256PublicKey, publicKeyFromPoint } from "../key.ts";
import { KeyCache } from "../key-cache.ts";

/** Ready keys kept unless told otherwise: about 15 MB. */
const KEY_CACHE_SIZE = 4096;

/** SubjectPublicKeyInfo (RFC 5480) of a compressed P-256 point: everything before the point's 33 bytes. */
const SPKI_PREFIX = Buffer.from("3039301306072a8648ce3d020106082a8648ce3d030107032200", "hex");

/**
 * The port on Node's own cryptography, about twice as fast as WebCrypto. It verifies on the calling thread: use
 * worker threads for all cores.
 * @param options keyCacheSize: ready keys kept, the least recently used dropped first. Default 4096.
 */
export function nodeCrypto(options: { readonly keyCacheSize?: number } = {}): CryptoPort {
  const ready = new KeyCache<KeyObject>(options.keyCacheSize ?? KEY_CACHE_SIZE);

  function importKey(publicKey: P256PublicKey): KeyObject | undefined {
    const imported = importPublicKey(publicKey);
    if (imported !== undefined) ready.set(publicKey, imported);
    return imported;
  }

  return {
    sha256,
    sha256Hex: digestHex,
    async verifyEs256(publicKey, message, signature) {
      if (signature.length !== SIGNATURE_LENGTH) return false;
      const key = ready.get(publicKey) ?? importKey(publicKey);
      return key !== undefined && verify("sha256", message, { key, dsaEncoding: "ieee-p1363" }, signature);
    },
  };
}

/**
 * By way of text: a third of the time of the runtime's buffer, which lies outside of the engine's heap. So would what
 * `Uint8Array.fromHex` makes, but up to 64 bytes that are made here do not.
 */
function sha256(bytes: Uint8Array): Uint8Array {
  const digest = new Uint8Array(32) as Uint8Array & { setFromHex(text: string): void };
  digest.setFromHex(digestHex(bytes));
  return digest;
}

const digestHex = (bytes: Uint8Array): string => hash("sha256", bytes, "hex");

/** A new key pair, its private key to be stored as PKCS#8 DER. */
export function generateNodeSigner(): Signer & { readonly privateKeyPkcs8: Uint8Array } {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const privateKeyPkcs8 = new Uint8Array(privateKey.export({ type: "pkcs8", format: "der" }));
  return { ...nodeSigner(privateKey), privateKeyPkcs8 };
}

/**
 * Signs with a private key given as a KeyObject or as PKCS#8 PEM text.
 * @throws CryptoError CRYPTO_KEY_UNSUITABLE when it cannot be read or is not a P-256 private key.
 */
export function nodeSigner(privateKey: KeyObject | string): Signer {
  return signerFromKey(() => (typeof privateKey === "string" ? createPrivateKey(privateKey) : privateKey));
}

/**
 * Signs with a private key given as PKCS#8 DER, as `generateNodeSigner` hands it out.
 * @throws CryptoError CRYPTO_KEY_UNSUITABLE when it cannot be read or is not a P-256 private key.
 */
export function signerFromPkcs8(pkcs8: Uint8Array): Signer {
  return signerFromKey(() => createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" }));
}

function signerFromKey(readKey: () => KeyObject): Signer {
  const { key, publicKey } = checkedPrivateKey(readKey);
  return {
    publicKey,
    sign: async (message) => new Uint8Array(sign("sha256", message, { key, dsaEncoding: "ieee-p1363" })),
  };
}

function checkedPrivateKey(readKey: () => KeyObject): { key: KeyObject; publicKey: P256PublicKey } {
  try {
    const key = readKey();
    if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") throw new Error("The key's curve is not P-256.");
    const { x = "", y = "" } = createPublicKey(key).export({ format: "jwk" });
    const point = Buffer.concat([Buffer.of(4), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
    return { key, publicKey: publicKeyFromPoint(point) };
  } catch (error) {
    throw new CryptoError("CRYPTO_KEY_UNSUITABLE", "The key is not a readable P-256 private key.", { cause: error });
  }
}

/** The key object, or undefined when the curve has no point with this x. */
function importPublicKey(publicKey: P256PublicKey): KeyObject | undefined {
  try {
    const key = Buffer.concat([SPKI_PREFIX, compressedPoint(publicKey)]);
    return createPublicKey({ key, format: "der", type: "spki" });
  } catch {
    // The encoding is right by construction and x is below the prime, so nothing but the point can be at fault.
    return undefined;
  }
}
