import { randomUUID } from "node:crypto";
import type { Partition } from "@cairn/issue";
import { Pool, type PoolClient } from "pg";
import { StoreError } from "../store-error.ts";
import { CommitMarks } from "./commit-marks.ts";
import { failureOf, storeErrorOf } from "./failures.ts";
import { migrate } from "./migrate.ts";
import type { Row } from "./rows.ts";
import { MIGRATIONS, type Migration } from "./schema.ts";
import { type LockedPartition, Session } from "./session.ts";
import type { SqlStatement, SqlValue } from "./statement.ts";

export type PostgresOptions = {
  /** Such as `postgres://user:password@host:5432/database`. */
  readonly connectionString: string;
  /** The schema that holds the tables, made when it is not there. Default "cairn". */
  readonly schema?: string;
  /** Connections of this process. Default 10. */
  readonly maximumConnections?: number;
  /** After so long a statement is given up: STORE_TIMEOUT. Default 30. */
  readonly timeoutSeconds?: number;
  /** How long a server that is away or starting is waited for, before STORE_UNAVAILABLE. Default 10. */
  readonly retrySeconds?: number;
  /** A worker that says nothing for so long loses the partition that it settles. Default 30. */
  readonly leaseSeconds?: number;
  /** "citus": a new database's tables are distributed by their partition. Read only when tables are made. */
  readonly distribution?: "citus";
  /** Told what takes its time before the database can be used: tables that are brought to this version. */
  readonly progress?: (line: string) => void;
  /** Only for tests of migrations. Default: all. */
  readonly migrations?: readonly Migration[];
};

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 500;

/** Connections to one PostgreSQL database, and the two ways to use them: single statements, and one partition's transaction. */
export class Database {
  readonly #pool: Pool;
  readonly #options: PostgresOptions;
  readonly #retryMs: number;
  readonly #marks = new CommitMarks();
  #ready: Promise<void> | undefined;

