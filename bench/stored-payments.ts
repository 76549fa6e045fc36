import { open } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { partitionOf } from "@cairn/issue";
import { currency } from "@cairn/messages";
import { type IssuerStore, SqliteIssuerStore } from "@cairn/stores";
import pg from "pg";
import { Database } from "../packages/stores/src/issuer/sqlite/database.ts";
import { writeWhole } from "../packages/stores/src/issuer/sqlite/payment-index/payment-index.ts";

/**
 * Makes a store look as it does after millions of payments: inbox records, payments and entries of the usual size with
 * random ids, a certificate for every twenty payments. Written by SQL rather than settled, which would take hours, and so
 * without signatures and chained hashes that anybody could verify: for timing, never for books.
 */
export type Filler = { fill(payments: number, report: (line: string) => void): Promise<void> };

const PAYMENTS_A_CERTIFICATE = 20;
const CHUNK = 200_000;
const RECORD_BYTES = 620;
const AT = 1_790_000_000;
const SENDER = "fe".repeat(8);
const EUR = currency("EUR");

/** The account and the device whose certificates the stored ones are. */
async function holder(store: IssuerStore): Promise<{ account: number; deviceId: string; partition: number }> {
  const account = await store.createAccount({ name: "stored", currency: EUR, createdAt: AT });
  const codeHash = "fe".repeat(32);
  await store.createEnrolmentCode({ codeHash, for: { account }, expiresAt: AT + 9 });
  const deviceId = "fe".repeat(8) as never;
  const publicKey = new Uint8Array(77);
  const device = await store.enrolDevice({ codeHash, deviceId, publicKey, protection: 3, label: "stored", at: AT });
  if (typeof device === "string") throw new Error(device);
  return { account, deviceId, partition: partitionOf(account) };
}

/** Of a database file that nobody has open. */
export function sqliteFiller(path: string): Filler {
  return {
    fill: async (payments, report) => {
      const store = new SqliteIssuerStore(path);
      const { account, deviceId, partition } = await holder(store);
      await store.close();
      const database = new DatabaseSync(path);
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -1048576;");
      database
        .prepare(
          `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
          INSERT INTO certificates (partition, certificate_id, account, device_id, serial, status_index, message_id,
              limit_minor, per_payment_cap_minor, allowance_minor, protection, issued_at, expires_at, to_be_signed, bytes,
              explanation)
            SELECT ?, lower(hex(randomblob(16))), ?, ?, 1000000 + i, i, lower(hex(randomblob(32))), 1000, 1000, 1000, 3,
              ${AT}, ${AT}, randomblob(190), randomblob(178), '{}' FROM n`,
        )
        .run(Math.ceil(payments / PAYMENTS_A_CERTIFICATE), partition, account, deviceId);
      for (let done = 0; done < payments; done += CHUNK) {
        const count = Math.min(CHUNK, payments - done);
        database.exec("BEGIN");
        database
          .prepare(
            `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
            INSERT INTO inbox SELECT ? + i, i % 256, lower(hex(randomblob(32))), 'terminal', '${SENDER}',
              printf('%013x', k) || substr(lower(hex(randomblob(26))), 1, 51), k, ${AT}, randomblob(${RECORD_BYTES})
              FROM (SELECT i, abs(random()) >> 11 AS k FROM n)`,
          )
          .run(count, done);
        database
          .prepare(
            `INSERT INTO payments SELECT inbox_id, partition, 1 + (inbox_id - 1) / ${PAYMENTS_A_CERTIFICATE}, inbox_id, payment_id,
              'payment', 1 + (inbox_id - 1) % ${PAYMENTS_A_CERTIFICATE}, 10, 10, substr(record_hash, 1, 16),
              substr(record_hash, 17, 32), 'settled', NULL, 'STORED', '${SENDER}', 10, 10, 10, 0, 0, inbox_id, ${AT}, NULL
            FROM inbox WHERE inbox_id > ? AND inbox_id <= ?`,
          )
          .run(done, done + count);
        database
          .prepare(
            `INSERT INTO entries SELECT inbox_id, partition, 'settlement', 'settlement:' || payment_id, 'EUR', ${AT},
              '[["wallet:${account}","10"],["clearing:STORED","-10"]]', randomblob(32)
            FROM inbox WHERE inbox_id > ? AND inbox_id <= ?`,
          )
          .run(done, done + count);
        database.exec("COMMIT");
        report(`SQLite: ${done + count} of ${payments} payments stored...`);
      }
      database.exec(`UPDATE inbox_progress SET done_up_to = ${payments};
        INSERT INTO ledger_heads VALUES (${partition}, ${payments}, zeroblob(32))
          ON CONFLICT DO UPDATE SET entry_id = excluded.entry_id;
        PRAGMA wal_checkpoint(TRUNCATE);`);
      database.close();
      report("SQLite: writing the index of payments...");
      indexPayments(path);
      // Else the system goes on writing all of it while the clock runs.
      const file = await open(path, "r+");
      await file.sync();
      await file.close();
    },
  };
}

