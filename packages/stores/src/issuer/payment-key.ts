import { leadingBits } from "./leading-bits.ts";

/**
 * The number that an id or hash begins with, 52 bits: what the index is made of that finds records by their payment. Two
 * ids may share it, so whoever looks up compares the whole id as well.
 */
export const keyOf = (hexadecimal: string): number =>
  leadingBits(hexadecimal, 6) * 2 ** 28 + leadingBits(hexadecimal, 7, 6);