  /** Connects at the first use. */
  constructor(options: PostgresOptions) {
    const { schema = "cairn", timeoutSeconds = 30 } = options;
    if (!/^[a-z_][a-z0-9_]{0,40}$/.test(schema))
      throw new StoreError("STORE_INPUT_INVALID", "A schema's name has lower-case letters, digits and underscores.");
    this.#options = options;
    this.#retryMs = (options.retrySeconds ?? 10) * 1_000;
    const timeoutMs = timeoutSeconds * 1_000;
    this.#pool = new Pool({
      connectionString: options.connectionString,
      max: options.maximumConnections ?? 10,
      pipeline: true,
      connectionTimeoutMillis: Math.min(5_000, timeoutMs),
      // The server gives up first and says so; the driver only when the server says nothing any more.
      query_timeout: timeoutMs + 2_000,
      keepAlive: true,
      allowExitOnIdle: true,
      application_name: "cairn",
      options: [
        `search_path=${schema}`,
        `statement_timeout=${timeoutMs}`,
        `idle_in_transaction_session_timeout=${timeoutMs}`,
        "jit=off",
        "synchronous_commit=on",
        // For the rule that looks after what an older program leaves (schema.ts).
        "cairn.takes_ranges=on",
      ]
        .map((setting) => `-c ${setting}`)
        .join(" "),
    });
    // A connection that breaks is told to whoever uses it; without a listener it would end the process.
    this.#pool.on("error", () => undefined);
    this.#pool.on("connect", (client) => client.on("error", () => undefined));
  }

  async close(): Promise<void> {
    if (!this.#pool.ended) await this.#pool.end();
  }

  async all(text: string, ...values: SqlValue[]): Promise<Row[]> {
    return (await this.statement(text, values)).rows;
  }

  async get(text: string, ...values: SqlValue[]): Promise<Row | undefined> {
    return (await this.all(text, ...values))[0];
  }

  /**
   * A single statement, which is sent again when its reply was lost: so only such as do no more the second time.
   * Gives how many rows were written.
   */
  async run(text: string, ...values: SqlValue[]): Promise<number> {
    return (await this.statement(text, values)).count;
  }

  /** @param once It is not sent again when its reply was lost. */
  statement(
    text: string,
    values: readonly SqlValue[],
    { once = false } = {},
  ): Promise<{ readonly rows: Row[]; readonly count: number }> {
    return this.#patiently(async (client) => new Session(client).ask(text, values), once);
  }

  /**
   * One transaction under the lock of one partition: what others do in this partition waits until it has ended, so that
   * nothing moves between looking and writing. All or nothing, on the disk when it resolves. When the reply to COMMIT is
   * lost, the next attempt first looks, under the same lock, whether the last one was kept: the answer is never a guess.
   * @param ahead Asks for what the work begins with: sent with the lock's own statement, so that what it gives is seen
   *   under the lock and nobody waits for two replies one after the other.
   * @throws StoreError STORE_OUTCOME_UNKNOWN when the database stays away after such a loss; and see `all`
   */
  async inPartition<Result, Ahead = undefined>(
    partition: Partition,
    work: (session: Session, locked: LockedPartition, ahead: Ahead) => Promise<Result>,
    ahead?: (session: Session) => Promise<Ahead>,
  ): Promise<Result> {
    const mark = randomUUID();
    /** Of an attempt that was sent to its end and not answered. */
    let unanswered: { readonly result: Result } | undefined;
    try {
      return await this.#patiently(async (client) => {
        const session = new Session(client);
        let sent: typeof unanswered;
        try {
          const begun = session.begin(partition);
          const asked = ahead?.(session);
          // Its failure is met below; should nobody come that far, the lock's own failure is the reason.
          asked?.catch(() => undefined);
          const locked = await begun;
          if (unanswered !== undefined && (await this.#marks.isKept(session, partition, mark))) {
            await session.rollback();
            return unanswered.result;
          }
          unanswered = undefined;
          const result = await work(session, locked, (await asked) as Ahead);
          const written = this.#marks.write(session, partition, mark);
          sent = { result };
          await session.commit();
          written.done();
          return result;
        } catch (error) {
          if (["lost", "slow"].includes(failureOf(error))) unanswered ??= sent;
          await session.rollback();
          throw error;
        }
      }, false);
    } catch (error) {
      if (unanswered === undefined) throw error;
      throw new StoreError("STORE_OUTCOME_UNKNOWN", "The database did not say whether it kept this. Ask again.", {
        cause: error,
      });
    }
  }

  /**
   * Statements that are one transaction and sent at once; each sees what others had committed before it began. They are
   * sent again when the reply was lost: so only such as do no more the second time. Gives the rows of each.
   */
  together(statements: readonly SqlStatement[]): Promise<Row[][]> {
    return this.#patiently(async (client) => {
      const session = new Session(client);
      try {
        session.beginPlain();
        const replies = Promise.all(statements.map(({ text, values }) => session.all(text, ...values)));
        await Promise.all([replies, session.commit()]);
        return await replies;
      } catch (error) {
        await session.rollback();
        throw error;
      }
    }, false);
  }

  /** Looks at many tables as they were in one moment, while others go on writing. */
  snapshot<Result>(look: (all: Session["all"]) => Promise<Result>): Promise<Result> {
    return this.#patiently(async (client) => {
      const session = new Session(client);
      try {
        await session.beginSnapshot();
        return await look((text, ...values) => session.all(text, ...values));
      } finally {
        await session.rollback();
      }
    }, false);
  }

  /** Waits for a server that is away and repeats what another transaction pushed aside, for as long as was allowed. */
  async #patiently<Result>(work: (client: PoolClient) => Promise<Result>, once: boolean): Promise<Result> {
    const deadline = Date.now() + this.#retryMs;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      let client: PoolClient | undefined;
      try {
        await this.#migrated();
        client = await this.#pool.connect();
        const result = await work(client);
        client.release();
        return result;
      } catch (error) {
        const failure = failureOf(error);
        // What failed may be the connection's own, such as statements that were prepared before a migration.
        client?.release(failure !== "other");
        const mayRepeat = failure === "again" || (failure === "lost" && !(once && client !== undefined));
        if (!mayRepeat || Date.now() + pauseMs > deadline) throw storeErrorOf(error);
      }
      await pause(pauseMs);
    }
  }

  #migrated(): Promise<void> {
    const { connectionString, schema = "cairn", distribution, progress, migrations = MIGRATIONS } = this.#options;
    this.#ready ??= migrate({ connectionString, schema, distribution, progress, migrations }).catch((error) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
