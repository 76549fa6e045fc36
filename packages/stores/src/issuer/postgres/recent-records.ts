import type { InboxRecord } from "../port.ts";

/** Of records kept ready for their batch: some 30,000. Whatever else waits is read from the inbox in its turn. */
const MAXIMUM_BYTES = 64 * 1024 * 1024;
/** What a record takes beside its bytes, with what it was decoded to, which lives as long as they do. */
const RECORD_BYTES = 1_600;

type Group = { readonly records: readonly InboxRecord[]; readonly bytes: number };

/**
 * Records that this process has just written, so that it need not read them back when it settles them: those that wait
 * together together, under the number of the first. They are given away once; any that are not here, because another
 * process took them in or they were pushed out, are read from the inbox.
 */
export class RecentRecords {
  readonly #groups = new Map<number, Group>();
  #bytes = 0;

  /** The newest push out the oldest. @param records In the order of their numbers. */
  add(records: readonly InboxRecord[]): void {
    const [first] = records;
    if (first === undefined) return;
    let bytes = records.length * RECORD_BYTES;
    for (const record of records) bytes += record.bytes.length;
    this.#groups.set(first.inboxId, { records, bytes });
    this.#bytes += bytes;
    if (this.#bytes <= MAXIMUM_BYTES) return;
    for (const [oldest, group] of this.#groups) {
      this.#forget(oldest, group);
      if (this.#bytes <= MAXIMUM_BYTES) return;
    }
  }

  /** All records from the first number to the last; undefined when these are not just the ones that are here. */
  take({ first, last, records }: { readonly first: number; readonly last: number; readonly records: number }) {
    const group = this.#groups.get(first);
    if (group === undefined) return undefined;
    this.#forget(first, group);
    return group.records.length === records && group.records.at(-1)?.inboxId === last ? group.records : undefined;
  }

  #forget(first: number, { bytes }: Group): void {
    this.#groups.delete(first);
    this.#bytes -= bytes;
  }
}
