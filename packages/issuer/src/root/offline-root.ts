import { join } from "node:path";
import { type CryptoPort, decodeCbor, encodeCbor, publicKeyFromCbor, publicKeyToCbor, type Signer } from "@cairn/cose";
import { generateNodeSigner, signerFromPkcs8 } from "@cairn/cose/node";
import {
  type IssuerId,
  type KeyId,
  keyIdOf,
  restoreVerified,
  signMessage,
  type TrustedKey,
  type TrustList,
  toHex,
  trustList,
  type Verified,
} from "@cairn/messages";
import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { KeyStatement } from "../api/operator-api.ts";
import { base64url } from "../api/wire.ts";
import { readIfThere, writeDurably } from "../keys/durable-file.ts";
import { seal, unseal } from "../keys/sealed-box.ts";
import type { Random } from "../ports.ts";
import { RootError } from "./root-error.ts";

/**
 * The root of trust, in a folder of its own that needs no network and no issuer: the sealed root key, the list signed
 * last, and the keys that were withdrawn. Kept on a machine that is switched off most of the year, it decides which
 * issuers devices trust; issuers' servers hold its public key alone.
 */
export type OfflineRoot = {
  readonly rootKey: Uint8Array;
  /** The list signed last; undefined before the first one. */
  readonly last: Verified<TrustList> | undefined;
  /**
   * Signs the next list: a statement's keys replace all that its issuer had; other issuers' stay. Without statements the
   * same keys are signed for another while. @throws RootError ROOT_KEYS_NONE, ROOT_KEY_WITHDRAWN, ROOT_STATEMENT_MALFORMED
   */
  sign(input: {
    readonly statements: readonly KeyStatement[];
    readonly validitySeconds: number;
    readonly now: number;
  }): Promise<Verified<TrustList>>;
  /** Signs the next list without a key, for ever. @throws RootError ROOT_KEY_UNKNOWN, ROOT_KEYS_NONE */
  withdraw(
    keyId: KeyId,
    input: { readonly validitySeconds: number; readonly now: number },
  ): Promise<Verified<TrustList>>;
};

type Folder = { readonly path: string; readonly passphrase: string; readonly crypto: CryptoPort };

const Content = Type.Object({ root: Type.String() });
const Withdrawn = Type.Array(Type.String({ pattern: "^[0-9a-f]+$" }));

/** Makes the root key. @throws RootError ROOT_EXISTS; KeyFileError PASSPHRASE_TOO_SHORT */
export async function createOfflineRoot({
  random,
  ...folder
}: Folder & { readonly random: Random }): Promise<OfflineRoot> {
  if ((await readIfThere(keyFile(folder.path))) !== undefined)
    throw new RootError("ROOT_EXISTS", `There is a root key in ${folder.path} already.`);
  const root = base64url(generateNodeSigner().privateKeyPkcs8);
  await writeDurably(keyFile(folder.path), await seal(JSON.stringify({ root }), folder.passphrase, random));
  return openOfflineRoot(folder);
}

/** @throws RootError ROOT_MISSING; KeyFileError KEY_FILE_PASSPHRASE_WRONG, KEY_FILE_MALFORMED */
export async function openOfflineRoot(folder: Folder): Promise<OfflineRoot> {
  const { crypto } = folder;
  const signer = await readKey(folder);
  const bytes = await readIfThere(join(folder.path, "trust-list"));
  const last = bytes === undefined ? undefined : restoreVerified(trustList, bytes, crypto);
  const withdrawn = await readWithdrawn(folder.path);

  async function signNext(keys: readonly TrustedKey[], at: { validitySeconds: number; now: number }) {
    if (keys.length === 0) throw new RootError("ROOT_KEYS_NONE", "A trust list without a key would stop everybody.");
    const issuedAt = Math.max(at.now, last?.content.issuedAt ?? 0);
    const content: TrustList = {
      rootKeyId: keyIdOf(signer.publicKey, crypto),
      issuedAt,
      expiresAt: issuedAt + at.validitySeconds,
      version: (last?.content.version ?? 0) + 1,
      keys,
    };
    const list = await signMessage(trustList, content, { signer, crypto });
    // Durable before anybody sees it: two lists of one version would split the devices.
    await writeDurably(join(folder.path, "trust-list"), list.bytes);
    return list;
  }

  return {
    rootKey: encodeCbor(publicKeyToCbor(signer.publicKey)),
    last,
    sign: async ({ statements, ...at }) => {
      const added = statements.flatMap(entriesOf);
      const gone = added.find((entry) => withdrawn.has(nameOf(entry)));
      if (gone !== undefined)
        throw new RootError("ROOT_KEY_WITHDRAWN", `Key ${keyIdOf(gone.key, crypto)} was withdrawn and cannot return.`);
      const replaced = new Set<string>(statements.map(({ issuerId }) => issuerId));
      const kept = (last?.content.keys ?? []).filter(({ issuerId }) => !replaced.has(issuerId));
      return signNext([...kept, ...added], at);
    },
    withdraw: async (keyId, at) => {
      const keys = last?.content.keys ?? [];
      const gone = keys.filter(({ key }) => keyIdOf(key, crypto) === keyId);
      if (gone.length === 0) throw new RootError("ROOT_KEY_UNKNOWN", `The last trust list names no key ${keyId}.`);
      const left = keys.filter((entry) => !gone.includes(entry));
      if (left.length === 0) throw new RootError("ROOT_KEYS_NONE", "It is the only key: add its successor first.");
      // Remembered first: after a crash in between the key is withdrawn once more, and never comes back.
      await writeWithdrawn(folder.path, [...withdrawn, ...gone.map(nameOf)]);
      return signNext(left, at);
    },
  };
}

const keyFile = (path: string): string => join(path, "root-key.json");
const nameOf = ({ key }: TrustedKey): string => toHex(encodeCbor(publicKeyToCbor(key)));

async function readKey({ path, passphrase }: Folder): Promise<Signer> {
  const sealed = await readIfThere(keyFile(path));
  if (sealed === undefined) throw new RootError("ROOT_MISSING", `There is no root key in ${path}.`);
  const content: unknown = JSON.parse(await unseal(new TextDecoder().decode(sealed), passphrase));
  if (!Value.Check(Content, content)) throw new RootError("ROOT_MISSING", "The key file holds no root key.");
  return signerFromPkcs8(Buffer.from(content.root, "base64url"));
}

async function readWithdrawn(path: string): Promise<ReadonlySet<string>> {
  const bytes = await readIfThere(join(path, "withdrawn.json"));
  if (bytes === undefined) return new Set();
  return new Set(Value.Decode(Withdrawn, JSON.parse(new TextDecoder().decode(bytes))));
}

const writeWithdrawn = (path: string, names: readonly string[]): Promise<void> =>
  writeDurably(join(path, "withdrawn.json"), `${JSON.stringify([...new Set(names)], undefined, 2)}\n`);

function entriesOf({ issuerId, issuerName, issuerUrl, keys }: KeyStatement): readonly TrustedKey[] {
  try {
    return keys.map(({ key, ...rest }) => ({
      issuerId: issuerId as IssuerId,
      issuerName,
      issuerUrl,
      key: publicKeyFromCbor(decodeCbor(key)),
      ...rest,
    }));
  } catch (cause) {
    throw new RootError("ROOT_STATEMENT_MALFORMED", "A statement holds something that is no key.", { cause });
  }
}
