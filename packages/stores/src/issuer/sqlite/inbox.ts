import type { Partition } from "@cairn/issue";
import type { DeviceId, MessageId, TerminalId } from "@cairn/messages";
import type { BatchChoice, EvidenceRecord, InboxBatch, InboxRecord, IssuerStore } from "../port.ts";
import type { RecordAnswer } from "../record-answers.ts";
import type { Database, Row } from "./database.ts";
import { bytes, id, number, oneOf, optional, text } from "./rows.ts";

const BRINGERS = ["terminal", "payer"] as const;
const NO_PARTITIONS: ReadonlySet<Partition> = new Set();
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** Everything that was ever brought in, byte for byte, and what became of it. */
export class Inbox {
  readonly #database: Database;
  #newest: number;
  /** The partition that had its turn last. */
  #lastTurn = -1;

  constructor(database: Database) {
    this.#database = database;
    const row = database.get("SELECT coalesce(max(inbox_id), 0) AS newest FROM inbox");
    this.#newest = row === undefined ? 0 : number(row, "newest");
  }

  /** Within the caller's transaction. */
  receive(records: readonly InboxRecord[]): void {
    for (const record of records) {
      const { partition, recordHash, broughtBy, senderId, paymentId, receivedAt } = record;
      const inboxId = this.#newest + 1;
      const written = this.#database.run(
        "INSERT INTO inbox VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        partition,
        inboxId,
        recordHash,
        broughtBy,
        senderId,
        paymentId ?? null,
        receivedAt,
        record.bytes,
      );
      if (written === 0) continue;
      this.#newest = inboxId;
      this.#database.run("INSERT INTO inbox_waiting VALUES (?, ?, 0)", partition, inboxId);
    }
  }

  takeBatch(limit: number, { except = NO_PARTITIONS, now = NO_LIMIT }: BatchChoice): InboxBatch | undefined {
    const next = this.#waitingAfter(this.#lastTurn, except, now) ?? this.#waitingAfter(-1, except, now);
    if (next === undefined) return undefined;
    this.#lastTurn = next;
    const rows = this.#database.all(
      `SELECT i.* FROM inbox_waiting w JOIN inbox i ON i.partition = w.partition AND i.inbox_id = w.inbox_id
        WHERE w.partition = ? AND w.not_before <= ? ORDER BY w.inbox_id LIMIT ?`,
      next,
      now,
      limit,
    );
    return { partition: next, records: rows.map(recordFrom) };
  }

  waitingRecords(): number {
    const row = this.#database.get("SELECT count(*) AS waiting FROM inbox_waiting");
    return row === undefined ? 0 : number(row, "waiting");
  }

  postpone({ partition, inboxIds, until }: Parameters<IssuerStore["postpone"]>[0]): void {
    this.#database.transaction(() => {
      for (const inboxId of inboxIds)
        this.#database.run(
          "UPDATE inbox_waiting SET not_before = ? WHERE partition = ? AND inbox_id = ?",
          until,
          partition,
          inboxId,
        );
    });
  }

  /** Takes records out of the queue with what became of each; within the caller's transaction. */
  markDone(partition: Partition, answers: readonly RecordAnswer[], at: number): void {
    for (const { inboxId, state, code, sentence } of answers) {
      const sql = "DELETE FROM inbox_waiting WHERE partition = ? AND inbox_id = ?";
      // A record that was answered before keeps its first answer.
      if (this.#database.run(sql, partition, inboxId) === 0) continue;
      this.#database.run(
        "INSERT INTO inbox_answers VALUES (?, ?, ?, ?, ?, ?)",
        partition,
        inboxId,
        at,
        state,
        code ?? null,
        sentence ?? null,
      );
    }
  }

  evidence(paymentId: MessageId): EvidenceRecord[] {
    return this.#database
      .all(
        `SELECT i.*, a.decided_at, a.state, a.code, a.sentence FROM inbox i
          LEFT JOIN inbox_answers a ON a.partition = i.partition AND a.inbox_id = i.inbox_id
          WHERE i.payment_id = ? ORDER BY i.inbox_id`,
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

  #waitingAfter(after: Partition, except: ReadonlySet<Partition>, now: number): Partition | undefined {
    for (let partition = after; ; ) {
      const row = this.#database.get(
        "SELECT partition FROM inbox_waiting WHERE partition > ? AND not_before <= ? ORDER BY partition LIMIT 1",
        partition,
        now,
      );
      if (row === undefined) return undefined;
      partition = number(row, "partition");
      if (!except.has(partition)) return partition;
    }
  }
}

function recordFrom(row: Row): InboxRecord {
  return {
    inboxId: number(row, "inbox_id"),
    recordHash: text(row, "record_hash"),
    partition: number(row, "partition"),
    broughtBy: oneOf(row, "brought_by", BRINGERS),
    senderId: id<TerminalId | DeviceId>(row, "sender_id"),
    paymentId: optional(row, "payment_id", id<MessageId>),
    bytes: bytes(row, "bytes"),
    receivedAt: number(row, "received_at"),
  };
}
