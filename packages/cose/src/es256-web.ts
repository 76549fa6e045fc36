import { sha256 } from "@noble/hashes/sha2.js";
import { CoseError } from "./cose-error.ts";
import { CryptoError, type CryptoPort, SIGNATURE_LENGTH, type Signer } from "./crypto.ts";
import { decompress, type P256PublicKey, publicKeyFromPoint } from "./key.ts";
import { KeyCache } from "./key-cache.ts";

const KEY_ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };
const SIGNATURE_ALGORITHM = { name: "ECDSA", hash: "SHA-256" };

/** Ready keys kept: a phone or a till meets its issuer's keys and those of the day's partners. */
const KEY_CACHE_SIZE = 64;

/** WebCrypto's CryptoKeyPair, named here since not every type library of the platforms has it. */
export type WebKeyPair = { readonly privateKey: CryptoKey; readonly publicKey: CryptoKey };

/**
 * The port on WebCrypto: browsers, React Native with a WebCrypto, Node.
 * @throws CryptoError CRYPTO_UNAVAILABLE where there is no `crypto.subtle`: outside secure contexts, for one.
 */
export function webCrypto(): CryptoPort {
  const subtle = availableSubtle();
  const ready = new KeyCache<CryptoKey>(KEY_CACHE_SIZE);

  async function importKey(publicKey: P256PublicKey): Promise<CryptoKey | undefined> {
    const point = decompressIfOnCurve(publicKey);
    if (point === undefined) return undefined;
    const imported = await subtle.importKey("raw", point, KEY_ALGORITHM, false, ["verify"]);
    ready.set(publicKey, imported);
    return imported;
  }

  return {
    sha256: (bytes) => sha256(bytes),
    async verifyEs256(publicKey, message, signature) {
      if (signature.length !== SIGNATURE_LENGTH) return false;
      // Copied before anything is awaited: the caller may reuse its buffers.
      const signed = new Uint8Array(message);
      const signatureBytes = new Uint8Array(signature);
      const key = ready.get(publicKey) ?? (await importKey(publicKey));
      return key !== undefined && subtle.verify(SIGNATURE_ALGORITHM, key, signatureBytes, signed);
    },
  };
}

/**
 * A new key pair. By default the private key cannot be read out again, only stored (IndexedDB) and used.
 * @throws CryptoError CRYPTO_UNAVAILABLE.
 */
export async function generateWebSigner(
  options: { readonly extractable?: boolean } = {},
): Promise<Signer & { readonly keyPair: WebKeyPair }> {
  const subtle = availableSubtle();
  const keyPair = await subtle.generateKey(KEY_ALGORITHM, options.extractable ?? false, ["sign", "verify"]);
  return { ...(await webSigner(keyPair)), keyPair };
}

/**
 * Signs with a stored key pair. The private key may be non-extractable; the public key must be extractable, as the
 * one of `generateWebSigner` is.
 * @throws CryptoError CRYPTO_UNAVAILABLE; CRYPTO_KEY_UNSUITABLE when the pair is not ECDSA P-256 or cannot sign.
 */
export async function webSigner(keyPair: WebKeyPair): Promise<Signer> {
  const subtle = availableSubtle();
  const { privateKey, publicKey } = keyPair;
  if (!isP256(privateKey) || !privateKey.usages.includes("sign")) {
    throw new CryptoError("CRYPTO_KEY_UNSUITABLE", "The private key is not an ECDSA P-256 key that may sign.");
  }
  return {
    publicKey: await exportPublicKey(subtle, publicKey),
    async sign(message) {
      return new Uint8Array(await subtle.sign(SIGNATURE_ALGORITHM, privateKey, new Uint8Array(message)));
    },
  };
}

async function exportPublicKey(subtle: SubtleCrypto, publicKey: CryptoKey): Promise<P256PublicKey> {
  try {
    return publicKeyFromPoint(new Uint8Array(await subtle.exportKey("raw", publicKey)));
  } catch (error) {
    throw new CryptoError("CRYPTO_KEY_UNSUITABLE", "The public key is not a readable P-256 key.", { cause: error });
  }
}

function isP256({ algorithm }: CryptoKey): boolean {
  return algorithm.name === KEY_ALGORITHM.name && "namedCurve" in algorithm && algorithm.namedCurve === "P-256";
}

function decompressIfOnCurve(publicKey: P256PublicKey): Uint8Array<ArrayBuffer> | undefined {
  try {
    return new Uint8Array(decompress(publicKey));
  } catch (error) {
    if (error instanceof CoseError) return undefined;
    throw error;
  }
}

function availableSubtle(): SubtleCrypto {
  const subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle;
  if (subtle === undefined) {
    throw new CryptoError(
      "CRYPTO_UNAVAILABLE",
      "There is no WebCrypto here. Browsers offer it on https and localhost only.",
    );
  }
  return subtle;
}
