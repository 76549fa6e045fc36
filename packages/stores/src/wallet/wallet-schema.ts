import type { DatabaseSync } from "node:sqlite";
import { WalletFileError } from "./wallet-file-error.ts";

/**
 * Every change of the file's shape, oldest first; `user_version` counts those that were made. Identifiers are
 * lower-case hexadecimal text, amounts minor units, times seconds since 1970, `entry` the order of making. A payment's
 * row is its certificate's counter as well: the highest sequence is where the chain stands. What must never happen is
 * forbidden to the database too: a sequence or a request twice, a payment or a closing after a closing, a chain, a
 * signature or a proof that changes, a record deleted.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE identity (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    device_key BLOB NOT NULL,
    root_key BLOB NOT NULL,
    issuer_id TEXT NOT NULL,
    issuer_name TEXT NOT NULL,
    currency TEXT NOT NULL,
    trust_list BLOB NOT NULL,
    status_list BLOB NOT NULL,
    newest_seen INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE certificates (
    entry INTEGER PRIMARY KEY AUTOINCREMENT,
    certificate_id TEXT NOT NULL UNIQUE,
    certificate BLOB NOT NULL,
    limit_minor INTEGER NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0 CHECK (revoked IN (0, 1)),
    closing_draft BLOB,
    closing BLOB,
    closing_delivered INTEGER NOT NULL DEFAULT 0 CHECK (closing_delivered IN (0, 1)),
    CHECK (closing_draft IS NOT NULL OR (closing IS NULL AND closing_delivered = 0))
  ) STRICT;

  CREATE TABLE payments (
    entry INTEGER PRIMARY KEY AUTOINCREMENT,
    payment_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('payment', 'open-payment')),
    certificate_id TEXT NOT NULL REFERENCES certificates (certificate_id),
    sequence INTEGER NOT NULL CHECK (sequence > 0),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    spent_minor INTEGER NOT NULL CHECK (spent_minor >= amount_minor),
    prepared_at INTEGER NOT NULL,
    request_id TEXT UNIQUE,
    draft BLOB NOT NULL,
    signed BLOB,
    shown INTEGER NOT NULL DEFAULT 0 CHECK (shown IN (0, 1)),
    request BLOB,
    payee_certificate BLOB,
    receipt BLOB,
    request_void BLOB,
    outcome_state TEXT CHECK (outcome_state IN ('pending', 'settled', 'refused', 'held', 'released')),
    outcome_code TEXT,
    outcome_sentence TEXT,
    outcome_taken_minor INTEGER,
    outcome_heard_at INTEGER,
    UNIQUE (certificate_id, sequence),
    CHECK ((kind = 'payment') = (request_id IS NOT NULL) AND (kind = 'payment') = (request IS NOT NULL)),
    CHECK (payee_certificate IS NOT NULL OR (kind = 'open-payment' AND receipt IS NULL)),
    CHECK (shown = 0 OR signed IS NOT NULL),
    CHECK ((outcome_state IS NULL) = (outcome_sentence IS NULL)
      AND (outcome_state IS NULL) = (outcome_taken_minor IS NULL)
      AND (outcome_state IS NULL) = (outcome_heard_at IS NULL))
  ) STRICT;
  CREATE INDEX payments_unsigned ON payments (certificate_id) WHERE signed IS NULL;
  CREATE INDEX payments_unshown_open ON payments (entry) WHERE kind = 'open-payment' AND shown = 0;
  CREATE INDEX payments_unfinished ON payments (entry)
    WHERE outcome_state IS NULL OR outcome_state IN ('pending', 'held');

  CREATE TRIGGER one_link_at_a_time BEFORE INSERT ON payments
    WHEN NEW.sequence <> 1 + (SELECT coalesce(max(sequence), 0) FROM payments WHERE certificate_id = NEW.certificate_id)
    BEGIN SELECT RAISE(ABORT, 'a chain grows by one link'); END;
  CREATE TRIGGER nothing_after_a_closing BEFORE INSERT ON payments
    WHEN EXISTS (SELECT 1 FROM certificates
      WHERE certificate_id = NEW.certificate_id AND closing_draft IS NOT NULL)
    BEGIN SELECT RAISE(ABORT, 'a closed certificate signs no more'); END;
  CREATE TRIGGER payments_stay_as_made BEFORE UPDATE ON payments
    WHEN NEW.payment_id <> OLD.payment_id OR NEW.certificate_id <> OLD.certificate_id
      OR NEW.sequence <> OLD.sequence OR NEW.amount_minor <> OLD.amount_minor OR NEW.spent_minor <> OLD.spent_minor
      OR NEW.draft <> OLD.draft OR NEW.shown < OLD.shown OR NEW.request_id IS NOT OLD.request_id
      OR (OLD.signed IS NOT NULL AND NEW.signed IS NOT OLD.signed)
      OR (OLD.receipt IS NOT NULL AND NEW.receipt IS NOT OLD.receipt)
      OR (OLD.request_void IS NOT NULL AND NEW.request_void IS NOT OLD.request_void)
    BEGIN SELECT RAISE(ABORT, 'what was made stays as it is'); END;
  CREATE TRIGGER closings_stay BEFORE UPDATE ON certificates
    WHEN NEW.certificate <> OLD.certificate
      OR (OLD.closing_draft IS NOT NULL AND NEW.closing_draft IS NOT OLD.closing_draft)
      OR (OLD.closing IS NOT NULL AND NEW.closing IS NOT OLD.closing)
    BEGIN SELECT RAISE(ABORT, 'a closing is the last word'); END;
  CREATE TRIGGER payments_stay BEFORE DELETE ON payments
    BEGIN SELECT RAISE(ABORT, 'no record is deleted'); END;
  CREATE TRIGGER certificates_stay BEFORE DELETE ON certificates
    BEGIN SELECT RAISE(ABORT, 'no record is deleted'); END;
  CREATE TRIGGER identity_stays BEFORE DELETE ON identity
    BEGIN SELECT RAISE(ABORT, 'no record is deleted'); END;
  `,
];

/** Brings a file up to date. Call it inside a write transaction. @throws WalletFileError WALLET_FILE_TOO_NEW */
export function migrateWallet(database: DatabaseSync): void {
  const made = Number(database.prepare("PRAGMA user_version").get()?.user_version ?? 0);
  if (made > MIGRATIONS.length) {
    throw new WalletFileError("WALLET_FILE_TOO_NEW", "This wallet was written by a newer version of the program.");
  }
  for (const migration of MIGRATIONS.slice(made)) database.exec(migration);
  if (made < MIGRATIONS.length) database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
}
