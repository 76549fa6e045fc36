import { found, StoreError } from "../../store-error.ts";
import type { Database, Row } from "../database.ts";
import { bytes, number } from "../rows.ts";
import { countBelow, type Entries, findPacked, isPacked, PAGE_ENTRIES, packEntries, unpackEntries } from "./entries.ts";
import { filterOf, type KeyMarks, mayHold } from "./key-filter.ts";

export type Tables = Pick<Database, "get" | "all" | "run">;

/** Written in one go, a few milliseconds: some of a run's pages, whose numbers follow each other. */
export type Segment = {
  readonly firstPage: number;
  /** Of each page. */
  readonly firstKeys: Float64Array;
  readonly filter: Uint8Array;
};

/** `found`: where numbers of records are put. */
export type Wanted = { readonly key: number; readonly marks: KeyMarks; readonly found: number[] };

/** Sorted entries in the database: its segments follow each other by their keys. */
export class Run {
  readonly run: number;
  readonly level: number;
  /** Of every record up to this one, the index has the entry in this run or in an earlier one. */
  readonly upTo: number;
  readonly #segments: Segment[] = [];
  /** The first key of each segment. */
  #starts = new Float64Array(8);

  constructor(about: { readonly run: number; readonly level: number; readonly upTo: number }) {
    this.run = about.run;
    this.level = about.level;
    this.upTo = about.upTo;
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** Behind the others. */
  add(segment: Segment): void {
    const count = this.#segments.push(segment);
    if (count > this.#starts.length) {
      const longer = new Float64Array(2 * count);
      longer.set(this.#starts);
      this.#starts = longer;
    }
    this.#starts[count - 1] = segment.firstKeys[0] ?? 0;
  }

  removeLast(): void {
    this.#segments.pop();
  }

  /** Adds to `found` the records that go with the key. @param marks Of the key. */
  find(tables: Tables, { key, marks, found }: Wanted): void {
    for (let index = this.#segmentBelow(key); index < this.#segments.length; index++) {
      const segment = this.#segments[index];
      if (segment === undefined || (this.#starts[index] ?? 0) > key) return;
      if (!mayHold(segment.filter, marks)) continue;
      for (let page = Math.max(0, countBelow(segment.firstKeys, key) - 1); page < segment.firstKeys.length; page++) {
        if ((segment.firstKeys[page] ?? 0) > key) break;
        findPacked(readPacked(tables, segment.firstPage + page), key, found);
      }
    }
  }

  /** Page by page; those that end before the key may be left out. */
  *pages(tables: Tables, key = -1): Generator<Entries> {
    for (const { firstPage, firstKeys } of this.#segments.slice(this.#segmentBelow(key)))
      for (let page = Math.max(0, countBelow(firstKeys, key) - 1); page < firstKeys.length; page++)
        yield readPage(tables, firstPage + page);
  }

  /** The place of the segment that the first entry of the key can be in. */
  #segmentBelow(key: number): number {
    return Math.max(0, countBelow(this.#starts, key, this.#segments.length) - 1);
  }
}

export const readPage = (tables: Tables, page: number): Entries => unpackEntries(readPacked(tables, page));

function readPacked(tables: Tables, page: number): Uint8Array {
  const row = tables.get("SELECT entries FROM payment_index_pages WHERE page = ?", page);
  const packed = bytes(found(row, "STORE_DAMAGED", `page ${page}`), "entries");
  if (!isPacked(packed)) throw new StoreError("STORE_DAMAGED", `Page ${page} of the payment index is not whole.`);
  return packed;
}

/** Writes sorted entries behind the newest page; within the caller's transaction. */
export function writeSegment(tables: Tables, run: number, entries: Entries): Segment {
  const newest = tables.get("SELECT coalesce(max(page), 0) AS page FROM payment_index_pages");
  const firstPage = newest === undefined ? 1 : number(newest, "page") + 1;
  const pages = Math.ceil(entries.keys.length / PAGE_ENTRIES);
  const firstKeys = Float64Array.from({ length: pages }, (_, page) => entries.keys[page * PAGE_ENTRIES] ?? 0);
  for (let page = 0; page < pages; page++) {
    const from = page * PAGE_ENTRIES;
    const packed = packEntries(entries, from, Math.min(from + PAGE_ENTRIES, entries.keys.length));
    tables.run("INSERT INTO payment_index_pages VALUES (?, ?)", firstPage + page, packed);
  }
  const filter = filterOf(entries.keys);
  tables.run("INSERT INTO payment_index_segments VALUES (?, ?, ?, ?)", firstPage, run, packNumbers(firstKeys), filter);
  return { firstPage, firstKeys, filter };
}

/** Takes a segment out; within the caller's transaction. */
export function deleteSegment(tables: Tables, { firstPage, firstKeys }: Segment): void {
  const behind = firstPage + firstKeys.length;
  tables.run("DELETE FROM payment_index_pages WHERE page >= ? AND page < ?", firstPage, behind);
  tables.run("DELETE FROM payment_index_segments WHERE first_page = ?", firstPage);
}

export function segmentFrom(row: Row): Segment {
  const firstKeys = unpackNumbers(bytes(row, "first_keys"));
  return { firstPage: number(row, "first_page"), firstKeys, filter: bytes(row, "filter") };
}

function packNumbers(numbers: Float64Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(numbers.length * 8));
  for (const [index, value] of numbers.entries()) view.setFloat64(index * 8, value, true);
  return new Uint8Array(view.buffer);
}

function unpackNumbers(packed: Uint8Array): Float64Array {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  return Float64Array.from({ length: packed.length / 8 }, (_, index) => view.getFloat64(index * 8, true));
}
