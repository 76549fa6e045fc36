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

  /** What each of them is, once for each that is not remembered. */
  async look(
    messages: Iterable<Decoded<Content>>,
    verify: (decoded: Decoded<Content>) => Promise<Checked<Content>>,
  ): Promise<(decoded: Decoded<Content>) => Checked<Content>> {
    const found = new Map<Decoded<Content>, Checked<Content>>();
    const unknown = new Set<Decoded<Content>>();
    for (const decoded of messages) if (!this.#verified.has(decoded)) unknown.add(decoded);
    await Promise.all(
      [...unknown].map(async (decoded) => {
        const checked = await verify(decoded);
        found.set(decoded, checked);
        if (!isRefusal(checked)) this.#verified.set(decoded, checked);
      }),
    );
    return (decoded) => {
      const checked = this.#verified.get(decoded) ?? found.get(decoded);
      if (checked === undefined) throw new RangeError("A message that nobody asked for.");
      return checked;
    };
  }

  /** After a change of the trusted keys what was verified before must be verified again. */
  clear(): void {
    this.#verified = new WeakMap();
  }
}
