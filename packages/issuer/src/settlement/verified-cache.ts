import { type Decoded, isRefusal, type Refusal, type Verified } from "@cairn/messages";

export type Checked<Content> = Verified<Content> | Refusal;

/**
 * Remembers which decoded messages were verified, for as long as somebody keeps them decoded: equal certificates are
 * one decoded message (`DecodingCaches`), which an upload brings with every record. Refusals are not remembered.
 */
export class VerifiedCache<Content> {
  #verified = new WeakMap<Decoded<Content>, Verified<Content>>();

  get(decoded: Decoded<Content>): Verified<Content> | undefined {
    return this.#verified.get(decoded);
  }

  /** What each of them is, in their order; verified once for each that is not remembered. */
  async look(
    messages: readonly Decoded<Content>[],
    verify: (decoded: Decoded<Content>) => Promise<Checked<Content>>,
  ): Promise<readonly Checked<Content>[]> {
    // What a look that began before a change of keys finds is not remembered behind it.
    const remembered = this.#verified;
    const known = messages.map((decoded) => remembered.get(decoded));
    if (!known.includes(undefined)) return known as readonly Verified<Content>[];
    const unknown = new Set(messages.filter((_, index) => known[index] === undefined));
    const found = new Map<Decoded<Content>, Checked<Content>>();
    await Promise.all(
      Array.from(unknown, async (decoded) => {
        const checked = await verify(decoded);
        found.set(decoded, checked);
        if (!isRefusal(checked)) remembered.set(decoded, checked);
      }),
    );
    return messages.map((decoded, index) => known[index] ?? (found.get(decoded) as Checked<Content>));
  }

  /** After a change of the trusted keys what was verified before must be verified again. */
  clear(): void {
    this.#verified = new WeakMap();
  }
}
