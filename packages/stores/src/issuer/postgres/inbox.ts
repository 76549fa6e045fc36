import type { Partition } from "@cairn/issue";
import type { DeviceId, MessageId, TerminalId } from "@cairn/messages";
import { keyOf } from "../payment-key.ts";
import type { BatchChoice, EvidenceRecord, InboxBatch, InboxRecord, IssuerStore } from "../port.ts";
import type { RecordAnswer } from "../record-answers.ts";
import { StoreError } from "../store-error.ts";
import { bigints, byteStrings, hexadecimals, smallints, texts } from "./binary-arrays.ts";
import type { Database } from "./database.ts";
import { InboxNumbers, NUMBERS_A_BLOCK } from "./inbox-numbers.ts";
import type { Leases } from "./leases.ts";
import { RecentRecords } from "./recent-records.ts";
import { bytes, id, list, number, oneOf, optional, type Row, text } from "./rows.ts";
import type { Session } from "./session.ts";
import type { SqlStatement } from "./statement.ts";
import { type Parted, part, RANGES_AS_TEXT, rangesFrom, rangesWithin, type WaitingRange } from "./waiting-ranges.ts";

const BRINGERS = ["terminal", "payer"] as const;

const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** The payment that an inbox record `i` became, if it did. */
export const OWN_PAYMENT = `LEFT JOIN payments p
  ON p.partition = i.partition AND p.payment_id = i.payment_id AND p.inbox_id = i.inbox_id`;

/** Whether an inbox record waits: of the rows that say so, which do not overlap, the last that begins before it decides. */
export const isWaiting = (record: string): string => `coalesce((
  SELECT coalesce(w.last_id, w.inbox_id) FROM inbox_waiting w
    WHERE w.partition = ${record}.partition AND w.inbox_id <= ${record}.inbox_id ORDER BY w.inbox_id DESC LIMIT 1
  ) >= ${record}.inbox_id, false)`;

/** Everything that was ever brought in, byte for byte, and what became of it. */
export class Inbox {
  readonly #database: Database;
  readonly #leases: Leases;
  readonly #numbers: InboxNumbers;
  readonly #placedByPartition: boolean;
  /** Partitions that still have their turn before they are asked for anew. */
  #turns: Partition[] = [];
  #lastTurn = -1;
  readonly #recent = new RecentRecords();

  /** @param placedByPartition On a distributed engine: one statement, and so one transaction, for each partition. */
  constructor(database: Database, leases: Leases, placedByPartition: boolean) {
    this.#database = database;
    this.#leases = leases;
    this.#numbers = new InboxNumbers(database);
    this.#placedByPartition = placedByPartition;
  }

