import type { Entries } from "./entries.ts";

/** An entry after which to go on. */
export type Place = { readonly key: number; readonly inboxId: number };

const NONE = new Float64Array();

/** Of some sorted entries the next one; when there is none, its key is Infinity. */
class Cursor {
  readonly #pages: Iterator<Entries>;
  #keys: Float64Array = NONE;
  #inboxIds: Float64Array = NONE;
  #at = 0;
  key = Number.POSITIVE_INFINITY;
  inboxId = 0;

  constructor(pages: Iterable<Entries>, { key, inboxId }: Place) {
    this.#pages = pages[Symbol.iterator]();
    do this.advance();
    while (this.key < key || (this.key === key && this.inboxId <= inboxId));
  }

  advance(): void {
    while (this.#at >= this.#keys.length) {
      const next = this.#pages.next();
      if (next.done === true) {
        this.key = Number.POSITIVE_INFINITY;
        return;
      }
      this.#keys = next.value.keys;
      this.#inboxIds = next.value.inboxIds;
      this.#at = 0;
    }
    this.key = this.#keys[this.#at] ?? 0;
    this.inboxId = this.#inboxIds[this.#at] ?? 0;
    this.#at++;
  }
}

const BEGINNING: Place = { key: -1, inboxId: 0 };

/** Sorted entries from several places, as they lie there page by page, put in one order, portion by portion. */
export class Merge {
  readonly #cursors: readonly Cursor[];

  constructor(from: readonly Iterable<Entries>[], behind: Place = BEGINNING) {
    this.#cursors = from.map((pages) => new Cursor(pages, behind));
  }

  /** The next ones, `limit` at the most; none at the end. */
  take(limit: number): Entries {
    const keys = new Float64Array(limit);
    const inboxIds = new Float64Array(limit);
    for (let count = 0; count < limit; count++) {
      let least = this.#cursors[0];
      for (const cursor of this.#cursors)
        if (
          least === undefined ||
          cursor.key < least.key ||
          (cursor.key === least.key && cursor.inboxId < least.inboxId)
        )
          least = cursor;
      if (least === undefined || least.key === Number.POSITIVE_INFINITY)
        return { keys: keys.slice(0, count), inboxIds: inboxIds.slice(0, count) };
      keys[count] = least.key;
      inboxIds[count] = least.inboxId;
      least.advance();
    }
    return { keys, inboxIds };
  }
}
