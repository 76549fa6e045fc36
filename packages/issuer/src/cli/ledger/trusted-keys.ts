import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CodedError, type CryptoPort, decodeCbor, type P256PublicKey, publicKeyFromCbor } from "@cairn/cose";
import {
  decodeMessage,
  type KeyId,
  keyIdOf,
  restoreVerified,
  type TrustAnchors,
  type TrustedKey,
  type TrustList,
  trustList,
  type Verified,
  verifyMessage,
} from "@cairn/messages";
import { VerificationPool } from "../../settlement/verification-pool.ts";
import { CommandError, EXIT } from "../outcome.ts";

export type TrustedKeysOptions = {
  readonly data: string;
  readonly trustList?: readonly string[];
  readonly rootKey?: string;
};

/**
 * The keys of all lists together, and threads to verify with, to be closed. Of lists without a root key to hold them
 * against it counts that the auditor has brought them: best from elsewhere than the machine that is audited.
 * @throws CommandError TRUST_LIST_UNREADABLE, ROOT_KEY_UNREADABLE
 */
export async function keysForAudit(
  { data, trustList: files = [join(data, "keys", "trust-list")], rootKey }: TrustedKeysOptions,
  crypto: CryptoPort,
): Promise<{ readonly anchors: TrustAnchors; readonly checker: VerificationPool }> {
  const root = rootKey === undefined ? undefined : await readRootKey(rootKey);
  const lists: Verified<TrustList>[] = [];
  for (const file of files) lists.push(await readList(file, root, crypto));
  const keysById = new Map<KeyId, TrustedKey[]>();
  for (const trusted of lists.flatMap(({ content }) => content.keys)) {
    const keyId = keyIdOf(trusted.key, crypto);
    keysById.set(keyId, [...(keysById.get(keyId) ?? []), trusted]);
  }
  const [list] = lists;
  if (list === undefined) throw unreadable("TRUST_LIST_UNREADABLE", "No trust list was named.");
  return { anchors: { list, keysById }, checker: new VerificationPool() };
}

async function readList(
  file: string,
  root: P256PublicKey | undefined,
  crypto: CryptoPort,
): Promise<Verified<TrustList>> {
  const bytes = await read(file, "TRUST_LIST_UNREADABLE");
  try {
    return root === undefined
      ? restoreVerified(trustList, bytes, crypto)
      : await verifyMessage(decodeMessage(trustList, bytes, crypto), { key: root, crypto });
  } catch (error) {
    if (error instanceof CodedError)
      throw unreadable(
        "TRUST_LIST_UNREADABLE",
        `${file} is no trust list${root === undefined ? "" : " of this root"}.`,
      );
    throw error;
  }
}

async function readRootKey(file: string): Promise<P256PublicKey> {
  const text = Buffer.from(await read(file, "ROOT_KEY_UNREADABLE"))
    .toString("utf8")
    .trim();
  try {
    return publicKeyFromCbor(decodeCbor(new Uint8Array(Buffer.from(text, "hex"))));
  } catch (error) {
    if (error instanceof CodedError) throw unreadable("ROOT_KEY_UNREADABLE", `${file} is no root's public key.`);
    throw error;
  }
}

async function read(file: string, code: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(file));
  } catch {
    throw unreadable(code, `There is no file ${file} that may be read.`);
  }
}

const unreadable = (code: string, sentence: string): CommandError =>
  new CommandError({
    code,
    sentence,
    next: "The trust list lies in keys/trust-list of the issuer's data folder, or comes from: cairn root sign.",
    exitCode: EXIT.usage,
  });
