import type { Partition } from "@cairn/issue";
import type { DeviceId, MessageId, TerminalId } from "@cairn/messages";
import { keyOf } from "../payment-key.ts";
import type { BatchChoice, EvidenceRecord, InboxBatch, InboxRecord, IssuerStore } from "../port.ts";
import type { RecordAnswer } from "../record-answers.ts";
import { found } from "../store-error.ts";
import type { Database, Row } from "./database.ts";
import type { PaymentIndex } from "./payment-index/payment-index.ts";
import { RowWriter } from "./row-writer.ts";
import { bytes, id, number, oneOf, optional, text } from "./rows.ts";
import type { SharedCommit } from "./shared-commit.ts";
import { WaitingRecords } from "./waiting-records.ts";

const BRINGERS = ["terminal", "payer"] as const;
/** After so many answers the look for waiting records at the next opening is moved on. */
const PROGRESS_EVERY = 10_000;

/** What is asked of the inbox: whether a record has its answer, or has become a payment that says itself how it stands. */
export const IS_ANSWERED = `(EXISTS (SELECT 1 FROM inbox_answers a WHERE a.inbox_id = i.inbox_id)
  OR EXISTS (SELECT 1 FROM payments p WHERE p.inbox_id = i.inbox_id))`;

/** Everything that was ever brought in, byte for byte, and what became of it. */
export class Inbox {
  readonly #database: Database;
  readonly #index: PaymentIndex;
  readonly #waiting = new WaitingRecords();
  /** Written, but not durable yet: the number of the first record of each. */
  readonly #underWay = new Set<{ readonly first: number }>();
  #newest: number;
  #untilProgress = PROGRESS_EVERY;

  constructor(database: Database, index: PaymentIndex) {
    this.#database = database;
    this.#index = index;
    const newest = database.get("SELECT coalesce(max(inbox_id), 0) AS newest FROM inbox");
    this.#newest = newest === undefined ? 0 : number(newest, "newest");
    for (const row of database.iterate(
      `SELECT i.inbox_id, i.partition FROM inbox i
        WHERE i.inbox_id > coalesce((SELECT done_up_to FROM inbox_progress), 0) AND NOT ${IS_ANSWERED}
        ORDER BY i.inbox_id`,
    ))
      this.#waiting.add(number(row, "partition"), number(row, "inbox_id"), undefined);
  }

