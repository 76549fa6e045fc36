import type { DatabaseSync } from "node:sqlite";
import { TerminalJournalError } from "./journal-error.ts";

/**
 * Every change of the file's shape, oldest first; `user_version` counts those that were made. Identifiers are
 * lower-case hexadecimal text, amounts minor units, times seconds since 1970, `entry` the order of making. What must
 * never happen is forbidden to the database too: a payment or a request's payment twice, two payments of a certificate
 * with one sequence, a request both paid and voided, a capture changed, a record deleted.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE marks (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    issuer_time INTEGER NOT NULL,
    refused_not_kept INTEGER NOT NULL
  ) STRICT;
  INSERT INTO marks VALUES (1, 0, 0);

  CREATE TABLE setup (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    revision INTEGER NOT NULL,
    root_key BLOB NOT NULL,
    trust_list BLOB NOT NULL,
    status_list BLOB NOT NULL,
    payee_certificate BLOB NOT NULL
  ) STRICT;

  CREATE TABLE payee_certificates (
    payee_certificate_id TEXT PRIMARY KEY,
    payee_certificate BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE requests (
    entry INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id TEXT NOT NULL UNIQUE,
    request_hash TEXT NOT NULL UNIQUE,
    request BLOB NOT NULL,
    payee_certificate_id TEXT NOT NULL REFERENCES payee_certificates,
    issued_at INTEGER NOT NULL,
    paid_by TEXT,
    voided_at INTEGER,
    request_void BLOB,
    void_answered_at INTEGER,
    CHECK (paid_by IS NULL OR voided_at IS NULL),
    CHECK (voided_at IS NOT NULL OR (request_void IS NULL AND void_answered_at IS NULL))
  ) STRICT;
  CREATE INDEX requests_by_time ON requests (issued_at, entry);
  CREATE INDEX voids_unanswered ON requests (entry) WHERE voided_at IS NOT NULL AND void_answered_at IS NULL;

  CREATE TABLE acceptances (
    entry INTEGER PRIMARY KEY AUTOINCREMENT,
    payment_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('payment', 'open-payment')),
    certificate_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    spent_minor INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL,
    certificate BLOB NOT NULL,
    payment BLOB NOT NULL,
    payee_certificate_id TEXT NOT NULL REFERENCES payee_certificates,
    request_id TEXT UNIQUE REFERENCES requests (request_id),
    accepted_at INTEGER NOT NULL,
    risk TEXT CHECK (risk IN ('STATUS_LIST_STALE', 'PAYEE_CEILING_REACHED')),
    taken_minor INTEGER,
    capture BLOB,
    answer_state TEXT CHECK (answer_state IN ('received', 'pending', 'settled', 'refused', 'held', 'released')),
    answer_code TEXT,
    answer_sentence TEXT,
    answer_taken_minor INTEGER,
    answered_at INTEGER,
    UNIQUE (certificate_id, sequence),
    CHECK ((kind = 'payment') = (request_id IS NOT NULL)),
    CHECK (taken_minor BETWEEN 0 AND amount_minor),
    CHECK ((answer_state IS NULL) = (answered_at IS NULL) AND (answer_state IS NULL) = (answer_taken_minor IS NULL))
  ) STRICT;
  CREATE INDEX acceptances_by_time ON acceptances (accepted_at, entry);
  CREATE INDEX acceptances_unanswered ON acceptances (entry, taken_minor, amount_minor) WHERE answer_state IS NULL;
  CREATE INDEX acceptances_to_ask ON acceptances (answered_at, entry)
    WHERE answer_state IN ('received', 'pending', 'held', 'released');

  CREATE TABLE refused_payments (
    entry INTEGER PRIMARY KEY AUTOINCREMENT,
    payment_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('payment', 'open-payment')),
    certificate_id TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    certificate BLOB NOT NULL,
    payment BLOB NOT NULL,
    code TEXT NOT NULL,
    refused_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX refused_by_certificate ON refused_payments (certificate_id);

  CREATE TRIGGER captured_once BEFORE UPDATE OF taken_minor ON acceptances
    WHEN OLD.taken_minor IS NOT NULL AND NEW.taken_minor IS NOT OLD.taken_minor
    BEGIN SELECT RAISE(ABORT, 'a capture never changes'); END;
  CREATE TRIGGER acceptances_stay BEFORE DELETE ON acceptances
    BEGIN SELECT RAISE(ABORT, 'no record is deleted'); END;
  CREATE TRIGGER requests_stay BEFORE DELETE ON requests
    BEGIN SELECT RAISE(ABORT, 'no record is deleted'); END;
  CREATE TRIGGER refused_payments_stay BEFORE DELETE ON refused_payments
    BEGIN SELECT RAISE(ABORT, 'no record is deleted'); END;
  `,
  // Several issuers. `guest_issuer_id` is null where the terminal's own issuer settles.
  `
  ALTER TABLE setup ADD COLUMN issuer_id TEXT;
  CREATE TABLE guests (
    issuer_id TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    status_list BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE guests_told (
    request_id TEXT NOT NULL REFERENCES requests (request_id),
    issuer_id TEXT NOT NULL,
    answered_at INTEGER NOT NULL,
    PRIMARY KEY (request_id, issuer_id)
  ) STRICT, WITHOUT ROWID;
  ALTER TABLE acceptances ADD COLUMN guest_issuer_id TEXT;
  `,
];

/** Brings a file up to date. Call it inside a write transaction. @throws TerminalJournalError JOURNAL_TOO_NEW */
export function migrate(database: DatabaseSync): void {
  const made = Number(database.prepare("PRAGMA user_version").get()?.user_version ?? 0);
  if (made > MIGRATIONS.length) {
    throw new TerminalJournalError("JOURNAL_TOO_NEW", "This journal was written by a newer version of the program.");
  }
  for (const migration of MIGRATIONS.slice(made)) database.exec(migration);
  if (made < MIGRATIONS.length) database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
}
