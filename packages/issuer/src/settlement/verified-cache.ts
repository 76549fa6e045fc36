import type { Refusal, Verified } from "@cairn/messages";
import { BytesCache } from "./bytes-cache.ts";

/**
 * Remembers which exact bytes were verified, signature included: an upload brings the same payee certificate with
 * every record, and a certificate with each of its payments. Refusals are not remembered.
 */
export class VerifiedCache<Content> {
  readonly #verified: BytesCache<Verified<Content>>;

  constructor(size: number) {
    this.#verified = new BytesCache(size);
  }

  /** The remembered message, or at once what `verify` gives. A promise only when something has to be verified. */
  get(
    bytes: Uint8Array,
    verify: () => Promise<Verified<Content> | Refusal>,
  ): Verified<Content> | Promise<Verified<Content> | Refusal> {
    return this.#verified.get(bytes) ?? this.#verify(bytes, verify);
  }

  /** After a change of the trusted keys what was verified before must be verified again. */
  clear(): void {
    this.#verified.clear();
  }

  async #verify(
    bytes: Uint8Array,
    verify: () => Promise<Verified<Content> | Refusal>,
  ): Promise<Verified<Content> | Refusal> {
    const verified = await verify();
    if ("content" in verified) this.#verified.set(bytes, verified);
    return verified;
  }
}