  /** Durable when it resolves. What is there already changes nothing. */
  async receive(records: readonly InboxRecord[], shared: SharedCommit): Promise<void> {
    let mark: { readonly first: number } | undefined;
    try {
      const added = await shared.run(() => {
        // Done a second time when somebody else's work beside it failed.
        if (mark !== undefined) this.#underWay.delete(mark);
        mark = { first: this.#newest + 1 };
        this.#underWay.add(mark);
        return this.#write(records);
      });
      for (const record of added) this.#waiting.add(record.partition, record.inboxId, record);
      this.#index.keepUp(added.length);
    } finally {
      if (mark !== undefined) this.#underWay.delete(mark);
    }
  }

  /** Within the transaction; gives what was not there yet. */
  #write(records: readonly InboxRecord[]): readonly InboxRecord[] {
    const added: InboxRecord[] = [];
    const rows = new RowWriter(this.#database, "inbox", 9);
    for (const record of records) {
      const { partition, recordHash, broughtBy, senderId, paymentId, receivedAt } = record;
      const inboxId = this.#newest + 1;
      const paymentKey = keyOf(paymentId ?? recordHash);
      const others = this.#index.find(paymentKey);
      // One of them may be among those that were brought with it.
      if (others.length > 0) rows.flush();
      if (others.some((other) => this.#isRecord(other, recordHash))) continue;
      rows.add(
        inboxId,
        partition,
        recordHash,
        broughtBy,
        senderId,
        paymentId ?? null,
        paymentKey,
        receivedAt,
        record.bytes,
      );
      this.#newest = inboxId;
      this.#index.add(paymentKey, inboxId);
      added.push({ ...record, inboxId });
    }
    rows.flush();
    return added;
  }

  takeBatch(limit: number, choice: BatchChoice): InboxBatch | undefined {
    const batch = this.#waiting.take(limit, choice);
    if (batch === undefined) return undefined;
    const unread = batch.records.flatMap(({ inboxId, record }) => (record === undefined ? [inboxId] : []));
    const read = new Map(this.#read(unread).map((record) => [record.inboxId, record]));
    return {
      partition: batch.partition,
      records: batch.records.map(({ inboxId, record }) => found(record ?? read.get(inboxId), "STORE_DAMAGED", inboxId)),
    };
  }

  waitingRecords(): number {
    return this.#waiting.count;
  }

  /** Until the process ends: a new one tries at once. */
  postpone({ partition, inboxIds, until }: Parameters<IssuerStore["postpone"]>[0]): void {
    this.#waiting.postpone(partition, inboxIds, until);
  }

  /**
   * Writes what became of records that are waiting; within the caller's transaction. A record that was answered before
   * keeps its first answer.
   */
  answer(partition: Partition, answers: readonly RecordAnswer[], at: number): void {
    for (const { inboxId, state, code, sentence } of answers) {
      if (!this.#waiting.has(partition, inboxId)) continue;
      this.#database.run(
        "INSERT INTO inbox_answers VALUES (?, ?, ?, ?, ?)",
        inboxId,
        at,
        state,
        code ?? null,
        sentence ?? null,
      );
    }
  }

  /** Some records have their answers: now and then the look for waiting ones at the next opening is moved on. */
  noteAnswered(count: number): void {
    this.#untilProgress -= count;
    if (this.#untilProgress < 0) this.#noteProgress();
  }

  /** Takes records out of the queue, once that they are answered is durable. */
  done(partition: Partition, records: readonly InboxRecord[]): void {
    this.#waiting.done(
      partition,
      records.map((record) => record.inboxId),
    );
  }

  evidence(paymentId: MessageId): EvidenceRecord[] {
    return this.#database
      .all(
        `SELECT i.*, coalesce(a.decided_at, p.decided_at) AS decided_at, a.state, a.code, a.sentence FROM inbox i
          LEFT JOIN inbox_answers a ON a.inbox_id = i.inbox_id
          LEFT JOIN payments p ON p.inbox_id = i.inbox_id
          WHERE i.inbox_id IN (SELECT value FROM json_each(?)) AND i.payment_id = ? ORDER BY i.inbox_id`,
        JSON.stringify(this.#index.records([paymentId])),
        paymentId,
      )
      .map((row) => {
        const rejected = row.state === "rejected";
        return {
          ...recordFrom(row),
          decidedAt: optional(row, "decided_at", number),
          code: rejected ? optional(row, "code", text) : undefined,
          sentence: rejected ? optional(row, "sentence", text) : undefined,
        };
      });
  }

  #isRecord(inboxId: number, recordHash: string): boolean {
    const sameRecord = "SELECT 1 FROM inbox WHERE inbox_id = ? AND record_hash = ?";
    return this.#database.get(sameRecord, inboxId, recordHash) !== undefined;
  }

  #noteProgress(): void {
    this.#untilProgress = PROGRESS_EVERY;
    const underWay = [...this.#underWay].map(({ first }) => first);
    const firstUndone = Math.min(this.#newest + 1, this.#waiting.oldest, ...underWay);
    this.#database.run("UPDATE inbox_progress SET done_up_to = ?", firstUndone - 1);
  }

  #read(inboxIds: readonly number[]): InboxRecord[] {
    if (inboxIds.length === 0) return [];
    const wanted = JSON.stringify(inboxIds);
    return this.#database
      .all("SELECT * FROM inbox WHERE inbox_id IN (SELECT value FROM json_each(?))", wanted)
      .map(recordFrom);
  }
}

export const bringer = (row: Row, column: string): InboxRecord["broughtBy"] => oneOf(row, column, BRINGERS);

export function recordFrom(row: Row): InboxRecord {
  return {
    inboxId: number(row, "inbox_id"),
    recordHash: text(row, "record_hash"),
    partition: number(row, "partition"),
    broughtBy: bringer(row, "brought_by"),
    senderId: id<TerminalId | DeviceId>(row, "sender_id"),
    paymentId: optional(row, "payment_id", id<MessageId>),
    bytes: bytes(row, "bytes"),
    receivedAt: number(row, "received_at"),
  };
}
