import type { RequestHash } from "@cairn/messages";
import { leadingBits } from "../leading-bits.ts";
import type { Database } from "./database.ts";
import { id } from "./rows.ts";

/** 20 bits: 128 KB, in which ten thousand voids let one request in a hundred be looked up for nothing. */
const DIGITS = 5;

/**
 * Which requests may have been voided, so that the others, nearly all, are not looked up with each payment. Kept in
 * memory alone; this process is the only one that writes the file.
 */
export class PossibleVoids {
  readonly #bits = new Uint8Array(2 ** (4 * DIGITS - 3));

  constructor(database: Database) {
    for (const row of database.iterate("SELECT request_hash FROM request_voids"))
      this.add(id<RequestHash>(row, "request_hash"));
  }

  add(requestHash: RequestHash): void {
    const bit = leadingBits(requestHash, DIGITS);
    this.#bits[bit >> 3] = (this.#bits[bit >> 3] ?? 0) | (1 << (bit & 7));
  }

  /** False: it surely was not. */
  includes(requestHash: RequestHash): boolean {
    const bit = leadingBits(requestHash, DIGITS);
    return ((this.#bits[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
  }
}
