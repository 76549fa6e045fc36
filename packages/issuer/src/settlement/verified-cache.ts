import type { Decoded, Refusal, Verified } from "@cairn/messages";

/**
 * Remembers which decoded messages were verified, for as long as somebody keeps them decoded: equal certificates are
 * one decoded message (`DecodingCaches`), which an upload brings with every record. Refusals are not remembered.
 */
export class VerifiedCache<Content> {
  #verified = new WeakMap<Decoded<Content>, Verified<Content>>();

  /** The remembered message, or at once what `verify` gives. A promise only when something has to be verified. */
  get(
    decoded: Decoded<Content>,
    verify: () => Promise<Verified<Content> | Refusal>,
  ): Verified<Content> | Promise<Verified<Content> | Refusal> {
    return this.#verified.get(decoded) ?? this.#verify(decoded, verify);
  }

  /** After a change of the trusted keys what was verified before must be verified again. */
  clear(): void {
    this.#verified = new WeakMap();
  }

  async #verify(
    decoded: Decoded<Content>,
    verify: () => Promise<Verified<Content> | Refusal>,
  ): Promise<Verified<Content> | Refusal> {
    const verified = await verify();
    if ("content" in verified) this.#verified.set(decoded, verified);
    return verified;
  }
}
