import { join } from "node:path";
import type { CryptoPort } from "@cairn/cose";
import {
  type IssuerId,
  KEY_USE,
  keyIdOf,
  restoreVerified,
  signMessage,
  type TrustAnchors,
  type TrustedKey,
  type TrustList,
  trustAnchors,
  trustList,
  type Verified,
} from "@cairn/messages";
import { readIfThere, writeDurably } from "../keys/durable-file.ts";
import type { IssuerKey, IssuerKeys } from "../keys/issuer-keys.ts";
import { ServiceError } from "../services/service-error.ts";
import { judgeBrought } from "./judge-brought.ts";
import { settlementAnchorsOf } from "./settlement-anchors.ts";

/** A device without any network relies on a list for this long. */
export const TRUST_LIST_VALIDITY_SECONDS = 30 * 86_400;
/** A list with less than this left is followed by a new one, so that every device that comes by takes home almost all of the validity. */
const RENEW_BELOW_SECONDS = 23 * 86_400;
export const ALL_KEY_USES = KEY_USE.userCertificates + KEY_USE.payeeCertificates + KEY_USE.statusLists;

export type IssuerIdentity = { readonly issuerId: IssuerId; readonly issuerName: string; readonly issuerUrl: string };
export type PublishedTrustList = {
  readonly list: Verified<TrustList>;
  readonly anchors: TrustAnchors;
  /** What this server itself goes by when it settles: settlement-anchors.ts. */
  readonly settlementAnchors: TrustAnchors;
};

/** Where the list last published is kept: durable, whole or not at all, when `write` resolves. */
export type TrustListFile = {
  read(): Promise<Uint8Array | undefined>;
  write(bytes: Uint8Array): Promise<void>;
};

/** `keys/trust-list` in an issuer's data folder. */
export function trustListFile(dataFolder: string): TrustListFile {
  const path = join(dataFolder, "keys", "trust-list");
  return { read: () => readIfThere(path), write: (bytes) => writeDurably(path, bytes) };
}

/**
 * The root-signed list of trusted keys. Devices refuse another list of a version they hold, so each list is durable in
 * `keys/trust-list` before anyone sees it, and every change gets the next version. With the root key at hand the list
 * names this issuer's keys and is signed here; with an offline root it may name several issuers and is brought.
 */
export class TrustListPublisher {
  readonly #file: TrustListFile;
  readonly #identity: () => IssuerIdentity;
  readonly #keys: IssuerKeys;
  readonly #crypto: CryptoPort;
  #published: PublishedTrustList | undefined;
  /** Publishing one after the other: two at once would give one version twice. */
  #publishing: Promise<unknown> = Promise.resolve();

  constructor(input: {
    readonly file: TrustListFile;
    readonly identity: () => IssuerIdentity;
    readonly keys: IssuerKeys;
    readonly crypto: CryptoPort;
  }) {
    this.#file = input.file;
    this.#identity = input.identity;
    this.#keys = input.keys;
    this.#crypto = input.crypto;
  }

  /** The list last published. @throws ServiceError TRUST_LIST_MISSING before the first one. */
  current(): PublishedTrustList {
    if (this.#published === undefined) throw new ServiceError("TRUST_LIST_MISSING");
    return this.#published;
  }

  /** As `current`, undefined before the first list. */
  published(): PublishedTrustList | undefined {
    return this.#published;
  }

  identity(): IssuerIdentity {
    return this.#identity();
  }

  /** Whether devices can be served: there is a list, and it has not expired. */
  isUsable(now: number): boolean {
    return this.#published !== undefined && now <= this.#published.list.content.expiresAt;
  }

  /** How this issuer's keys are to stand in a trust list, withdrawn ones left out. */
  ownEntries(): readonly TrustedKey[] {
    return trustedKeysOf(this.#keys.all(), this.#identity()).filter((_key, at) => !isWithdrawn(this.#keys.all()[at]));
  }

  /**
   * Publishes a new list when the keys or the issuer's address changed or the old list grows stale. With an offline root
   * it only takes up the list that was brought last. Gives whether another list is out now.
   */
  refresh(now: number): Promise<boolean> {
    return this.#oneByOne(() => this.#refresh(now));
  }

  /** Takes up the list that lies in the data folder, published by another process. */
  follow(): Promise<void> {
    return this.#oneByOne(async () => {
      const stored = await this.#stored();
      if (stored !== undefined) this.#publish(stored);
    });
  }

