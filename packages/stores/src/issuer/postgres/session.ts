import type { Partition } from "@cairn/issue";
import type { PoolClient } from "pg";
import { StoreError } from "../store-error.ts";
import type { Row } from "./rows.ts";
import { bytes, number, optional, text } from "./rows.ts";
import { type Reply, type SqlValue, send } from "./statement.ts";

/** What the row of a partition says, as long as it is locked. */
export type LockedPartition = {
  readonly partition: Partition;
  readonly leaseHolder: string | undefined;
  readonly leaseToken: number;
  /** Newest entry of the partition's books. */
  readonly head: { readonly entryId: number; readonly hash: Uint8Array } | undefined;
};

/** One statement of a report or an audit, however much is stored. */
const REPORT_TIMEOUT_MS = 3_600_000;
/** Of the database server's, for each sort or join of such a statement. */
const REPORT_MEMORY = "64MB";

/**
 * For transactions that look up and write by keys, which know nothing better than an index. Left alone, the planner
 * makes a plan anew for most of their statements, and where a table was small when it was last counted goes through all
 * of it, or all of a partition, once for each row that is asked for.
 */
const BY_KEYS = `SELECT set_config('plan_cache_mode', 'force_generic_plan', true), ${[
  "seqscan",
  "bitmapscan",
  "hashjoin",
  "mergejoin",
]
  .map((way) => `set_config('enable_${way}', 'off', true)`)
  .join(", ")}`;

/**
 * Statements of one connection, in order. They are sent without waiting for the replies of those before: a transaction
 * of twenty statements waits for the network as often as it must know something, not twenty times. Outside of a
 * transaction, one statement at a time.
 */
export class Session {
  readonly #client: PoolClient;
  readonly #sent: Promise<unknown>[] = [];
  /** Until the latest statement is answered; never rejected. */
  #latest: Promise<unknown> = Promise.resolve();
  #failure: unknown;
  #isOver = false;
  #timeoutMs: number | undefined;

  constructor(client: PoolClient) {
    this.#client = client;
  }

  /** Begins a transaction and locks the partition until its end. */
  async begin(partition: Partition): Promise<LockedPartition> {
    this.beginPlain();
    const row = await this.get(
      "SELECT lease_holder, lease_token, head_entry_id, head_hash FROM partitions WHERE partition = $1 FOR UPDATE",
      partition,
    );
    if (row === undefined) throw new StoreError("STORE_INPUT_INVALID", `There is no partition ${partition}.`);
    return {
      partition,
      leaseHolder: optional(row, "lease_holder", text),
      leaseToken: number(row, "lease_token"),
      head:
        row.head_entry_id === null
          ? undefined
          : { entryId: number(row, "head_entry_id"), hash: bytes(row, "head_hash") },
    };
  }

  /** Begins a transaction that locks nothing by itself. */
  beginPlain(): void {
    this.#later("BEGIN");
    this.later(BY_KEYS);
  }

  /**
   * Sees one moment, locks nothing, writes nothing. Whoever reads millions of rows may take longer than a call, and sorts
   * and joins them in memory rather than in files.
   */
  async beginSnapshot(): Promise<void> {
    this.#later("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    this.#later(`SET LOCAL statement_timeout = ${REPORT_TIMEOUT_MS}`);
    await this.ask(`SET LOCAL work_mem = '${REPORT_MEMORY}'`);
    // The server gives up first and says so.
    this.#timeoutMs = REPORT_TIMEOUT_MS + 2_000;
  }

  async commit(): Promise<void> {
    const committed = this.ask("COMMIT");
    // Whatever went wrong before is the reason; the server then answers COMMIT with a rollback.
    await Promise.all([...this.#sent, committed]);
    if ((await committed).command !== "COMMIT") throw new Error("The transaction was rolled back.");
  }

  /** Never throws: a connection that is broken has rolled back by itself. */
  async rollback(): Promise<void> {
    this.#isOver = true;
    // Alone: sent behind a statement that fails, it would be left out as well.
    await this.#latest;
    await send(this.#client, "ROLLBACK", undefined).catch(() => undefined);
  }

  async all(statement: string, ...values: SqlValue[]): Promise<Row[]> {
    return (await this.ask(statement, values)).rows;
  }

  async get(statement: string, ...values: SqlValue[]): Promise<Row | undefined> {
    return (await this.ask(statement, values)).rows[0];
  }

  /** Gives how many rows were written. */
  async run(statement: string, ...values: SqlValue[]): Promise<number> {
    return (await this.ask(statement, values)).count;
  }

  /** Sends a statement of which only the failure matters: `commit` throws it. */
  later(statement: string, ...values: SqlValue[]): void {
    this.#keep(this.ask(statement, values));
  }

  /** Without values: a command, such as COMMIT. */
  async ask(statement: string, values?: readonly SqlValue[]): Promise<Reply> {
    if (this.#isOver) throw this.#failure ?? new Error("The transaction is over.");
    const reply = send(this.#client, statement, values, this.#timeoutMs);
    this.#latest = reply.catch(() => undefined);
    try {
      return await reply;
    } catch (error) {
      // What fails after the first failure fails because of it.
      this.#failure ??= error;
      throw this.#failure;
    }
  }

  #later(command: string): void {
    this.#keep(this.ask(command));
  }

  #keep(reply: Promise<unknown>): void {
    // Its failure is looked at by `commit`; until then it must not count as unhandled.
    reply.catch(() => undefined);
    this.#sent.push(reply);
  }
}
