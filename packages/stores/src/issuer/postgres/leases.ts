import { randomUUID } from "node:crypto";
import type { Partition } from "@cairn/issue";
import { StoreError } from "../store-error.ts";
import type { Database } from "./database.ts";
import { number, type Row } from "./rows.ts";
import type { LockedPartition } from "./session.ts";
import type { SqlStatement } from "./statement.ts";

/** Gives a partition back, with the commit of its batch. */
export const LEASE_ENDS = "lease_expires_at = '-infinity'";

/** So much longer may another process's leases be. */
const LEASES_DIFFER_SECONDS = 120;

/**
 * Who settles a partition. A lease is taken with a batch and given back with its commit, so that any number of workers
 * share the work without agreeing on anything. Each lease has a number higher than all before it. The number is compared
 * inside the transaction that settles: a worker that was away for so long that another took over cannot commit, however
 * sure it is of itself, and no clock is asked. The server's clock only says when a silent worker may be replaced; a lease
 * that ends later than any that could be taken now was taken before that clock was set back, and nobody waits for its end.
 */
export class Leases {
  readonly #database: Database;
  readonly #seconds: number;
  readonly #holder = randomUUID();
  readonly #tokens = new Map<Partition, number>();

  constructor(database: Database, seconds: number) {
    this.#database = database;
    this.#seconds = seconds;
  }

  /** Partitions with records that wait, none postponed beyond `now`, and that nobody else is settling, in their order. */
  async available(now: number): Promise<Partition[]> {
    const rows = await this.#database.all(
      `SELECT p.partition FROM partitions p
        WHERE (p.lease_holder = $1 OR p.lease_expires_at < clock_timestamp()
            OR p.lease_expires_at > clock_timestamp() + make_interval(secs => $3))
          AND EXISTS (SELECT FROM inbox_waiting w WHERE w.partition = p.partition AND w.not_before <= $2)
        ORDER BY p.partition`,
      this.#holder,
      now,
      this.#seconds + LEASES_DIFFER_SECONDS,
    );
    return rows.map((row) => number(row, "partition"));
  }

  /**
   * Takes a lease together with what is asked for under it; undefined when another worker was faster. Not waited for
   * until it is on the disk: a crash that forgets a lease ends no transaction that it would have to protect, and what is
   * settled under the lease is flushed after it.
   */
  async take(partition: Partition, then: SqlStatement): Promise<readonly Row[] | undefined> {
    const [lease, rows] = await this.#database.together([this.#taking(partition), then]);
    const row = lease?.[0];
    if (row === undefined) this.#tokens.delete(partition);
    else this.#tokens.set(partition, number(row, "lease_token"));
    return row === undefined ? undefined : rows;
  }

  #taking(partition: Partition): SqlStatement {
    return {
      text: `WITH unhurried AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
        UPDATE partitions SET lease_holder = $2, lease_token = lease_token + 1,
          lease_expires_at = clock_timestamp() + make_interval(secs => $3)
        WHERE partition = $1 AND (lease_holder = $2 OR lease_expires_at < clock_timestamp()
            OR lease_expires_at > clock_timestamp() + make_interval(secs => $4))
          AND EXISTS (SELECT FROM unhurried)
        RETURNING lease_token`,
      values: [partition, this.#holder, this.#seconds, this.#seconds + LEASES_DIFFER_SECONDS],
    };
  }

  /** Inside the transaction that settles; gives the lease's number. @throws StoreError LEASE_LOST */
  check({ partition, leaseHolder, leaseToken }: LockedPartition): number {
    const token = this.#tokens.get(partition);
    if (token !== undefined && leaseHolder === this.#holder && leaseToken === token) return token;
    this.#tokens.delete(partition);
    throw new StoreError("LEASE_LOST", `Another worker settles partition ${partition} now.`);
  }

  /** Once that commit is known to be kept; a lease that was taken meanwhile stays. */
  forget(partition: Partition, token: number | undefined): void {
    if (this.#tokens.get(partition) === token) this.#tokens.delete(partition);
  }

  /** So that nobody waits for a worker that has ended. */
  async giveAllBack(): Promise<void> {
    if (this.#tokens.size === 0) return;
    this.#tokens.clear();
    await this.#database.run(
      `UPDATE partitions SET ${LEASE_ENDS} WHERE lease_holder = $1 AND lease_expires_at > '-infinity'`,
      this.#holder,
    );
  }
}