/** Where records are found by their payments: a store writes it with its records, which were written by SQL here. */
function indexPayments(path: string): void {
  const database = new Database(path);
  database.transaction(() =>
    writeWhole(database, database.iterate("SELECT payment_key, inbox_id FROM inbox ORDER BY payment_key, inbox_id")),
  );
  database.close();
}

/** @param store Of the database of the connection string: it has made the tables. */
export function postgresFiller(connectionString: string, store: IssuerStore): Filler {
  return {
    fill: async (payments, report) => {
      const { account, deviceId, partition } = await holder(store);
      const client = new pg.Client({ connectionString, options: "-c search_path=cairn -c synchronous_commit=off" });
      await client.connect();
      const random = (bytes: number): string =>
        `substr(${Array.from({ length: Math.ceil(bytes / 16) }, () => "uuid_send(gen_random_uuid())").join(" || ")}, 1, ${bytes})`;
      // Random bytes cost more to make than to store: one long string for all, told apart by its first bytes.
      const filled = (bytes: number): string =>
        `uuid_send(gen_random_uuid()) || '\\x${"5a".repeat(bytes - 16)}'::bytea`;
      await client.query(
        `INSERT INTO certificates (partition, certificate_id, account, device_id, serial, status_index, message_id,
            limit_minor, per_payment_cap_minor, allowance_minor, protection, issued_at, expires_at, to_be_signed, bytes,
            explanation)
          SELECT $2, ${random(16)}, $3, decode($4, 'hex'), 1000000 + i, nextval('status_indices'), ${random(32)}, 1000, 1000,
            1000, 3, ${AT}, ${AT}, ${filled(190)}, ${filled(178)}, '{}' FROM generate_series(1, $1) AS i`,
        [Math.ceil(payments / PAYMENTS_A_CERTIFICATE), partition, account, deviceId],
      );
      for (let done = 0; done < payments; done += CHUNK) {
        const count = Math.min(CHUNK, payments - done);
        await client.query(
          `WITH made AS MATERIALIZED (
              SELECT nextval('inbox_ids') AS inbox_id, (i % 256)::smallint AS partition, ${random(32)} AS payment_id,
                ${random(32)} AS record_hash, $2::bigint + i AS entry_id,
                ${random(16)} AS certificate_id FROM generate_series(1, $1) AS i
            ), received AS (
              INSERT INTO inbox (inbox_id, received_at, payment_key, partition, brought_by, record_hash, sender_id, payment_id,
                  bytes)
                SELECT inbox_id, ${AT}, ('x' || substr(encode(payment_id, 'hex'), 1, 13))::bit(52)::bigint, partition, 'terminal', record_hash, '\\x${SENDER}', payment_id, ${filled(RECORD_BYTES)}
                FROM made
            ), paid AS (
              INSERT INTO payments (sequence, spent_minor, amount_minor, claimed_minor, taken_minor, funded_balance_minor,
                  funded_credit_minor, funded_reserve_minor, decided_at, inbox_id, entry_id, partition, kind, state,
                  certificate_id, payment_id, previous, request_hash, payee_id, terminal_id)
                SELECT 1, 10, 10, 10, 10, 10, 0, 0, ${AT}, inbox_id, entry_id, partition, 'payment', 'settled',
                  certificate_id, payment_id, substr(record_hash, 1, 8), substr(record_hash, 9, 16), 'STORED',
                  '\\x${SENDER}' FROM made
            )
            INSERT INTO entries (entry_id, posted_at, partition, kind, currency, reference, hash, ledger_accounts, minors)
              SELECT entry_id, ${AT}, partition, 'settlement', 'EUR', 'settlement:' || encode(payment_id, 'hex'), record_hash,
                ARRAY['wallet:${account}', 'clearing:STORED'], ARRAY[10, -10] FROM made`,
          [count, done],
        );
        report(`PostgreSQL: ${done + count} of ${payments} payments stored...`);
      }
      await client.query("SELECT setval('entry_blocks', $1)", [Math.ceil(payments / 1_024) + 1]);
      await client.query("VACUUM ANALYZE");
      await client.query("CHECKPOINT");
      await client.end();
    },
  };
}
