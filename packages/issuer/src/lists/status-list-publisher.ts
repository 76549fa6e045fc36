import type { CryptoPort } from "@cairn/cose";
import { type StatusList, signMessage, statusBits, statusList, type Verified } from "@cairn/messages";
import type { IssuerStore } from "@cairn/stores";
import type { IssuerKeys } from "../keys/issuer-keys.ts";

/** A device holds a list for as long as its payee certificate allows; this only bounds how long a stolen copy passes for fresh. */
const STATUS_LIST_VALIDITY_SECONDS = 7 * 86_400;
/** How often a device that can should ask for a new one. */
const TIME_TO_LIVE_SECONDS = 3_600;
/** Another process may have withdrawn something: the store is asked again when the last look is older than this. */
const LOOK_AFTER_SECONDS = 60;
/** Re-signed when older than this even if nothing changed, so that every device takes home a fresh date. */
const RESIGN_AFTER_SECONDS = 600;
/**
 * The least that a terminal may go by one list. A list may be ten minutes old from the start, and a terminal that is
 * online asks each hour: below that it would refuse payments in between, though it has what there is.
 */
export const MINIMUM_OFFLINE_SECONDS = TIME_TO_LIVE_SECONDS;

/** The list's length is rounded up to this many certificates (1 kB of bits), so that it does not tell how many were issued today. */
const SIZE_MULTIPLE = 8_192;

/** Expired certificates are refused anyway; the margin is for terminals whose clock is behind. */
const EXPIRED_STAY_SECONDS = 2 * 86_400;

type Withdrawn = { readonly revoked: readonly number[]; readonly size: number };
type Signed = {
  readonly list: Verified<StatusList>;
  /** What it says, as the store told it. */
  readonly withdrawn: Withdrawn;
};

/** The issuer-signed list of withdrawn certificates, signed anew when one is withdrawn and by schedule. */
export class StatusListPublisher {
  readonly #uri: () => string;
  readonly #store: Pick<IssuerStore, "revokedIndices">;
  readonly #keys: IssuerKeys;
  readonly #crypto: CryptoPort;
  #published: Signed | undefined;
  /** When the store was last asked. */
  #lookedAt = 0;
  #stale = true;
  #looking: Promise<Verified<StatusList>> | undefined;

  constructor(input: {
    readonly uri: () => string;
    readonly store: Pick<IssuerStore, "revokedIndices">;
    readonly keys: IssuerKeys;
    readonly crypto: CryptoPort;
  }) {
    this.#uri = input.uri;
    this.#store = input.store;
    this.#keys = input.keys;
    this.#crypto = input.crypto;
  }

  /** Something was withdrawn, or the signing key changed: the next reader gets a new list. */
  markChanged(): void {
    this.#stale = true;
  }

  /** A list that names everything withdrawn up to a minute ago, and by this process up to now; at most ten minutes old. */
  async current(now: number): Promise<Verified<StatusList>> {
    // What is being looked at may have been read from the store before the change that this caller wants to see.
    while (this.#looking !== undefined) await this.#looking;
    const list = this.#published?.list;
    const isFresh =
      !this.#stale &&
      now - this.#lookedAt < LOOK_AFTER_SECONDS &&
      now - (list?.content.issuedAt ?? 0) < RESIGN_AFTER_SECONDS;
    if (list !== undefined && isFresh) return list;
    this.#looking = this.#look(now).finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(now: number): Promise<Verified<StatusList>> {
    const isAsked = this.#stale;
    this.#stale = false;
    try {
      const withdrawn = await this.#store.revokedIndices({ expiresFrom: now - EXPIRED_STAY_SECONDS });
      const published = this.#published;
      const isNews =
        isAsked ||
        published === undefined ||
        now - published.list.content.issuedAt >= RESIGN_AFTER_SECONDS ||
        published.list.content.issuerKeyId !== this.#keys.active(now).keyId ||
        !saysTheSame(published.withdrawn, withdrawn);
      this.#published = isNews ? { list: await this.#sign(withdrawn, now), withdrawn } : published;
      this.#lookedAt = now;
      return this.#published.list;
    } catch (error) {
      this.#stale = true;
      throw error;
    }
  }

  #sign({ revoked, size }: Withdrawn, now: number): Promise<Verified<StatusList>> {
    const { keyId, signer } = this.#keys.active(now);
    const content: StatusList = {
      issuerKeyId: keyId,
      uri: this.#uri(),
      // Devices refuse a list that is older than the one they hold: a clock set back must not make one.
      issuedAt: Math.max(now, this.#published?.list.content.issuedAt ?? 0),
      expiresAt: now + STATUS_LIST_VALIDITY_SECONDS,
      timeToLiveSeconds: TIME_TO_LIVE_SECONDS,
      bits: statusBits({ size: paddedSize(size), revoked }),
    };
    return signMessage(statusList, content, { signer, crypto: this.#crypto });
  }
}

const paddedSize = (size: number): number => Math.max(1, Math.ceil(size / SIZE_MULTIPLE)) * SIZE_MULTIPLE;

function saysTheSame(left: Withdrawn, right: Withdrawn): boolean {
  return (
    paddedSize(left.size) === paddedSize(right.size) &&
    left.revoked.length === right.revoked.length &&
    left.revoked.every((index, place) => index === right.revoked[place])
  );
}
