import { DatabaseSync } from "node:sqlite";
import { isBusy } from "./sqlite-result.ts";

/** How long one process waits for another one's transaction, which takes milliseconds. */
const BUSY_TIMEOUT_MS = 10_000;

/**
 * Opens, and makes if need be, a SQLite file that several processes may have open: WAL, flushed to the disk with every
 * transaction (synchronous=FULL). @throws the database's own errors when the file cannot be used.
 */
export function openSharedFile(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, readBigInts: true });
  try {
    writeAhead(database);
    database.exec("PRAGMA synchronous = FULL");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Of processes that make a file at the same moment, each reads that it is not yet in WAL and then wants it for itself
 * alone. SQLite refuses all but one of them at once, without the timeout, since two readers that wait for each other
 * would wait for ever. So whoever is refused lets the lock go, stands in line for it as for any transaction, where the
 * timeout holds, and looks again.
 */
function writeAhead(database: DatabaseSync): void {
  const end = performance.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      database.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > end) throw error;
      database.exec("BEGIN IMMEDIATE; COMMIT");
    }
  }
}
