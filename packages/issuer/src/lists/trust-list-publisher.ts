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
import type { IssuerKeys } from "../keys/issuer-keys.ts";

/** A device without any network relies on a list for this long. */
const TRUST_LIST_VALIDITY_SECONDS = 30 * 86_400;
/** A list with less than this left is followed by a new one, so that every device that comes by takes home almost all of the validity. */
const RENEW_BELOW_SECONDS = 23 * 86_400;
const ALL_USES = KEY_USE.userCertificates + KEY_USE.payeeCertificates + KEY_USE.statusLists;

export type IssuerIdentity = { readonly issuerId: IssuerId; readonly issuerName: string; readonly issuerUrl: string };
export type PublishedTrustList = { readonly list: Verified<TrustList>; readonly anchors: TrustAnchors };

/**
 * The root-signed list of this issuer's keys. Devices refuse another list of a version they hold, so each list is
 * durable in `keys/trust-list` before anyone sees it, and every change gets the next version.
 */
export class TrustListPublisher {
  readonly #path: string;
  readonly #identity: () => IssuerIdentity;
  readonly #keys: IssuerKeys;
  readonly #crypto: CryptoPort;
  #published: PublishedTrustList | undefined;
  /** Publishing one after the other: two at once would give one version twice. */
  #publishing: Promise<unknown> = Promise.resolve();

  constructor(input: {
    readonly dataFolder: string;
    readonly identity: () => IssuerIdentity;
    readonly keys: IssuerKeys;
    readonly crypto: CryptoPort;
  }) {
    this.#path = join(input.dataFolder, "keys", "trust-list");
    this.#identity = input.identity;
    this.#keys = input.keys;
    this.#crypto = input.crypto;
  }

  /** The list last published. @throws Error before the first `refresh`. */
  current(): PublishedTrustList {
    if (this.#published === undefined) throw new Error("No trust list has been published yet.");
    return this.#published;
  }

  /** Publishes a new list when the keys or the issuer's address changed or the old list grows stale. Gives whether it did. */
  refresh(now: number): Promise<boolean> {
    const refreshed = this.#publishing.then(() => this.#refresh(now));
    this.#publishing = refreshed.catch(() => undefined);
    return refreshed;
  }

  async #refresh(now: number): Promise<boolean> {
    const last = this.#published?.list ?? (await this.#stored());
    const keys = this.#trustedKeys();
    if (
      last !== undefined &&
      last.content.expiresAt - now >= RENEW_BELOW_SECONDS &&
      sameKeys(last.content.keys, keys)
    ) {
      this.#published ??= { list: last, anchors: trustAnchors(last, this.#crypto) };
      return false;
    }
    const content: TrustList = {
      rootKeyId: keyIdOf(this.#keys.root.publicKey, this.#crypto),
      issuedAt: now,
      expiresAt: now + TRUST_LIST_VALIDITY_SECONDS,
      version: (last?.content.version ?? 0) + 1,
      keys,
    };
    const list = await signMessage(trustList, content, { signer: this.#keys.root, crypto: this.#crypto });
    await writeDurably(this.#path, list.bytes);
    this.#published = { list, anchors: trustAnchors(list, this.#crypto) };
    return true;
  }

  #trustedKeys(): readonly TrustedKey[] {
    const identity = this.#identity();
    return this.#keys.all().map(({ signer, validFrom, validUntil }) => ({
      ...identity,
      key: signer.publicKey,
      validFrom,
      validUntil,
      uses: ALL_USES,
    }));
  }

  async #stored(): Promise<Verified<TrustList> | undefined> {
    const bytes = await readIfThere(this.#path);
    return bytes === undefined ? undefined : restoreVerified(trustList, bytes, this.#crypto);
  }
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
