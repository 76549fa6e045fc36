import type { Refusal, Verified } from "@cairn/messages";

/** Certificates in a busy hour; an entry is about a kilobyte. */
const DEFAULT_SIZE = 20_000;

/**
 * Remembers which exact bytes were verified: an upload brings the same payee certificate with every record, and a
 * certificate with each of its payments. Keyed by all bytes, signature included, so nothing unverified ever matches.
 * Refusals are not remembered. The least recently used go first.
 */
export class VerifiedCache<Content> {
  readonly #entries = new Map<string, Verified<Content>>();
  readonly #size: number;

  constructor(size: number = DEFAULT_SIZE) {
    this.#size = size;
  }

  /** The remembered message, or at once what `verify` gives. A promise only when something has to be verified. */
  get(
    bytes: Uint8Array,
    verify: () => Promise<Verified<Content> | Refusal>,
  ): Verified<Content> | Promise<Verified<Content> | Refusal> {
    const key = keyOf(bytes);
    const known = this.#entries.get(key);
    if (known === undefined) return this.#verify(key, verify);
    this.#remember(key, known);
    return known;
  }

  /** After a change of the trusted keys what was verified before must be verified again. */
  clear(): void {
    this.#entries.clear();
  }

  async #verify(key: string, verify: () => Promise<Verified<Content> | Refusal>): Promise<Verified<Content> | Refusal> {
    const verified = await verify();
    if ("content" in verified) this.#remember(key, verified);
    return verified;
  }

  #remember(key: string, verified: Verified<Content>): void {
    this.#entries.delete(key);
    this.#entries.set(key, verified);
    if (this.#entries.size <= this.#size) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }
}

/** One character a byte: much cheaper than a hash. */
function keyOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
