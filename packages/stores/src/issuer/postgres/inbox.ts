import type { Partition } from "@cairn/issue";
import type { DeviceId, MessageId, TerminalId } from "@cairn/messages";
import { keyOf } from "../payment-key.ts";
import type { BatchChoice, EvidenceRecord, InboxBatch, InboxRecord, IssuerStore } from "../port.ts";
import type { RecordAnswer } from "../record-answers.ts";
import { found } from "../store-error.ts";
import { bigints, byteStrings, hexadecimals, smallints, texts } from "./binary-arrays.ts";
import type { Database } from "./database.ts";
import type { Leases } from "./leases.ts";
import { RecentRecords } from "./recent-records.ts";
import { bytes, id, list, number, oneOf, optional, type Row, text } from "./rows.ts";
import type { Session } from "./session.ts";
import type { SqlStatement } from "./statement.ts";

const BRINGERS = ["terminal", "payer"] as const;

const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** The payment that an inbox record `i` became, if it did. */
export const OWN_PAYMENT = `LEFT JOIN payments p
  ON p.partition = i.partition AND p.payment_id = i.payment_id AND p.inbox_id = i.inbox_id`;

/** Everything that was ever brought in, byte for byte, and what became of it. */
export class Inbox {
  readonly #database: Database;
  readonly #leases: Leases;
  readonly #placedByPartition: boolean;
  /** Partitions that still have their turn before they are asked for anew. */
  #turns: Partition[] = [];
  #lastTurn = -1;
  readonly #recent = new RecentRecords();

  /** @param placedByPartition On a distributed engine: one statement, and so one transaction, for each partition. */
  constructor(database: Database, leases: Leases, placedByPartition: boolean) {
    this.#database = database;
    this.#leases = leases;
    this.#placedByPartition = placedByPartition;
  }

