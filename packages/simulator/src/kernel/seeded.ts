/**
 * Chance from a seed: sfc32 (Chris Doty-Humphrey's PractRand), seeded by mixing any numbers and texts. Not for secrets.
 * Each generator is the same on every machine, and two with different parts have nothing in common.
 */
export class Seeded {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(...parts: readonly (number | string)[]) {
    let h1 = 0x9e3779b9;
    let h2 = 0x85ebca6b;
    let h3 = 0xc2b2ae35;
    const mix = (word: number): void => {
      h1 = Math.imul(h1 ^ word, 0x2c1b3c6d);
      h2 = Math.imul(h2 ^ (word + h1), 0x297a2d39);
      h3 = Math.imul(h3 ^ (word + h2), 0x21f0aaad);
      h1 ^= h3 >>> 15;
      h2 ^= h1 >>> 13;
      h3 ^= h2 >>> 16;
    };
    for (const part of parts) {
      if (typeof part === "number") {
        mix(part | 0);
        mix(Math.floor(part / 2 ** 32) | 0);
      } else for (let at = 0; at < part.length; at += 1) mix(part.charCodeAt(at));
    }
    this.#a = h1;
    this.#b = h2;
    this.#c = h3;
    for (let round = 0; round < 8; round += 1) this.word();
  }

  /** 0 to 2^32 - 1. */
  word(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }

  /** 0 to less than 1. */
  fraction(): number {
    return this.word() / 2 ** 32;
  }

  chance(probability: number): boolean {
    return probability > 0 && this.fraction() < probability;
  }

  /** A whole number from 0 to less than `end`. */
  below(end: number): number {
    return Math.floor(this.fraction() * end);
  }

  /** A whole number, both ends included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError("Nothing to pick from.");
    return item;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += 4) {
      const word = this.word();
      for (let byte = 0; byte < 4 && at + byte < length; byte += 1) bytes[at + byte] = word >>> (8 * byte);
    }
    return bytes;
  }
}
