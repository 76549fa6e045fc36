import type { InboxRecord } from "../port.ts";

/** Of records kept ready for their batch: some 30,000. Whatever else waits is read from the inbox in its turn. */
const MAXIMUM_BYTES = 64 * 1024 * 1024;
/** What a record takes beside its bytes, with what it was decoded to, which lives as long as they do. */
const RECORD_BYTES = 1_600;

/**
 * Records that this process has just written, so that it need not read them back when it settles them. A record is given
 * away once; any that is not here, because another process took it in or it was pushed out, is read like before.
 */
export class RecentRecords {
  readonly #records = new Map<number, InboxRecord>();
  #bytes = 0;

  /** The newest push out the oldest. */
  add(record: InboxRecord): void {
    this.#records.set(record.inboxId, record);
    this.#bytes += bytesOf(record);
    for (const oldest of this.#records.values()) {
      if (this.#bytes <= MAXIMUM_BYTES) return;
      this.#forget(oldest);
    }
  }

  take(inboxId: number): InboxRecord | undefined {
    const record = this.#records.get(inboxId);
    if (record !== undefined) this.#forget(record);
    return record;
  }

  #forget(record: InboxRecord): void {
    this.#records.delete(record.inboxId);
    this.#bytes -= bytesOf(record);
  }
}

const bytesOf = ({ bytes }: InboxRecord): number => RECORD_BYTES + bytes.length;
