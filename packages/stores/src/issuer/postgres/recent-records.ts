import type { InboxRecord } from "../port.ts";

/** Of records kept ready for their batch: some 30,000. Whatever else waits is read from the inbox in its turn. */
const MAXIMUM_BYTES = 64 * 1024 * 1024;
/** What a record takes beside its bytes, with what it was decoded to, which lives as long as they do. */
const RECORD_BYTES = 1_400;

/**
 * Records that this process has just written, so that it need not read them back when it settles them. A record is given
 * away once; any that is not here, because another process took it in or it was pushed out, is read like before.
 */
export class RecentRecords {
  readonly #records = new Map<string, InboxRecord>();
  #bytes = 0;

  /** The newest push out the oldest. */
  add(records: readonly InboxRecord[]): void {
    for (const record of records) {
      if (this.#records.has(record.recordHash)) continue;
      this.#records.set(record.recordHash, record);
      this.#bytes += bytesOf(record);
    }
    for (const [hash, record] of this.#records) {
      if (this.#bytes <= MAXIMUM_BYTES) return;
      this.#forget(hash, record);
    }
  }

  take(recordHash: string): InboxRecord | undefined {
    const record = this.#records.get(recordHash);
    if (record !== undefined) this.#forget(recordHash, record);
    return record;
  }

  #forget(recordHash: string, record: InboxRecord): void {
    this.#records.delete(recordHash);
    this.#bytes -= bytesOf(record);
  }
}

const bytesOf = ({ bytes }: InboxRecord): number => RECORD_BYTES + bytes.length;
