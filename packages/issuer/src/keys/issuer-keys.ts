import { join } from "node:path";
import {
  type CryptoPort,
  decodeCbor,
  type P256PublicKey,
  publicKeyFromCbor,
  publicKeysEqual,
  type Signer,
} from "@cairn/cose";
import { generateNodeSigner, signerFromPkcs8 } from "@cairn/cose/node";
import type { CertificateIdCipher } from "@cairn/issue";
import { CLOCK_SKEW_SECONDS, type KeyId, keyIdOf } from "@cairn/messages";
import type { LedgerHead } from "@cairn/stores";
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
  /** Since when nobody may trust it any more: it was compromised. It never signs again and leaves the trust list. */
  readonly withdrawnAt: number | undefined;
};

export type AnnouncedKeys = ReadonlyMap<KeyId, { readonly validUntil: number }>;

/** Everything secret that the issuer's server needs. */
export interface IssuerKeys {
  /** What devices pin. */
  readonly rootKey: P256PublicKey;
  /** Undefined when the root key is kept offline: then trust lists are brought to the server, signed. */
  readonly rootSigner: Signer | undefined;
  readonly certificateIdCipher: CertificateIdCipher;
  /** Its key, for threads that need a cipher of their own. */
  readonly certificateIdKey: Uint8Array;
  /** 32 bytes: authenticates the server's nonces. */
  readonly nonceSecret: Uint8Array;
  /** Every key there ever was, withdrawn ones included: what they signed before is still looked at. */
  all(): readonly IssuerKey[];
  /** Which keys the published trust list names, and until when: from then on no other key signs, as no device would know it. */
  announce(keys: AnnouncedKeys): void;
  /** The key that signs now. @throws KeyFileError ISSUER_KEY_EXPIRED */
  active(now: number): IssuerKey;
  byId(keyId: KeyId): IssuerKey | undefined;
  /** Takes up what another process changed in the key file. Gives whether it changed. */
  follow(): Promise<boolean>;
  /** Adds a key that takes over after the overlap; the ones before it stay valid for what they signed until then. */
  rotate(input: { readonly now: number; readonly overlapSeconds: number }): Promise<void>;
  /** Marks a compromised key; when no other could sign, a new one is made that signs at once. */
  withdraw(keyId: KeyId, now: number): Promise<"withdrawn" | "repeated" | "unknown-key">;
}

/** Since when an audit wants the issuer's seal on entries that settle no payment. */
export interface Sealing {
  /**
   * The newest entry of each partition when sealing began, hash included: entries behind them that settle no payment must
   * bear their seal. Kept here, where whoever may write into the database cannot reach. Undefined: it has not begun.
   */
  sealedFrom(): readonly LedgerHead[] | undefined;
  /** From these on. Begins it anew where it had begun. */
  sealFrom(heads: readonly LedgerHead[]): Promise<void>;
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
  withdrawnAt: Type.Optional(Type.Integer()),
});
const Head = Type.Object({ partition: Type.Integer(), entryId: Type.Integer(), hash: Type.String() });
const Content = Type.Object({
  /** The root's private key, or only its public one, an encoded COSE_Key, when the root is kept offline. */
  root: Type.Optional(Type.String()),
  offlineRoot: Type.Optional(Type.String()),
  certificateIdKey: Type.String(),
  nonceSecret: Type.String(),
  issuerKeys: Type.Array(KeyRow, { minItems: 1 }),
  sealedFrom: Type.Optional(Type.Array(Head)),
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
  /** Encoded COSE_Key of a root that is kept offline. It cannot be changed later: devices have pinned it. */
  readonly offlineRoot?: Uint8Array | undefined;
}): Promise<IssuerKeys & Sealing> {
  const { passphrase, random, crypto, now, offlineRoot } = input;
  const file: KeyFile = { path: join(input.dataFolder, "keys", "issuer-keys.json"), passphrase, random };
  const sealed = await readIfThere(file.path);
  if (sealed !== undefined) {
    const keys = keysOf(await readContent(sealed, passphrase), file, crypto);
    if (offlineRoot !== undefined && !publicKeysEqual(keys.rootKey, rootKeyOf(offlineRoot)))
      throw new KeyFileError("ROOT_KEY_DIFFERS", "This issuer's devices have pinned another root key.");
    return keys;
  }
  if (!input.mayCreate)
    throw new KeyFileError("KEY_FILE_MISSING", `There are accounts, but no keys for them in ${file.path}.`);
  const content = newContent(now, random, offlineRoot);
  await writeContent(file, content);
  return keysOf(content, file, crypto);
}

