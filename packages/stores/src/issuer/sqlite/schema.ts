import type { Row } from "./database.ts";
import { writeWhole } from "./payment-index/payment-index.ts";
import type { Tables } from "./payment-index/run.ts";

/** SQL, or what SQL alone cannot do. */
export type Migration =
  | string
  | ((database: Tables & { iterate(sql: string): Iterable<Row> }, progress?: (line: string) => void) => void);

/** The tables that say where a record is found by its payment; all of it can be worked out from the inbox. */
export const CREATE_PAYMENT_INDEX = `
  -- Where a record is found by its payment: sorted entries (payment-index/entries.ts), each row as long as a page of the file.
  CREATE TABLE payment_index_pages (
    page INTEGER PRIMARY KEY,
    entries BLOB NOT NULL
  ) STRICT;
  -- Pages that were written together, of one run: the first key of each, and a filter over all keys (key-filter.ts).
  CREATE TABLE payment_index_segments (
    first_page INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    first_keys BLOB NOT NULL,
    filter BLOB NOT NULL
  ) STRICT;
  -- Records up to \`up_to\` have their entries in this run or in one whose \`up_to\` is lower. \`inputs\`: of a growing one, JSON,
  -- the numbers of the runs that are merged into it.
  CREATE TABLE payment_index_runs (
    run INTEGER PRIMARY KEY,
    level INTEGER NOT NULL,
    up_to INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state = 'whole' OR state = 'growing' OR state = 'left'),
    inputs TEXT NOT NULL
  ) STRICT;
`;

/**
 * Every change of the database's shape, oldest first; `user_version` counts those that were made. Never edit one that
 * was released: add another.
 *
 * Identifiers are lower-case hexadecimal text: twice the bytes of blobs, but read and written without conversion, which
 * is where the time of a batch goes, and legible to whoever has to look. Amounts are minor units, times seconds since
 * 1970. Where a row has a partition it is that of the account, or for what belongs to no account a number made from its
 * own id.
 *
 * What grows with every payment (inbox, payments, entries) is written behind what is there, and found by indices of
 * small numbers: so a payment costs the same after ten million others as after ten. What is found by a random id is found
 * through runs of sorted ids (payment-index.ts), which are written behind what is there too.
 */
