const CHUNK_BITS = 15;
const CHUNK = 2 ** CHUNK_BITS;

/** Whole numbers from 0 on, most of them side by side: a bit for each, however many there are. */
export class NumberSet {
  readonly #chunks = new Map<number, Uint8Array>();

  add(number: number): void {
    const at = Math.floor(number / CHUNK);
    const chunk = this.#chunks.get(at) ?? new Uint8Array(CHUNK / 8);
    this.#chunks.set(at, chunk);
    const bit = number % CHUNK;
    chunk[bit >>> 3] = (chunk[bit >>> 3] ?? 0) | (1 << (bit & 7));
  }

  /** Whether it was there. */
  delete(number: number): boolean {
    const chunk = this.#chunks.get(Math.floor(number / CHUNK));
    const bit = number % CHUNK;
    const held = chunk?.[bit >>> 3] ?? 0;
    const isThere = (held & (1 << (bit & 7))) !== 0;
    if (chunk !== undefined && isThere) chunk[bit >>> 3] = held & ~(1 << (bit & 7));
    return isThere;
  }

  *[Symbol.iterator](): Generator<number> {
    for (const [at, chunk] of this.#chunks)
      for (const [place, held] of chunk.entries())
        for (let bit = 0; held >>> bit !== 0; bit++) if (((held >>> bit) & 1) === 1) yield at * CHUNK + place * 8 + bit;
  }
}
