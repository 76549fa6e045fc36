import { NONCE_KEPT_SECONDS } from "../nonce-memory.ts";
import { partitionOfId } from "../partitions.ts";
import type { Database } from "./database.ts";

/** Which server nonces were used, for as long as they could be used again. */
export class Nonces {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async use(nonce: string, expiresAt: number, now: number, mayForget = true): Promise<boolean> {
    if (expiresAt < now) return false;
    const partition = partitionOfId(nonce);
    // Never sent twice: the second time it would be called used, by the caller itself.
    const { count } = await this.#database.statement(
      "INSERT INTO nonces (partition, nonce, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
      [partition, nonce, expiresAt],
      { once: true },
    );
    const forgotten = now - NONCE_KEPT_SECONDS;
    if (mayForget)
      await this.#database.run("DELETE FROM nonces WHERE partition = $1 AND expires_at < $2", partition, forgotten);
    return count === 1;
  }
}