  async receive(records: readonly InboxRecord[]): Promise<void> {
    if (records.length === 0) return;
    const groups = this.#placedByPartition ? Map.groupBy(records, ({ partition }) => partition).values() : [records];
    await Promise.all([...groups].map((group) => this.#receive(group)));
  }

  async takeBatch(limit: number, { except, now = NO_LIMIT }: BatchChoice): Promise<InboxBatch | undefined> {
    for (let isAnew = false; ; ) {
      const partition = this.#turns.shift();
      if (partition === undefined) {
        if (isAnew) return undefined;
        isAnew = true;
        const available = (await this.#leases.available(now)).filter((each) => except?.has(each) !== true);
        const last = this.#lastTurn;
        this.#turns = [...available.filter((each) => each > last), ...available.filter((each) => each <= last)];
        continue;
      }
      if (except?.has(partition) === true) continue;
      this.#lastTurn = partition;
      const waiting = await this.#leases.take(partition, waitingIn(partition, limit, now));
      if (waiting === undefined) continue;
      const records = await this.#recordsOf(partition, waiting);
      if (records.length > 0) return { partition, records };
    }
  }

  async waitingRecords(): Promise<number> {
    const row = await this.#database.get("SELECT count(*) AS waiting FROM inbox_waiting");
    return row === undefined ? 0 : number(row, "waiting");
  }

  async postpone({ partition, inboxIds, until }: Parameters<IssuerStore["postpone"]>[0]): Promise<void> {
    if (inboxIds.length === 0) return;
    await this.#database.run(
      "UPDATE inbox_waiting SET not_before = $3 WHERE partition = $1 AND inbox_id = ANY($2::bigint[])",
      partition,
      bigints(inboxIds),
      until,
    );
  }

  /**
   * Takes records out of the queue with what became of each; within the caller's transaction. A record that was answered
   * before keeps its first answer. `ownRecords` became payments of their own, which say themselves how they stand.
   */
  markDone(
    session: Session,
    all: readonly RecordAnswer[],
    about: { readonly partition: Partition; readonly ownRecords: ReadonlySet<number>; readonly at: number },
  ): void {
    const { partition, ownRecords, at } = about;
    const own = all.filter(({ inboxId }) => ownRecords.has(inboxId));
    if (own.length > 0)
      session.later(
        "DELETE FROM inbox_waiting WHERE partition = $1 AND inbox_id = ANY($2::bigint[])",
        partition,
        bigints(own.map((answer) => answer.inboxId)),
      );
    const answers = all.filter(({ inboxId }) => !ownRecords.has(inboxId));
    if (answers.length === 0) return;
    session.later(
      `WITH done AS (
          DELETE FROM inbox_waiting WHERE partition = $1 AND inbox_id = ANY($3::bigint[]) RETURNING inbox_id
        )
        INSERT INTO inbox_answers (partition, inbox_id, decided_at, state, code, sentence)
          SELECT $1, n.inbox_id, $2, n.state, n.code, n.sentence
          FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[]) AS n (inbox_id, state, code, sentence)
          JOIN done USING (inbox_id)`,
      partition,
      at,
      bigints(answers.map((answer) => answer.inboxId)),
      texts(answers.map((answer) => answer.state)),
      texts(answers.map((answer) => answer.code)),
      texts(answers.map((answer) => answer.sentence)),
    );
  }

  async evidence(paymentId: MessageId): Promise<EvidenceRecord[]> {
    const rows = await this.#database.all(
      `SELECT i.*, coalesce(a.decided_at, p.decided_at) AS decided_at, a.state, a.code, a.sentence FROM inbox i
        LEFT JOIN inbox_answers a ON a.partition = i.partition AND a.inbox_id = i.inbox_id
        ${OWN_PAYMENT}
        WHERE i.payment_key = $1 AND i.payment_id = $2 ORDER BY i.inbox_id`,
      keyOf(paymentId),
      Buffer.from(paymentId, "hex"),
    );
    return rows.map((row) => {
      const rejected = row.state === "rejected";
      return {
        ...recordFrom(row),
        decidedAt: optional(row, "decided_at", number),
        code: rejected ? optional(row, "code", text) : undefined,
        sentence: rejected ? optional(row, "sentence", text) : undefined,
      };
    });
  }

  /**
   * A record is kept once by look-up instead of by a key, which would be an index of random hashes. So whoever brings
   * records of the same sender meanwhile waits: the statement after the lock sees what was committed before it. Looked up
   * for each record, by the index: as a join, a plan made while the inbox was empty would read all of it.
   */
  async #receive(received: readonly InboxRecord[]): Promise<void> {
    const byHash = new Map(received.map((record) => [record.recordHash, record]));
    const records = [...byHash.values()];
    const senders = [...new Set(records.map(({ senderId }) => keyOf(senderId)))].sort((one, other) => one - other);
    const [, [written] = []] = await this.#database.together([
      // From the partition's row, so that a distributed engine takes the lock where the records are.
      {
        text: `SELECT pg_advisory_xact_lock(n.sender) FROM partitions p, unnest($2::bigint[]) AS n (sender)
          WHERE p.partition = $1`,
        values: [records[0]?.partition ?? 0, bigints(senders)],
      },
      {
        text: `WITH written AS (
          INSERT INTO inbox (partition, record_hash, brought_by, sender_id, payment_id, payment_key, received_at, bytes)
            SELECT n.partition, n.record_hash, n.brought_by, n.sender_id, n.payment_id, n.payment_key, n.received_at, n.bytes
            FROM (SELECT unnest($1::smallint[]) AS partition, unnest($2::bytea[]) AS record_hash,
              unnest($3::text[]) AS brought_by, unnest($4::bytea[]) AS sender_id, unnest($5::bytea[]) AS payment_id,
              unnest($6::bigint[]) AS received_at, unnest($7::bytea[]) AS bytes, unnest($8::bigint[]) AS payment_key) n
            WHERE (SELECT x.inbox_id FROM inbox x
              WHERE x.payment_key = n.payment_key AND x.record_hash = n.record_hash AND x.partition = n.partition
              LIMIT 1) IS NULL
            RETURNING partition, inbox_id, record_hash
        ), waiting AS (
          INSERT INTO inbox_waiting (partition, inbox_id) SELECT partition, inbox_id FROM written
        )
        SELECT string_agg(inbox_id::text, ',') AS inbox_ids, string_agg(encode(record_hash, 'hex'), ',') AS record_hashes
        FROM written`,
        values: [
          smallints(records.map((record) => record.partition)),
          hexadecimals(records.map((record) => record.recordHash)),
          texts(records.map((record) => record.broughtBy)),
          hexadecimals(records.map((record) => record.senderId)),
          hexadecimals(records.map((record) => record.paymentId)),
          bigints(records.map((record) => record.receivedAt)),
          byteStrings(records.map((record) => record.bytes)),
          bigints(records.map((record) => keyOf(record.paymentId ?? record.recordHash))),
        ],
      },
    ]);
    if (written === undefined) return;
    const inboxIds = list(written, "inbox_ids");
    for (const [index, recordHash] of list(written, "record_hashes").entries()) {
      const record = byHash.get(recordHash);
      if (record !== undefined) this.#recent.add({ ...record, inboxId: Number(inboxIds[index]) });
    }
  }

  /** What this process wrote itself is not read back: only that it waits. */
  async #recordsOf(partition: Partition, [waiting]: readonly Row[]): Promise<InboxRecord[]> {
    const known = (waiting === undefined ? [] : list(waiting, "inbox_ids")).map((written) => {
      const inboxId = Number(written);
      return { inboxId, record: this.#recent.take(inboxId) };
    });
    const unknown = known.flatMap(({ inboxId, record }) => (record === undefined ? [inboxId] : []));
    const read = new Map((await this.#read(partition, unknown)).map((record) => [record.inboxId, record]));
    return known.map(({ inboxId, record }) => record ?? found(read.get(inboxId), "STORE_DAMAGED", String(inboxId)));
  }

  async #read(partition: Partition, inboxIds: readonly number[]): Promise<InboxRecord[]> {
    if (inboxIds.length === 0) return [];
    const rows = await this.#database.all(
      "SELECT * FROM inbox WHERE partition = $1 AND inbox_id = ANY($2::bigint[])",
      partition,
      bigints(inboxIds),
    );
    return rows.map(recordFrom);
  }
}

function waitingIn(partition: Partition, limit: number, now: number): SqlStatement {
  return {
    text: `SELECT string_agg(inbox_id::text, ',' ORDER BY inbox_id) AS inbox_ids FROM (
      SELECT inbox_id FROM inbox_waiting WHERE partition = $1 AND not_before <= $3 ORDER BY inbox_id LIMIT $2) w`,
    values: [partition, limit, now],
  };
}

export function recordFrom(row: Row): InboxRecord {
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