  async receive(records: readonly InboxRecord[]): Promise<void> {
    if (records.length === 0) return;
    const groups = this.#placedByPartition ? Map.groupBy(records, ({ partition }) => partition).values() : [records];
    await Promise.all([...groups].flatMap(portionsOf).map((portion) => this.#receive(portion)));
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
      const records = await this.#recordsOf(partition, rangesIn(waiting), limit);
      if (records.length > 0) return { partition, records };
    }
  }

  async waitingRecords(): Promise<number> {
    const row = await this.#database.get("SELECT coalesce(sum(coalesce(records, 1)), 0) AS waiting FROM inbox_waiting");
    return row === undefined ? 0 : number(row, "waiting");
  }

  async postpone({ partition, inboxIds, until }: Parameters<IssuerStore["postpone"]>[0]): Promise<void> {
    if (inboxIds.length === 0) return;
    await this.#database.inPartition(partition, async (session) => {
      const parted = part(await this.waitingUpTo(session, partition, inboxIds), inboxIds);
      const postponed = [...parted.waited].map((inboxId) => ({ first: inboxId, last: inboxId, notBefore: until }));
      takeOut(session, partition, { ...parted, left: [...parted.left, ...postponed] });
    });
  }

  /** What waits up to the newest of these records; within the caller's transaction, which has the partition's lock. */
  async waitingUpTo(session: Session, partition: Partition, inboxIds: readonly number[]): Promise<WaitingRange[]> {
    const newest = inboxIds.reduce((one, other) => Math.max(one, other), 0);
    return rangesIn(
      await session.all(
        `SELECT ${RANGES_AS_TEXT} AS ranges FROM inbox_waiting WHERE partition = $1 AND inbox_id <= $2`,
        partition,
        newest,
      ),
    );
  }

  /**
   * Takes records out of the queue with what became of each; within the caller's transaction. A record that was answered
   * before keeps its first answer. `ownRecords` became payments of their own, which say themselves how they stand; `beside`
   * is what became of the others.
   * `waiting` is what `waitingUpTo` gave for these records.
   */
  markDone(
    session: Session,
    beside: readonly RecordAnswer[],
    about: {
      readonly partition: Partition;
      readonly waiting: readonly WaitingRange[];
      readonly ownRecords: ReadonlySet<number>;
      readonly at: number;
    },
  ): void {
    const { partition, waiting, ownRecords, at } = about;
    const parted = part(waiting, [...ownRecords, ...beside.map(({ inboxId }) => inboxId)]);
    takeOut(session, partition, parted);
    const answers = beside.filter(({ inboxId }) => parted.waited.has(inboxId));
    if (answers.length === 0) return;
    session.later(
      `INSERT INTO inbox_answers (partition, inbox_id, decided_at, state, code, sentence)
        SELECT $1, n.inbox_id, $2, n.state, n.code, n.sentence
        FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[]) AS n (inbox_id, state, code, sentence)`,
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
    const byHash = new Map<string, InboxRecord>();
    for (const record of received) byHash.set(record.recordHash, record);
    // Partition by partition, so that the numbers of each are consecutive.
    const records = [...byHash.values()].sort((one, other) => one.partition - other.partition);
    const first = await this.#numbers.take(records.length);
    const senders = [...new Set(records.map(({ senderId }) => senderId))].map(keyOf).sort((one, other) => one - other);
    const [, [written] = []] = await this.#database.together([
      // From the partition's row, so that a distributed engine takes the lock where the records are.
      {
        text: `SELECT pg_advisory_xact_lock(n.sender) FROM partitions p, unnest($2::bigint[]) AS n (sender)
          WHERE p.partition = $1`,
        values: [records[0]?.partition ?? 0, bigints(senders)],
      },
      {
        text: `WITH written AS (
          INSERT INTO inbox (partition, inbox_id, record_hash, brought_by, sender_id, payment_id, payment_key, received_at,
              bytes)
            SELECT n.partition, n.inbox_id, n.record_hash, n.brought_by, n.sender_id, n.payment_id, n.payment_key,
              n.received_at, n.bytes
            FROM (SELECT unnest($1::smallint[]) AS partition, unnest($2::bytea[]) AS record_hash,
              unnest($3::text[]) AS brought_by, unnest($4::bytea[]) AS sender_id, unnest($5::bytea[]) AS payment_id,
              unnest($6::bigint[]) AS received_at, unnest($7::bytea[]) AS bytes, unnest($8::bigint[]) AS payment_key,
              unnest($9::bigint[]) AS inbox_id) n
            WHERE (SELECT x.inbox_id FROM inbox x
              WHERE x.payment_key = n.payment_key AND x.record_hash = n.record_hash AND x.partition = n.partition
              LIMIT 1) IS NULL
            RETURNING partition, inbox_id
        ), waiting AS (
          INSERT INTO inbox_waiting (partition, inbox_id, last_id, records)
            SELECT partition, min(inbox_id), max(inbox_id), count(*) FROM written GROUP BY partition
        )
        SELECT count(*) AS records,
          CASE WHEN count(*) < cardinality($9::bigint[]) THEN string_agg(inbox_id::text, ',') END AS inbox_ids FROM written`,
        values: [
          smallints(records.map((record) => record.partition)),
          hexadecimals(records.map((record) => record.recordHash)),
          texts(records.map((record) => record.broughtBy)),
          hexadecimals(records.map((record) => record.senderId)),
          hexadecimals(records.map((record) => record.paymentId)),
          bigints(records.map((record) => record.receivedAt)),
          byteStrings(records.map((record) => record.bytes)),
          bigints(records.map((record) => keyOf(record.paymentId ?? record.recordHash))),
          bigints(records.map((_, index) => first + index)),
        ],
      },
    ]);
    if (written === undefined) return;
    this.#keepReady(records, first, written);
  }

  /** What waits in one row is kept as one. */
  #keepReady(records: readonly InboxRecord[], first: number, written: Row): void {
    const inboxIds = number(written, "records") === records.length ? undefined : new Set(list(written, "inbox_ids"));
    let together: InboxRecord[] = [];
    for (const [index, record] of records.entries()) {
      const inboxId = first + index;
      if (together[0]?.partition !== record.partition) {
        this.#recent.add(together);
        together = [];
      }
      if (inboxIds?.has(String(inboxId)) !== false) together.push({ ...record, inboxId });
    }
    this.#recent.add(together);
  }

  /**
   * The records of the first ranges, but no more than `limit`. What this process wrote itself is not read back: only that
   * it waits.
   */
  async #recordsOf(partition: Partition, waiting: readonly WaitingRange[], limit: number): Promise<InboxRecord[]> {
    const ranges = rangesWithin(waiting, limit).map((range) => ({ range, records: this.#recent.take(range) }));
    const known = ranges.flatMap(({ records }) => records ?? []);
    const unknown = ranges.flatMap(({ range, records }) => (records === undefined ? [range] : []));
    if (unknown.length > 0) {
      const read = await this.#read(partition, unknown);
      if (read.length !== unknown.reduce((sum, { records }) => sum + records, 0))
        throw new StoreError("STORE_DAMAGED", `Partition ${partition} has not the records that wait in it.`);
      known.push(...read);
      known.sort((one, other) => one.inboxId - other.inboxId);
    }
    return known.slice(0, limit);
  }

  async #read(partition: Partition, ranges: readonly WaitingRange[]): Promise<InboxRecord[]> {
    const inboxIds = ranges.flatMap(({ first, last }) =>
      Array.from({ length: last - first + 1 }, (_, index) => first + index),
    );
    const rows = await this.#database.all(
      "SELECT * FROM inbox WHERE partition = $1 AND inbox_id = ANY($2::bigint[])",
      partition,
      bigints(inboxIds),
    );
    return rows.map(recordFrom);
  }
}

