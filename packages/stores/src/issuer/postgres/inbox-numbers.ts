import type { Database } from "./database.ts";
import { number } from "./rows.ts";

/** Numbers that one value of the sequence `inbox_blocks` stands for; the most that are taken at once. */
export const NUMBERS_A_BLOCK = 1_024;
/** So that numbers rise with the time at which records came in, over all processes, but for this much. */
const FRESH_MS = 1_000;

/** Numbers of records to come. They are known before the records are written, and those of one call are consecutive. */
export class InboxNumbers {
  readonly #database: Database;
  #next = 0;
  #end = 0;
  #takenAt = Number.NEGATIVE_INFINITY;
  #taking: Promise<void> | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Gives the first of `count` consecutive numbers, which nobody else is given. @param count At most NUMBERS_A_BLOCK. */
  async take(count: number): Promise<number> {
    while (this.#end - this.#next < count || performance.now() - this.#takenAt > FRESH_MS) {
      this.#taking ??= this.#takeBlock();
      await this.#taking;
    }
    const first = this.#next;
    this.#next += count;
    return first;
  }

  async #takeBlock(): Promise<void> {
    try {
      const row = await this.#database.get("SELECT nextval('inbox_blocks') AS block");
      this.#next = row === undefined ? 0 : number(row, "block") * NUMBERS_A_BLOCK;
      this.#end = this.#next + NUMBERS_A_BLOCK;
      this.#takenAt = performance.now();
    } finally {
      this.#taking = undefined;
    }
  }
}
