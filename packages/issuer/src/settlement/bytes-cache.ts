/**
 * What was made of some exact bytes, to be found again by them. All bytes are the key, so nothing else ever matches.
 * The least recently used go first.
 */
export class BytesCache<Value> {
  readonly #entries = new Map<string, Value>();
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  get(bytes: Uint8Array): Value | undefined {
    const key = keyOf(bytes);
    const known = this.#entries.get(key);
    if (known !== undefined) this.#remember(key, known);
    return known;
  }

  set(bytes: Uint8Array, value: Value): void {
    this.#remember(keyOf(bytes), value);
    if (this.#entries.size <= this.#size) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }

  clear(): void {
    this.#entries.clear();
  }

  /** A Map keeps the order in which keys were set: setting anew makes it the youngest. */
  #remember(key: string, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
  }
}

/** One character a byte: much cheaper than a hash. */
function keyOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
