import type { Partition } from "@cairn/issue";
import type { BatchChoice, InboxRecord } from "../port.ts";

/** `record`: undefined once too many are remembered; it is then read from the inbox. */
type Waiting = { readonly partition: Partition; readonly record: InboxRecord | undefined; notBefore: number };
export type WaitingBatch = {
  readonly partition: Partition;
  readonly records: readonly { readonly inboxId: number; readonly record: InboxRecord | undefined }[];
};

const PARTITIONS = 256;
const NO_PARTITIONS: ReadonlySet<Partition> = new Set();
const NO_LIMIT = Number.MAX_SAFE_INTEGER;
/** Of records kept ready for their batch: some 30,000. What else waits is read from the inbox in its turn. */
const MAXIMUM_READY_BYTES = 64 * 1024 * 1024;
/** What a record takes beside its bytes, with what it was decoded to, which lives as long as they do. */
const RECORD_BYTES = 1_600;

/**
 * Which records of the inbox wait for settlement, by partition, oldest first. Kept in memory alone: what waits is what
 * has no answer, which the database tells when it is opened.
 */
export class WaitingRecords {
  readonly #partitions = new Map<Partition, Map<number, Waiting>>();
  #count = 0;
  #readyBytes = 0;
  /** The partition that had its turn last. */
  #lastTurn = PARTITIONS - 1;

  get count(): number {
    return this.#count;
  }

  /** The lowest number of all that wait; Infinity when nothing does. */
  get oldest(): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (const waiting of this.#partitions.values())
      for (const inboxId of waiting.keys()) {
        oldest = Math.min(oldest, inboxId);
        break;
      }
    return oldest;
  }

  /** In the order of their numbers. */
  add(partition: Partition, inboxId: number, record: InboxRecord | undefined): void {
    let waiting = this.#partitions.get(partition);
    if (waiting === undefined) {
      waiting = new Map();
      this.#partitions.set(partition, waiting);
    }
    const isReady = record !== undefined && this.#readyBytes < MAXIMUM_READY_BYTES;
    waiting.set(inboxId, { partition, record: isReady ? record : undefined, notBefore: 0 });
    this.#count++;
    if (isReady) this.#readyBytes += bytesOf(record);
  }

  /** The oldest ones of the partition whose turn it is. */
  take(limit: number, { except = NO_PARTITIONS, now = NO_LIMIT }: BatchChoice): WaitingBatch | undefined {
    for (let turn = 1; turn <= PARTITIONS; turn++) {
      const partition = (this.#lastTurn + turn) % PARTITIONS;
      if (except.has(partition)) continue;
      const records = this.#oldest(partition, limit, now);
      if (records.length === 0) continue;
      this.#lastTurn = partition;
      return { partition, records };
    }
    return undefined;
  }

  postpone(partition: Partition, inboxIds: readonly number[], until: number): void {
    for (const inboxId of inboxIds) {
      const waiting = this.#partitions.get(partition)?.get(inboxId);
      if (waiting !== undefined) waiting.notBefore = until;
    }
  }

  /** Once that is durable. */
  done(partition: Partition, inboxIds: readonly number[]): void {
    const waiting = this.#partitions.get(partition);
    if (waiting === undefined) return;
    for (const inboxId of inboxIds) {
      const record = waiting.get(inboxId)?.record;
      if (!waiting.delete(inboxId)) continue;
      this.#count--;
      if (record !== undefined) this.#readyBytes -= bytesOf(record);
    }
    if (waiting.size === 0) this.#partitions.delete(partition);
  }

  has(partition: Partition, inboxId: number): boolean {
    return this.#partitions.get(partition)?.has(inboxId) === true;
  }

  #oldest(partition: Partition, limit: number, now: number): WaitingBatch["records"] {
    const oldest: { readonly inboxId: number; readonly record: InboxRecord | undefined }[] = [];
    for (const [inboxId, { record, notBefore }] of this.#partitions.get(partition) ?? []) {
      if (notBefore > now) continue;
      oldest.push({ inboxId, record });
      if (oldest.length === limit) break;
    }
    return oldest;
  }
}

const bytesOf = ({ bytes }: InboxRecord): number => RECORD_BYTES + bytes.length;
