/**
 * Sorted entries of the payment index, as they lie in a row of the database and as they are worked on. An entry is a
 * payment's key (52 bits, payment-key.ts) and the number of an inbox record that names such a payment; entries are in
 * the order of their keys, those of one key in the order of their numbers.
 */
export type Entries = { readonly keys: Float64Array; readonly inboxIds: Float64Array };

const ENTRY_BYTES = 12;
/** What fits a page of the database as one row, so that a row is written, and read, as one page. */
export const PAGE_ENTRIES = 336;

const LOW_BITS = 20;
const LOW = 2 ** LOW_BITS;
const WORD = 2 ** 32;
/** Of a record's number: 44 bits beside the 52 of the key. */
export const MAXIMUM_INBOX_ID = 2 ** 44 - 1;

/** @param to Not included. */
export function packEntries({ keys, inboxIds }: Entries, from: number, to: number): Uint8Array {
  const bytes = new Uint8Array((to - from) * ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  for (let index = from, at = 0; index < to; index++, at += ENTRY_BYTES) {
    const key = keys[index] ?? 0;
    const inboxId = inboxIds[index] ?? 0;
    const high = Math.floor(key / LOW);
    const over = Math.floor(inboxId / WORD);
    view.setUint32(at, high, true);
    view.setUint32(at + 4, (key - high * LOW) * 2 ** 12 + over, true);
    view.setUint32(at + 8, inboxId - over * WORD, true);
  }
  return bytes;
}

/** Whether they are whole entries, and some. */
export const isPacked = (bytes: Uint8Array): boolean => bytes.length > 0 && bytes.length % ENTRY_BYTES === 0;

export function unpackEntries(bytes: Uint8Array): Entries {
  const view = viewOf(bytes);
  const count = bytes.length / ENTRY_BYTES;
  const keys = new Float64Array(count);
  const inboxIds = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    keys[index] = keyAt(view, index);
    inboxIds[index] = inboxIdAt(view, index);
  }
  return { keys, inboxIds };
}

/** Adds to `found` the records that go with the key, without unpacking the others. */
export function findPacked(bytes: Uint8Array, key: number, found: number[]): void {
  const view = viewOf(bytes);
  const count = bytes.length / ENTRY_BYTES;
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keyAt(view, middle) < key) low = middle + 1;
    else high = middle;
  }
  for (; low < count && keyAt(view, low) === key; low++) found.push(inboxIdAt(view, low));
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const keyAt = (view: DataView, index: number): number =>
  view.getUint32(index * ENTRY_BYTES, true) * LOW + (view.getUint32(index * ENTRY_BYTES + 4, true) >>> 12);

const inboxIdAt = (view: DataView, index: number): number =>
  (view.getUint32(index * ENTRY_BYTES + 4, true) & 0xfff) * WORD + view.getUint32(index * ENTRY_BYTES + 8, true);

/** How many of the first numbers of a rising row are below this one. */
export function countBelow(rising: Float64Array, bound: number, length = rising.length): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rising[middle] ?? 0) < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
