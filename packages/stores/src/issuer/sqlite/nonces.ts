import { NONCE_KEPT_SECONDS } from "../nonce-memory.ts";
import { partitionOfId } from "../partitions.ts";
import type { Database } from "./database.ts";

/** Which server nonces were used, for as long as they could be used again. */
export class Nonces {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Within the caller's transaction. */
  use(nonce: string, expiresAt: number, now: number, mayForget = true): boolean {
    if (expiresAt < now) return false;
    if (mayForget) this.#database.run("DELETE FROM nonces WHERE expires_at < ?", now - NONCE_KEPT_SECONDS);
    const sql = "INSERT INTO nonces VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
    return this.#database.run(sql, partitionOfId(nonce), nonce, expiresAt) === 1;
  }
}