  /**
   * Takes a list that the offline root signed: genuine, newer than the one held, not expired, and naming a key of ours.
   * The same one again changes nothing. @throws ServiceError TRUST_LIST_REFUSED with the reason's code as detail.
   */
  bring(bytes: Uint8Array, now: number): Promise<void> {
    return this.#oneByOne(async () => {
      const held = this.#published?.list ?? (await this.#stored());
      const list = await judgeBrought(bytes, { keys: this.#keys, crypto: this.#crypto, held, now });
      await this.#file.write(list.bytes);
      this.#publish(list);
    });
  }

  #oneByOne<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#publishing.then(work);
    this.#publishing = done.catch(() => undefined);
    return done;
  }

  async #refresh(now: number): Promise<boolean> {
    const last = this.#published?.list ?? (await this.#stored());
    const signer = this.#keys.rootSigner;
    const keys = this.ownEntries();
    const isGood =
      signer === undefined ||
      (last !== undefined && last.content.expiresAt - now >= RENEW_BELOW_SECONDS && sameKeys(last.content.keys, keys));
    if (isGood) {
      if (last !== undefined) this.#publish(last);
      return false;
    }
    const content: TrustList = {
      rootKeyId: keyIdOf(this.#keys.rootKey, this.#crypto),
      issuedAt: now,
      expiresAt: now + TRUST_LIST_VALIDITY_SECONDS,
      version: (last?.content.version ?? 0) + 1,
      keys,
    };
    const list = await signMessage(trustList, content, { signer, crypto: this.#crypto });
    await this.#file.write(list.bytes);
    this.#publish(list);
    return true;
  }

  /** The anchors stay the same object while nothing changes: who caches what was verified goes by that. */
  #publish(list: Verified<TrustList>): void {
    const own = trustedKeysOf(this.#keys.all(), this.#identity());
    const published = this.#published;
    const anchors = published?.list.messageId === list.messageId ? published.anchors : trustAnchors(list, this.#crypto);
    const settlementAnchors = settlementAnchorsOf(anchors, own, this.#crypto);
    if (published?.anchors === anchors && sameKeys(keysOf(published.settlementAnchors), keysOf(settlementAnchors)))
      return;
    this.#published = { list, anchors, settlementAnchors };
    const { issuerId } = this.#identity();
    this.#keys.announce(
      new Map(
        list.content.keys
          .filter((key) => key.issuerId === issuerId)
          .map((key) => [keyIdOf(key.key, this.#crypto), key]),
      ),
    );
  }

  async #stored(): Promise<Verified<TrustList> | undefined> {
    const bytes = await this.#file.read();
    return bytes === undefined ? undefined : restoreVerified(trustList, bytes, this.#crypto);
  }
}

/** What the list in the data folder calls this issuer. @throws ServiceError TRUST_LIST_MISSING before the first one. */
export async function readIdentity(dataFolder: string, keys: IssuerKeys, crypto: CryptoPort): Promise<IssuerIdentity> {
  const bytes = await trustListFile(dataFolder).read();
  const own = new Set(keys.all().map(({ keyId }) => keyId));
  const entry =
    bytes === undefined
      ? undefined
      : restoreVerified(trustList, bytes, crypto).content.keys.find(({ key }) => own.has(keyIdOf(key, crypto)));
  if (entry === undefined) throw new ServiceError("TRUST_LIST_MISSING");
  const { issuerId, issuerName, issuerUrl } = entry;
  return { issuerId, issuerName, issuerUrl };
}

const isWithdrawn = (key: IssuerKey | undefined): boolean => key?.withdrawnAt !== undefined;
const keysOf = (anchors: TrustAnchors): readonly TrustedKey[] => [...anchors.keysById.values()].flat();

function trustedKeysOf(keys: readonly IssuerKey[], identity: IssuerIdentity): readonly TrustedKey[] {
  return keys.map(({ signer, validFrom, validUntil }) => ({
    ...identity,
    key: signer.publicKey,
    validFrom,
    validUntil,
    uses: ALL_KEY_USES,
  }));
}

function sameKeys(left: readonly TrustedKey[], right: readonly TrustedKey[]): boolean {
  return factsOf(left) === factsOf(right);
}

function factsOf(keys: readonly TrustedKey[]): string {
  return JSON.stringify(
    keys.map(({ key, ...rest }) => [Array.from(key.x), key.yIsOdd, ...Object.entries(rest).sort(byName)]),
  );
}

const byName = ([left]: [string, unknown], [right]: [string, unknown]): number => (left < right ? -1 : 1);
