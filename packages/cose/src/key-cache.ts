import type { P256PublicKey } from "./key.ts";

/**
 * A bounded cache of the platform's ready key objects, the least recently used dropped first. Importing a key costs
 * about as much as verifying with it, and a verifier meets the same few issuer and payee keys over and over.
 */
export class KeyCache<KeyObject> {
  readonly #entries = new Map<string, KeyObject>();
  /** By the very object: whoever keeps a decoded certificate asks with the same key again and again. */
  readonly #byObject = new WeakMap<P256PublicKey, KeyObject>();
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  get(key: P256PublicKey): KeyObject | undefined {
    const known = this.#byObject.get(key);
    if (known !== undefined) return known;
    const name = nameOf(key);
    const found = this.#entries.get(name);
    if (found === undefined) return undefined;
    this.#remember(name, found);
    this.#byObject.set(key, found);
    return found;
  }

  set(key: P256PublicKey, imported: KeyObject): void {
    this.#byObject.set(key, imported);
    this.#remember(nameOf(key), imported);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#size) return;
      this.#entries.delete(oldest);
    }
  }

  /** A Map keeps the order in which names were set: setting anew makes it the youngest. */
  #remember(name: string, imported: KeyObject): void {
    this.#entries.delete(name);
    this.#entries.set(name, imported);
  }
}

/** The compressed point as text, one character a byte. */
function nameOf(key: P256PublicKey): string {
  return String.fromCharCode(key.yIsOdd ? 3 : 2, ...key.x);
}