function portionsOf(records: readonly InboxRecord[]): readonly (readonly InboxRecord[])[] {
  return Array.from({ length: Math.ceil(records.length / NUMBERS_A_BLOCK) }, (_, index) =>
    records.slice(index * NUMBERS_A_BLOCK, (index + 1) * NUMBERS_A_BLOCK),
  );
}

function waitingIn(partition: Partition, limit: number, now: number): SqlStatement {
  return {
    text: `SELECT ${RANGES_AS_TEXT} AS ranges FROM (
      SELECT * FROM inbox_waiting WHERE partition = $1 AND not_before <= $3 ORDER BY inbox_id LIMIT $2) w`,
    values: [partition, limit, now],
  };
}

const rangesIn = ([row]: readonly Row[]): WaitingRange[] => rangesFrom(row === undefined ? [] : list(row, "ranges"));

/** Ends ranges and writes what is left of them, as far as there are records; within the caller's transaction. */
function takeOut(session: Session, partition: Partition, { ended, left }: Omit<Parted, "waited">): void {
  if (ended.length === 0) return;
  session.later(
    `DELETE FROM inbox_waiting w USING unnest($2::bigint[]) AS n (inbox_id)
      WHERE w.partition = $1 AND w.inbox_id = n.inbox_id`,
    partition,
    bigints(ended),
  );
  if (left.length === 0) return;
  session.later(
    `INSERT INTO inbox_waiting (partition, inbox_id, last_id, records, not_before)
      SELECT $1, min(i.inbox_id), max(i.inbox_id), count(*), n.not_before
      FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS n (first_id, last_id, not_before)
      JOIN inbox i ON i.partition = $1 AND i.inbox_id BETWEEN n.first_id AND n.last_id
      GROUP BY n.first_id, n.not_before`,
    partition,
    bigints(left.map(({ first }) => first)),
    bigints(left.map(({ last }) => last)),
    bigints(left.map(({ notBefore }) => notBefore)),
  );
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
