/**
 * Which keys surely are not among some: 12 bits for each, by which one strange key in two hundred has to be looked up
 * for nothing. (B. H. Bloom, Space/time trade-offs in hash coding with allowable errors, CACM 13, 1970.)
 */
const BITS_A_KEY = 12;
const MARKS = 4;
const HALF = 2 ** 26;

/** Where a key leaves its marks, worked out once for many filters. */
export type KeyMarks = { readonly first: number; readonly step: number };

export function marksOf(key: number): KeyMarks {
  const high = Math.floor(key / HALF);
  const low = key - high * HALF;
  // The high bits of keys that lie side by side are nearly the same, so both take from the low ones as well.
  return {
    first: (Math.imul(low, 0x9e3779b1) ^ high) >>> 0,
    step: (Math.imul(low ^ (high << 7), 0x85ebca6b) | 1) >>> 0,
  };
}

export function filterOf(keys: Float64Array): Uint8Array {
  const filter = new Uint8Array(Math.max(8, Math.ceil((keys.length * BITS_A_KEY) / 8)));
  const bits = filter.length * 8;
  for (const key of keys) {
    const { first, step } = marksOf(key);
    for (let count = 0, mark = first; count < MARKS; count++, mark = (mark + step) >>> 0) {
      const bit = mark % bits;
      filter[bit >>> 3] = (filter[bit >>> 3] ?? 0) | (1 << (bit & 7));
    }
  }
  return filter;
}

/** False: the key surely is not there. */
export function mayHold(filter: Uint8Array, { first, step }: KeyMarks): boolean {
  const bits = filter.length * 8;
  for (let count = 0, mark = first; count < MARKS; count++, mark = (mark + step) >>> 0) {
    const bit = mark % bits;
    if (((filter[bit >>> 3] ?? 0) & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}
