import { join } from "node:path";
import type { CryptoPort, Signer } from "@cairn/cose";
import { generateNodeSigner, signerFromPkcs8 } from "@cairn/cose/node";
import type { CertificateIdCipher } from "@cairn/issue";
import { CLOCK_SKEW_SECONDS, type KeyId, keyIdOf } from "@cairn/messages";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { base64url } from "../api/wire.ts";
import type { Clock, Random } from "../ports.ts";
import { certificateIdCipher } from "./certificate-id-cipher.ts";
import { readIfThere, writeDurably } from "./durable-file.ts";
import { KeyFileError } from "./key-file-error.ts";
import { seal, unseal } from "./sealed-box.ts";

/** One key of the issuer. A hardware module stands behind `signer` in the same way as a key out of the file. */
export type IssuerKey = {
  readonly keyId: KeyId;
  readonly signer: Signer;
  /** What it signs may be dated from here to here, seconds since 1970: written into the trust list. */
  readonly validFrom: number;
  readonly validUntil: number;
  /** From when on this key is the one that signs: later than `validFrom`, so that devices know it before they meet it. */
  readonly signsFrom: number;
};

/** Everything secret that the issuer's server needs. */
export interface IssuerKeys {
  readonly root: Signer;
  readonly certificateIdCipher: CertificateIdCipher;
  /** 32 bytes: authenticates the server's nonces. */
  readonly nonceSecret: Uint8Array;
  all(): readonly IssuerKey[];
  /** The key that signs now. @throws KeyFileError ISSUER_KEY_EXPIRED */
  active(now: number): IssuerKey;
  byId(keyId: KeyId): IssuerKey | undefined;
  /** Adds a key that takes over after the overlap; the ones before it stay valid for what they signed until then. */
  rotate(input: { readonly now: number; readonly overlapSeconds: number }): Promise<void>;
}

/** Five years: longer than any certificate by far, so that rotation is a choice and never an emergency. */
const ISSUER_KEY_VALIDITY_SECONDS = 5 * 366 * 86_400;
const CERTIFICATE_ID_KEY_BYTES = 16;
const NONCE_SECRET_BYTES = 32;

const KeyRow = Type.Object({
  pkcs8: Type.String(),
  validFrom: Type.Integer(),
  validUntil: Type.Integer(),
  signsFrom: Type.Integer(),
});
const Content = Type.Object({
  root: Type.String(),
  certificateIdKey: Type.String(),
  nonceSecret: Type.String(),
  issuerKeys: Type.Array(KeyRow, { minItems: 1 }),
});
type Content = Static<typeof Content>;
type KeyFile = { readonly path: string; readonly passphrase: string; readonly random: Random };

/**
 * Opens `keys/issuer-keys.json` in the data folder, or makes it when `mayCreate`.
 * @throws KeyFileError, see {@link KeyFileCode}
 */
export async function openIssuerKeys(input: {
  readonly dataFolder: string;
  readonly passphrase: string;
  readonly mayCreate: boolean;
  readonly now: number;
  readonly random: Random;
  readonly crypto: CryptoPort;
}): Promise<IssuerKeys> {
  const { passphrase, random, crypto, now } = input;
  const file: KeyFile = { path: join(input.dataFolder, "keys", "issuer-keys.json"), passphrase, random };
  const sealed = await readIfThere(file.path);
  if (sealed !== undefined) return keysOf(await readContent(sealed, passphrase), file, crypto);
  if (!input.mayCreate)
    throw new KeyFileError("KEY_FILE_MISSING", `There are accounts, but no keys for them in ${file.path}.`);
  const content = newContent(now, random);
  await writeContent(file, content);
  return keysOf(content, file, crypto);
}

function keysOf(first: Content, file: KeyFile, crypto: CryptoPort): IssuerKeys {
  let content = first;
  let keys = issuerKeysOf(content, crypto);
  return {
    root: signerOf(content.root),
    certificateIdCipher: certificateIdCipher(Buffer.from(content.certificateIdKey, "base64url")),
    nonceSecret: Buffer.from(content.nonceSecret, "base64url"),
    all: () => keys,
    byId: (keyId) => keys.find((key) => key.keyId === keyId),
    active: (now) => activeKey(keys, now),
    rotate: async ({ now, overlapSeconds }) => {
      const rotated = withNewKey(content, { now, signsFrom: now + overlapSeconds });
      await writeContent(file, rotated);
      content = rotated;
      keys = issuerKeysOf(content, crypto);
    },
  };
}

/** The youngest key whose turn has come. */
export function activeKey(keys: readonly IssuerKey[], now: number): IssuerKey {
  const ready = keys.filter((key) => key.signsFrom <= now && now < key.validUntil);
  const youngest = ready.reduce<IssuerKey | undefined>(
    (best, key) => (best === undefined || key.signsFrom >= best.signsFrom ? key : best),
    undefined,
  );
  if (youngest === undefined) throw new KeyFileError("ISSUER_KEY_EXPIRED", "No issuer key may sign now. Rotate.");
  return youngest;
}

/** Whether a certificate could be signed at this moment. */
export function canSign({ keys, clock }: { readonly keys: IssuerKeys; readonly clock: Clock }): boolean {
  try {
    keys.active(clock.nowSeconds());
    return true;
  } catch (error) {
    if (error instanceof KeyFileError) return false;
    throw error;
  }
}

function withNewKey(content: Content, at: { readonly now: number; readonly signsFrom: number }): Content {
  // The clock of the machine may be set back a little: what the old key signs until then must stay valid.
  const lastUse = at.signsFrom + CLOCK_SKEW_SECONDS;
  const before = content.issuerKeys.map((key) => ({ ...key, validUntil: Math.min(key.validUntil, lastUse) }));
  return { ...content, issuerKeys: [...before, newKeyRow(at)] };
}

function newContent(now: number, random: Random): Content {
  return {
    root: newPrivateKey(),
    certificateIdKey: base64url(random.bytes(CERTIFICATE_ID_KEY_BYTES)),
    nonceSecret: base64url(random.bytes(NONCE_SECRET_BYTES)),
    issuerKeys: [newKeyRow({ now, signsFrom: now })],
  };
}

function newKeyRow(at: { readonly now: number; readonly signsFrom: number }): Static<typeof KeyRow> {
  const validUntil = at.signsFrom + ISSUER_KEY_VALIDITY_SECONDS;
  return { pkcs8: newPrivateKey(), validFrom: at.now, validUntil, signsFrom: at.signsFrom };
}

const newPrivateKey = (): string => base64url(generateNodeSigner().privateKeyPkcs8);
const signerOf = (pkcs8: string): Signer => signerFromPkcs8(Buffer.from(pkcs8, "base64url"));

function issuerKeysOf(content: Content, crypto: CryptoPort): readonly IssuerKey[] {
  return content.issuerKeys.map(({ pkcs8, validFrom, validUntil, signsFrom }) => {
    const signer = signerOf(pkcs8);
    return { keyId: keyIdOf(signer.publicKey, crypto), signer, validFrom, validUntil, signsFrom };
  });
}

async function readContent(sealed: Uint8Array, passphrase: string): Promise<Content> {
  const content: unknown = JSON.parse(await unseal(new TextDecoder().decode(sealed), passphrase));
  if (!Value.Check(Content, content)) throw new KeyFileError("KEY_FILE_MALFORMED", "The key file lacks a key.");
  return content;
}

async function writeContent({ path, passphrase, random }: KeyFile, content: Content): Promise<void> {
  await writeDurably(path, await seal(JSON.stringify(content), passphrase, random));
}