function keysOf(first: Content, file: KeyFile, crypto: CryptoPort): IssuerKeys & Sealing {
  let content = first;
  let keys = issuerKeysOf(content, crypto);
  let announced: AnnouncedKeys | undefined;
  /** The key file as it was last followed: opening it takes long by intent. */
  let sealed: string | undefined;
  async function change(changed: Content): Promise<void> {
    await writeContent(file, changed);
    content = changed;
    keys = issuerKeysOf(content, crypto);
  }
  return {
    ...rootOf(content),
    certificateIdCipher: certificateIdCipher(Buffer.from(content.certificateIdKey, "base64url")),
    certificateIdKey: Buffer.from(content.certificateIdKey, "base64url"),
    nonceSecret: Buffer.from(content.nonceSecret, "base64url"),
    sealedFrom: () => content.sealedFrom,
    sealFrom: (heads) => change({ ...content, sealedFrom: [...heads] }),
    all: () => keys,
    byId: (keyId) => keys.find((key) => key.keyId === keyId),
    announce: (named) => {
      announced = named;
    },
    active: (now) => activeKey(keys, now, announced),
    follow: async () => {
      const stored = await readIfThere(file.path);
      const text = stored === undefined ? sealed : new TextDecoder().decode(stored);
      if (stored === undefined || text === sealed) return false;
      content = await readContent(stored, file.passphrase);
      keys = issuerKeysOf(content, crypto);
      const isNew = sealed !== undefined;
      sealed = text;
      return isNew;
    },
    rotate: ({ now, overlapSeconds }) => change(withNewKey(content, { now, signsFrom: now + overlapSeconds })),
    withdraw: async (keyId, now) => {
      const at = keys.findIndex((key) => key.keyId === keyId);
      if (at < 0) return "unknown-key";
      if (keys[at]?.withdrawnAt !== undefined) return "repeated";
      const issuerKeys = content.issuerKeys.map((row, index) => (index === at ? { ...row, withdrawnAt: now } : row));
      const canGoOn = issuerKeys.some((row) => row.withdrawnAt === undefined && isReady(row, now));
      await change({
        ...content,
        issuerKeys: canGoOn ? issuerKeys : [...issuerKeys, newKeyRow({ now, signsFrom: now })],
      });
      return "withdrawn";
    },
  };
}

function rootOf({ root, offlineRoot }: Content): Pick<IssuerKeys, "rootKey" | "rootSigner"> {
  if (root !== undefined) {
    const rootSigner = signerOf(root);
    return { rootKey: rootSigner.publicKey, rootSigner };
  }
  if (offlineRoot === undefined) throw new KeyFileError("KEY_FILE_MALFORMED", "The key file lacks the root key.");
  return { rootKey: rootKeyOf(Buffer.from(offlineRoot, "base64url")), rootSigner: undefined };
}

/** @throws KeyFileError ROOT_KEY_MALFORMED */
function rootKeyOf(bytes: Uint8Array): P256PublicKey {
  try {
    return publicKeyFromCbor(decodeCbor(new Uint8Array(bytes)));
  } catch (cause) {
    throw new KeyFileError("ROOT_KEY_MALFORMED", "This is not a root key.", { cause });
  }
}

const isReady = (key: Pick<IssuerKey, "signsFrom" | "validUntil">, now: number): boolean =>
  key.signsFrom <= now && now < key.validUntil;

/** The youngest key whose turn has come, of those that devices can know. */
export function activeKey(keys: readonly IssuerKey[], now: number, announced?: AnnouncedKeys): IssuerKey {
  const ready = keys.filter(({ keyId, signsFrom, validUntil, withdrawnAt }) => {
    // What devices go by is the list: an old key goes on signing until a list with its successor is there.
    const until = announced === undefined ? validUntil : (announced.get(keyId)?.validUntil ?? 0);
    return withdrawnAt === undefined && isReady({ signsFrom, validUntil: until }, now);
  });
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

function newContent(now: number, random: Random, offlineRoot: Uint8Array | undefined): Content {
  if (offlineRoot !== undefined) rootKeyOf(offlineRoot);
  return {
    ...(offlineRoot === undefined ? { root: newPrivateKey() } : { offlineRoot: base64url(offlineRoot) }),
    certificateIdKey: base64url(random.bytes(CERTIFICATE_ID_KEY_BYTES)),
    nonceSecret: base64url(random.bytes(NONCE_SECRET_BYTES)),
    issuerKeys: [newKeyRow({ now, signsFrom: now })],
    // Keys are made where there is no entry yet.
    sealedFrom: [],
  };
}

function newKeyRow(at: { readonly now: number; readonly signsFrom: number }): Static<typeof KeyRow> {
  const validUntil = at.signsFrom + ISSUER_KEY_VALIDITY_SECONDS;
  return { pkcs8: newPrivateKey(), validFrom: at.now, validUntil, signsFrom: at.signsFrom };
}

const newPrivateKey = (): string => base64url(generateNodeSigner().privateKeyPkcs8);
const signerOf = (pkcs8: string): Signer => signerFromPkcs8(Buffer.from(pkcs8, "base64url"));

function issuerKeysOf(content: Content, crypto: CryptoPort): readonly IssuerKey[] {
  return content.issuerKeys.map(({ pkcs8, validFrom, validUntil, signsFrom, withdrawnAt }) => {
    const signer = signerOf(pkcs8);
    return { keyId: keyIdOf(signer.publicKey, crypto), signer, validFrom, validUntil, signsFrom, withdrawnAt };
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