export const MIGRATIONS: readonly Migration[] = [
  `
  CREATE TABLE accounts (
    partition INTEGER NOT NULL CHECK (partition BETWEEN 0 AND 255),
    account INTEGER NOT NULL,
    name TEXT NOT NULL,
    currency TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'frozen')),
    credit_line_minor INTEGER NOT NULL CHECK (credit_line_minor >= 0),
    overdue_minor INTEGER NOT NULL CHECK (overdue_minor >= 0),
    score_band TEXT NOT NULL CHECK (score_band IN ('A', 'B', 'C', 'D', 'E')),
    informed_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (partition, account)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE devices (
    partition INTEGER NOT NULL,
    device_id TEXT NOT NULL,
    account INTEGER NOT NULL,
    public_key BLOB NOT NULL,
    protection INTEGER NOT NULL CHECK (protection BETWEEN 0 AND 3),
    label TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'frozen')),
    replaces_device_id TEXT,
    enrolled_at INTEGER NOT NULL,
    PRIMARY KEY (partition, device_id),
    FOREIGN KEY (partition, account) REFERENCES accounts
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX devices_by_id ON devices (device_id);

  CREATE TABLE payees (
    partition INTEGER NOT NULL,
    payee_id TEXT NOT NULL,
    name TEXT NOT NULL,
    currency TEXT NOT NULL,
    per_payment_cap_minor INTEGER NOT NULL,
    stored_total_cap_minor INTEGER NOT NULL,
    per_certificate_cap_minor INTEGER NOT NULL,
    maximum_offline_seconds INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (partition, payee_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE terminals (
    partition INTEGER NOT NULL,
    terminal_id TEXT NOT NULL,
    payee_id TEXT NOT NULL,
    public_key BLOB NOT NULL,
    label TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'frozen')),
    enrolled_at INTEGER NOT NULL,
    PRIMARY KEY (partition, terminal_id),
    FOREIGN KEY (partition, payee_id) REFERENCES payees
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX terminals_by_id ON terminals (terminal_id);

  CREATE TABLE payee_certificates (
    partition INTEGER NOT NULL,
    payee_certificate_id TEXT NOT NULL,
    terminal_id TEXT NOT NULL,
    bytes BLOB NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (partition, payee_certificate_id),
    FOREIGN KEY (partition, terminal_id) REFERENCES terminals
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX payee_certificates_of_terminal ON payee_certificates (partition, terminal_id, issued_at, number);

  CREATE TABLE enrolment_codes (
    partition INTEGER NOT NULL,
    code_hash TEXT NOT NULL,
    account INTEGER,
    replaces_device_id TEXT,
    payee_id TEXT,
    expires_at INTEGER NOT NULL,
    used_by TEXT,
    PRIMARY KEY (partition, code_hash),
    CHECK ((account IS NULL) != (payee_id IS NULL))
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE certificates (
    partition INTEGER NOT NULL,
    certificate_id TEXT NOT NULL,
    account INTEGER NOT NULL,
    device_id TEXT NOT NULL,
    serial INTEGER NOT NULL,
    status_index INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    limit_minor INTEGER NOT NULL,
    per_payment_cap_minor INTEGER NOT NULL,
    allowance_minor INTEGER NOT NULL,
    protection INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER,
    revocation_reason TEXT,
    to_be_signed BLOB NOT NULL,
    bytes BLOB,
    explanation TEXT NOT NULL,
    PRIMARY KEY (partition, certificate_id),
    FOREIGN KEY (partition, account) REFERENCES accounts,
    FOREIGN KEY (partition, device_id) REFERENCES devices
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX certificates_by_id ON certificates (certificate_id);
  CREATE UNIQUE INDEX certificates_by_serial ON certificates (partition, account, serial);
  CREATE UNIQUE INDEX certificates_by_status_index ON certificates (status_index);
  CREATE INDEX certificates_revoked ON certificates (status_index, expires_at) WHERE revoked_at IS NOT NULL;

  -- Apart from the certificates, whose rows are long and never change: this changes with every batch.
  CREATE TABLE exposures (
    partition INTEGER NOT NULL,
    certificate_id TEXT NOT NULL,
    settled_minor INTEGER NOT NULL CHECK (settled_minor >= 0),
    released_minor INTEGER NOT NULL CHECK (released_minor >= 0),
    PRIMARY KEY (partition, certificate_id),
    FOREIGN KEY (partition, certificate_id) REFERENCES certificates
  ) STRICT, WITHOUT ROWID;

  -- Every closing ever received; the one that counts is the first.
  CREATE TABLE closings (
    partition INTEGER NOT NULL,
    certificate_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    spent_minor INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    closed_at INTEGER NOT NULL,
    counts INTEGER NOT NULL CHECK (counts IN (0, 1)),
    PRIMARY KEY (partition, certificate_id, message_id),
    FOREIGN KEY (partition, certificate_id) REFERENCES certificates
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX closings_that_count ON closings (partition, certificate_id) WHERE counts = 1;

  CREATE TABLE conflicts (
    partition INTEGER NOT NULL,
    certificate_id TEXT NOT NULL,
    account INTEGER NOT NULL,
    kind TEXT NOT NULL,
    first_id TEXT NOT NULL,
    second_id TEXT NOT NULL,
    first_bytes BLOB NOT NULL,
    second_bytes BLOB NOT NULL,
    proven_at INTEGER NOT NULL,
    resolved_at INTEGER,
    PRIMARY KEY (partition, certificate_id),
    FOREIGN KEY (partition, certificate_id) REFERENCES certificates
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX conflicts_unresolved ON conflicts (partition, account) WHERE resolved_at IS NULL;

  -- \`payment_key\` is the number that the payment's id begins with (payment-key.ts): an index of small numbers costs a third
  -- of one of ids. Whoever looks up compares the id as well.
  CREATE TABLE inbox (
    inbox_id INTEGER PRIMARY KEY,
    partition INTEGER NOT NULL CHECK (partition BETWEEN 0 AND 255),
    record_hash TEXT NOT NULL,
    brought_by TEXT NOT NULL CHECK (brought_by IN ('terminal', 'payer')),
    sender_id TEXT NOT NULL,
    payment_id TEXT,
    payment_key INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    bytes BLOB NOT NULL
  ) STRICT;
  CREATE INDEX inbox_by_payment ON inbox (payment_key);

  -- Every record up to this number has its answer: where the look for waiting ones begins when the file is opened.
  CREATE TABLE inbox_progress (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    done_up_to INTEGER NOT NULL
  ) STRICT;
  INSERT INTO inbox_progress VALUES (1, 0);
  -- Of records that did not become a payment of their own: rejected ones, repetitions, further claims.
  CREATE TABLE inbox_answers (
    inbox_id INTEGER PRIMARY KEY,
    decided_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'settled', 'refused', 'held', 'released', 'rejected', 'noted')),
    code TEXT,
    sentence TEXT
  ) STRICT;

  -- In the order in which they became known, whatever their certificate: a row put among others far back would have to
  -- be fetched from the disk and written with all its neighbours. \`certificate\` is the certificate's status index;
  -- \`inbox_id\` the record that the payment was first known from.
  CREATE TABLE payments (
    payment_number INTEGER PRIMARY KEY,
    partition INTEGER NOT NULL,
    certificate INTEGER NOT NULL,
    inbox_id INTEGER NOT NULL,
    payment_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('payment', 'open-payment')),
    sequence INTEGER NOT NULL,
    spent_minor INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL,
    previous TEXT NOT NULL,
    request_hash TEXT,
    state TEXT NOT NULL CHECK (state IN ('pending', 'settled', 'refused', 'held', 'released')),
    code TEXT,
    payee_id TEXT,
    terminal_id TEXT,
    claimed_minor INTEGER,
    taken_minor INTEGER NOT NULL,
    funded_balance_minor INTEGER,
    funded_credit_minor INTEGER,
    funded_reserve_minor INTEGER,
    entry_id INTEGER,
    decided_at INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    CHECK (taken_minor BETWEEN 0 AND amount_minor AND (state = 'settled' OR taken_minor = 0)),
    CHECK ((state = 'settled') = (funded_balance_minor IS NOT NULL)),
    CHECK ((taken_minor > 0) = (entry_id IS NOT NULL)),
    CHECK (funded_balance_minor + funded_credit_minor + funded_reserve_minor = taken_minor)
  ) STRICT;
  CREATE INDEX payments_of_certificate ON payments (certificate);
  CREATE INDEX payments_of_record ON payments (inbox_id);
  CREATE INDEX payments_of_payee ON payments (payee_id, entry_id) WHERE entry_id IS NOT NULL;
  CREATE INDEX payments_pending ON payments (certificate) WHERE state = 'pending';
  CREATE INDEX payments_held ON payments (certificate) WHERE state = 'held';

  -- Claims that did not become the payment's own outcome.
  CREATE TABLE side_claims (
    partition INTEGER NOT NULL,
    certificate_id TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    terminal_id TEXT NOT NULL,
    claimed_minor INTEGER NOT NULL,
    payee_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('refused', 'held')),
    code TEXT NOT NULL,
    decided_at INTEGER NOT NULL,
    PRIMARY KEY (partition, certificate_id, payment_id, terminal_id, claimed_minor)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX side_claims_by_payment ON side_claims (payment_id);

  CREATE TABLE request_voids (
    partition INTEGER NOT NULL,
    request_hash TEXT NOT NULL,
    payee_id TEXT NOT NULL,
    terminal_id TEXT NOT NULL,
    bytes BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (partition, request_hash)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX request_voids_by_hash ON request_voids (request_hash);

  -- \`postings\`: JSON as it is hashed, [[ledger account, minor units as text], ...].
  CREATE TABLE entries (
    entry_id INTEGER PRIMARY KEY,
    partition INTEGER NOT NULL,
    kind TEXT NOT NULL,
    reference TEXT NOT NULL,
    currency TEXT NOT NULL,
    posted_at INTEGER NOT NULL,
    postings TEXT NOT NULL,
    hash BLOB NOT NULL
  ) STRICT;
  -- What settles a payment is named by the payment itself, which is final once it does.
  CREATE UNIQUE INDEX entries_by_reference ON entries (partition, reference) WHERE kind != 'settlement';
  -- The entries of wallets, credits and payees that settle no payment.
  CREATE TABLE account_entries (
    ledger_account TEXT NOT NULL,
    entry_id INTEGER NOT NULL,
    PRIMARY KEY (ledger_account, entry_id),
    FOREIGN KEY (entry_id) REFERENCES entries
  ) STRICT, WITHOUT ROWID;

  -- The newest entry of each partition: without it the last entries could be cut off unseen.
  CREATE TABLE ledger_heads (
    partition INTEGER NOT NULL PRIMARY KEY,
    entry_id INTEGER NOT NULL,
    hash BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Debit positive, credit negative. No wallet below zero, no credit repaid beyond what was used.
  CREATE TABLE balances (
    partition INTEGER NOT NULL,
    ledger_account TEXT NOT NULL,
    currency TEXT NOT NULL,
    minor INTEGER NOT NULL,
    PRIMARY KEY (partition, ledger_account, currency),
    CHECK (CASE
      WHEN ledger_account LIKE 'wallet:%' OR ledger_account LIKE 'clearing:%' OR ledger_account LIKE 'payee:%'
        OR ledger_account IN ('payouts', 'fees') THEN minor <= 0
      WHEN ledger_account LIKE 'credit:%' OR ledger_account = 'loss-reserve' THEN minor >= 0
      ELSE 1
    END)
  ) STRICT, WITHOUT ROWID;

  -- What was agreed, ordered or decided by people beside the ledger: JSON by kind and id (movements-port.ts).
  CREATE TABLE operation_records (
    partition INTEGER NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (partition, kind, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX operation_records_by_kind ON operation_records (kind, id);

  CREATE TABLE nonces (
    partition INTEGER NOT NULL,
    nonce TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (partition, nonce)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX nonces_by_expiry ON nonces (expires_at);

  -- What was written stays written.
  CREATE TRIGGER entries_stay BEFORE DELETE ON entries
    BEGIN SELECT RAISE(ABORT, 'no entry is deleted'); END;
  CREATE TRIGGER entries_never_change BEFORE UPDATE ON entries
    BEGIN SELECT RAISE(ABORT, 'no entry is changed'); END;
  CREATE TRIGGER inbox_stays BEFORE DELETE ON inbox
    BEGIN SELECT RAISE(ABORT, 'no record is deleted'); END;
  CREATE TRIGGER payments_stay BEFORE DELETE ON payments
    BEGIN SELECT RAISE(ABORT, 'no payment is deleted'); END;
  CREATE TRIGGER settled_is_final BEFORE UPDATE ON payments WHEN OLD.state = 'settled'
    BEGIN SELECT RAISE(ABORT, 'a settled payment never changes'); END;
  `,
  `
  -- What statements asked to be repaid and was not yet, oldest first: JSON, [{"dueAt": seconds, "minor": text}].
  ALTER TABLE accounts ADD COLUMN dues TEXT NOT NULL DEFAULT '[]';
  ALTER TABLE accounts ADD COLUMN statement_at INTEGER NOT NULL DEFAULT 0;
  UPDATE accounts SET statement_at = created_at;
  CREATE INDEX accounts_by_statement ON accounts (statement_at);

  -- What of the limit was held on the balance; whether it was only asked for ahead; every revocation and restoration,
  -- oldest first: JSON, [{"change": "revoked" or "restored", "at": seconds, "reason": text}].
  ALTER TABLE certificates ADD COLUMN held_minor INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE certificates ADD COLUMN issued_ahead INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE certificates ADD COLUMN changes TEXT NOT NULL DEFAULT '[]';
  UPDATE certificates SET held_minor = limit_minor;
  UPDATE certificates SET changes = json_array(
    json_object('change', 'revoked', 'at', revoked_at, 'reason', revocation_reason)) WHERE revoked_at IS NOT NULL;
  `,
  `
  -- Of a long history a batch needs a few payments, found by their numbers.
  DROP INDEX payments_of_certificate;
  CREATE INDEX payments_of_certificate ON payments (certificate, sequence);
  `,
  `
  -- "state IN (...)" makes a table of its own for the words and throws it away again, with each row that is written. Says the
  -- same in words that are compared; no row changes (https://www.sqlite.org/lang_altertable.html, section 7).
  PRAGMA writable_schema = ON;
  UPDATE sqlite_schema SET sql = replace(sql,
      'CHECK (state IN (''pending'', ''settled'', ''refused'', ''held'', ''released'')',
      'CHECK (state = ''settled'' OR state = ''pending'' OR state = ''refused'' OR state = ''held'' OR state = ''released''')
    WHERE type = 'table' AND name = 'payments';
  PRAGMA writable_schema = RESET;
  `,
  CREATE_PAYMENT_INDEX,
  (database, progress) =>
    writeWhole(
      database,
      database.iterate(
        "SELECT payment_key, inbox_id FROM inbox INDEXED BY inbox_by_payment ORDER BY payment_key, inbox_id",
      ),
      progress,
    ),
  "DROP INDEX inbox_by_payment",
  `
  -- The signed message is in the record that the payment was first known from: NULL here, but for what was written before.
  -- No row changes, as above.
  PRAGMA writable_schema = ON;
  UPDATE sqlite_schema SET sql = replace(sql, 'bytes BLOB NOT NULL', 'bytes BLOB')
    WHERE type = 'table' AND name = 'payments';
  PRAGMA writable_schema = RESET;
  `,
];
