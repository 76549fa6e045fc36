import { StoreError } from "../../store-error.ts";
import { Database, type DatabaseOptions } from "../database.ts";
import { number } from "../rows.ts";
import { CREATE_PAYMENT_INDEX } from "../schema.ts";
import { PaymentIndex, writeRecords } from "./payment-index.ts";

/** `records`: of the inbox, from which the index was written. */
export type RebuiltIndex = { readonly records: number };

/** Records that are sorted at once: sixteen portions, so that the run is one of the third level. */
const RECORDS_AT_ONCE = 16 * 21_504;
const STEPS_TOLD = 100;

const TABLES = ["payment_index_pages", "payment_index_segments", "payment_index_runs"];
const DROP = TABLES.map((table) => `DROP TABLE IF EXISTS ${table};`).join("\n");
const LEAVE_OUT = `PRAGMA writable_schema = ON;
  DELETE FROM sqlite_schema WHERE tbl_name IN (${TABLES.map((table) => `'${table}'`)});
  PRAGMA writable_schema = RESET;`;

/**
 * Writes the payment index of a file anew from its inbox, whatever is left of the old one, and merges it. Until it is
 * whole the old one stays: killed at any moment, it is begun again, or goes on when the file is next in use.
 * @throws StoreError STORE_IN_USE while a server has the file, STORE_DAMAGED when more than the index is, STORE_FULL and
 * others of `Database`
 */
export function rebuildPaymentIndex(path: string, options: DatabaseOptions = {}): RebuiltIndex {
  const { progress = () => undefined } = options;
  const database = new Database(path, options);
  try {
    const records = writeAnew(database, progress);
    const index = new PaymentIndex(database);
    for (let steps = 1; index.step(); steps++)
      if (steps % STEPS_TOLD === 0) progress(`Merging what was written: ${steps} steps...`);
    return { records };
  } finally {
    database.close();
  }
}

/** Pages of a table whose tree is torn cannot be given back: it is left out of the schema, and its room is lost. */
function writeAnew(database: Database, progress: (line: string) => void): number {
  try {
    return writeInsteadOf(database, DROP, progress);
  } catch (error) {
    if (!(error instanceof StoreError && error.code === "STORE_DAMAGED")) throw error;
    return writeInsteadOf(database, LEAVE_OUT, progress);
  }
}

function writeInsteadOf(database: Database, removal: string, progress: (line: string) => void): number {
  return database.restructure((execute) => {
    execute(removal);
    execute(CREATE_PAYMENT_INDEX);
    let count = 0;
    for (let after = 0; ; ) {
      const some = database.get(
        `SELECT coalesce(max(inbox_id), 0) AS up_to, count(*) AS records FROM
          (SELECT inbox_id FROM inbox WHERE inbox_id > ? ORDER BY inbox_id LIMIT ${RECORDS_AT_ONCE})`,
        after,
      );
      const records = some === undefined ? 0 : number(some, "records");
      if (some === undefined || records === 0) return count;
      const upTo = number(some, "up_to");
      writeRecords(database, { after, upTo, records });
      after = upTo;
      count += records;
      progress(`${count} records written into the payment index...`);
    }
  });
}
