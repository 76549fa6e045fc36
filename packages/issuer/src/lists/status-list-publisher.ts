import type { CryptoPort } from "@cairn/cose";
import { type StatusList, signMessage, statusBits, statusList, type Verified } from "@cairn/messages";
import type { IssuerStore } from "@cairn/stores";
import type { IssuerKeys } from "../keys/issuer-keys.ts";

/** A device holds a list for as long as its payee certificate allows; this only bounds how long a stolen copy passes for fresh. */
const STATUS_LIST_VALIDITY_SECONDS = 7 * 86_400;
/** How often a device that can should ask for a new one. */
const TIME_TO_LIVE_SECONDS = 3_600;
/** Re-signed when older than this even if nothing changed, so that every device takes home a fresh date. */
const RESIGN_AFTER_SECONDS = 60;
/** The list's length is rounded up to this many certificates (1 kB of bits), so that it does not tell how many were issued today. */
const SIZE_MULTIPLE = 8_192;

/** Expired certificates are refused anyway; the margin is for terminals whose clock is behind. */
const EXPIRED_STAY_SECONDS = 2 * 86_400;

/** The issuer-signed list of withdrawn certificates, signed anew when one is withdrawn and by schedule. */
export class StatusListPublisher {
  readonly #uri: () => string;
  readonly #store: Pick<IssuerStore, "revokedIndices">;
  readonly #keys: IssuerKeys;
  readonly #crypto: CryptoPort;
  #published: Verified<StatusList> | undefined;
  #stale = true;
  #signing: Promise<Verified<StatusList>> | undefined;

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

  /** A list that names everything withdrawn so far, at most a minute old. */
  async current(now: number): Promise<Verified<StatusList>> {
    // A list being signed may have been read from the store before the change that this caller wants to see in it.
    while (this.#signing !== undefined) await this.#signing;
    const published = this.#published;
    if (published !== undefined && !this.#stale && now - published.content.issuedAt < RESIGN_AFTER_SECONDS)
      return published;
    this.#signing = this.#sign(now).finally(() => {
      this.#signing = undefined;
    });
    return this.#signing;
  }

  async #sign(now: number): Promise<Verified<StatusList>> {
    this.#stale = false;
    try {
      const { revoked, size } = await this.#store.revokedIndices({ expiresFrom: now - EXPIRED_STAY_SECONDS });
      const padded = Math.max(1, Math.ceil(size / SIZE_MULTIPLE)) * SIZE_MULTIPLE;
      const { keyId, signer } = this.#keys.active(now);
      const content: StatusList = {
        issuerKeyId: keyId,
        uri: this.#uri(),
        // Devices refuse a list that is older than the one they hold: a clock set back must not make one.
        issuedAt: Math.max(now, this.#published?.content.issuedAt ?? 0),
        expiresAt: now + STATUS_LIST_VALIDITY_SECONDS,
        timeToLiveSeconds: TIME_TO_LIVE_SECONDS,
        bits: statusBits({ size: padded, revoked }),
      };
      this.#published = await signMessage(statusList, content, { signer, crypto: this.#crypto });
      return this.#published;
    } catch (error) {
      this.#stale = true;
      throw error;
    }
  }
}
