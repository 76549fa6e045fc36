/**
 * Every change of the database's shape, oldest first. Never edit one that was released: add another.
 *
 * Identifiers that are hexadecimal text to the program are `bytea` here: half the bytes in every row and index. Amounts
 * are minor units, times seconds since 1970. Every key begins with the partition, no key and no foreign key reaches
 * across partitions, and every transaction that locks stays inside one: so each table can be distributed by its
 * partition. Foreign keys are kept where rows are few; where they are many (a lookup and a lock for each row) the lock
 * on the partition and the audit of the books stand in for them. Decision: docs/decisions/0056-postgresql-schema.md.
 */
export type Migration = {
  readonly sql: string;
  /**
   * An index over a table of any size that `sql` goes by, made before it: while everybody goes on writing, for as long
   * as it takes.
   */
  readonly index?: { readonly name: string; readonly unique: boolean; readonly table: string; readonly on: string };
  /**
   * The oldest program, by the number of migrations that it knows, that still works after this one. Equal to the
   * migration's own number when old programs must have stopped before.
   */
  readonly worksFrom: number;
  /** The same where the tables are distributed, when that differs because `triggers` are what old programs need. */
  readonly worksFromDistributed?: number;
  /** New tables, for a distributed engine: all are placed by their partition. */
  readonly tables: readonly string[];
  /** Rules that a distributed engine does not take. */
  readonly triggers: string;
};

export const MIGRATIONS: readonly Migration[] = [
  {
    worksFrom: 1,
    tables: [
      "partitions",
      "accounts",
      "keys",
      "devices",
      "payees",
      "terminals",
      "payee_certificates",
      "enrolment_codes",
      "certificates",
      "exposures",
      "closings",
      "conflicts",
      "inbox",
      "inbox_waiting",
      "inbox_answers",
      "payments",
      "side_claims",
      "request_voids",
      "entries",
      "account_entries",
      "balances",
      "nonces",
    ],
    sql: `
  CREATE SEQUENCE account_numbers AS bigint;
  CREATE SEQUENCE status_indices AS bigint MINVALUE 0 START 0;
  CREATE SEQUENCE inbox_ids AS bigint;
  -- Each number stands for 1,024 entry ids, taken under the lock of a partition: rising within it, unique over all.
  CREATE SEQUENCE entry_blocks AS bigint;

  -- One row a partition: its lock, the lease of the worker that settles it, and the newest entry of its books.
  CREATE TABLE partitions (
    lease_token bigint NOT NULL DEFAULT 0,
    lease_expires_at timestamptz NOT NULL DEFAULT '-infinity',
    head_entry_id bigint,
    partition smallint PRIMARY KEY CHECK (partition BETWEEN 0 AND 255),
    lease_holder text,
    head_hash bytea
  ) WITH (fillfactor = 10);
  INSERT INTO partitions (partition) SELECT generate_series(0, 255);

  CREATE TABLE accounts (
    partition smallint NOT NULL CHECK (partition BETWEEN 0 AND 255),
    account bigint NOT NULL,
    name text NOT NULL,
    currency text NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'frozen')),
    credit_line_minor bigint NOT NULL CHECK (credit_line_minor >= 0),
    overdue_minor bigint NOT NULL CHECK (overdue_minor >= 0),
    score_band text NOT NULL CHECK (score_band IN ('A', 'B', 'C', 'D', 'E')),
    informed_at bigint NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (partition, account)
  );

  -- Every key that was ever enrolled, placed by its own id: one key is one device or one terminal, for ever.
  CREATE TABLE keys (
    partition smallint NOT NULL,
    key_id bytea NOT NULL,
    code_hash text NOT NULL,
    PRIMARY KEY (partition, key_id)
  );

  CREATE TABLE devices (
    partition smallint NOT NULL,
    device_id bytea NOT NULL,
    account bigint NOT NULL,
    public_key bytea NOT NULL,
    protection smallint NOT NULL CHECK (protection BETWEEN 0 AND 3),
    label text NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'frozen')),
    replaces_device_id bytea,
    enrolled_at bigint NOT NULL,
    PRIMARY KEY (partition, device_id),
    FOREIGN KEY (partition, account) REFERENCES accounts
  );
  CREATE INDEX devices_by_id ON devices (device_id);

  CREATE TABLE payees (
    partition smallint NOT NULL,
    payee_id text NOT NULL,
    name text NOT NULL,
    currency text NOT NULL,
    per_payment_cap_minor bigint NOT NULL,
    stored_total_cap_minor bigint NOT NULL,
    per_certificate_cap_minor bigint NOT NULL,
    maximum_offline_seconds bigint NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (partition, payee_id)
  );

  CREATE TABLE terminals (
    partition smallint NOT NULL,
    terminal_id bytea NOT NULL,
    payee_id text NOT NULL,
    public_key bytea NOT NULL,
    label text NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'frozen')),
    enrolled_at bigint NOT NULL,
    PRIMARY KEY (partition, terminal_id),
    FOREIGN KEY (partition, payee_id) REFERENCES payees
  );
  CREATE INDEX terminals_by_id ON terminals (terminal_id);

  CREATE TABLE payee_certificates (
    partition smallint NOT NULL,
    payee_certificate_id bytea NOT NULL,
    terminal_id bytea NOT NULL,
    bytes bytea NOT NULL,
    issued_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    number integer NOT NULL,
    PRIMARY KEY (partition, payee_certificate_id),
    FOREIGN KEY (partition, terminal_id) REFERENCES terminals
  );
  CREATE INDEX payee_certificates_of_terminal ON payee_certificates (partition, terminal_id, issued_at, number);

  CREATE TABLE enrolment_codes (
    partition smallint NOT NULL,
    code_hash text NOT NULL,
    account bigint,
    replaces_device_id bytea,
    payee_id text,
    expires_at bigint NOT NULL,
    used_by bytea,
    PRIMARY KEY (partition, code_hash),
    CHECK ((account IS NULL) <> (payee_id IS NULL))
  );

  CREATE TABLE certificates (
    partition smallint NOT NULL,
    certificate_id bytea NOT NULL,
    account bigint NOT NULL,
    device_id bytea NOT NULL,
    serial bigint NOT NULL,
    status_index bigint NOT NULL,
    message_id bytea NOT NULL,
    limit_minor bigint NOT NULL,
    per_payment_cap_minor bigint NOT NULL,
    allowance_minor bigint NOT NULL,
    protection smallint NOT NULL,
    issued_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    revoked_at bigint,
    revocation_reason text,
    to_be_signed bytea NOT NULL,
    bytes bytea,
    explanation text NOT NULL,
    PRIMARY KEY (partition, certificate_id),
    UNIQUE (partition, account, serial),
    FOREIGN KEY (partition, account) REFERENCES accounts,
    FOREIGN KEY (partition, device_id) REFERENCES devices
  );
  CREATE INDEX certificates_by_id ON certificates (certificate_id);
  CREATE INDEX certificates_by_status_index ON certificates (status_index);
  CREATE INDEX certificates_revoked ON certificates (status_index, expires_at) WHERE revoked_at IS NOT NULL;

  -- Apart from the certificates, whose rows are long and never change: this changes with every batch.
  CREATE TABLE exposures (
    settled_minor bigint NOT NULL CHECK (settled_minor >= 0),
    released_minor bigint NOT NULL CHECK (released_minor >= 0),
    partition smallint NOT NULL,
    certificate_id bytea NOT NULL,
    PRIMARY KEY (partition, certificate_id)
  ) WITH (fillfactor = 70);

  -- Every closing ever received; the one that counts is the first.
  CREATE TABLE closings (
    partition smallint NOT NULL,
    certificate_id bytea NOT NULL,
    message_id bytea NOT NULL,
    sequence bigint NOT NULL,
    spent_minor bigint NOT NULL,
    bytes bytea NOT NULL,
    closed_at bigint NOT NULL,
    counts smallint NOT NULL CHECK (counts IN (0, 1)),
    PRIMARY KEY (partition, certificate_id, message_id),
    FOREIGN KEY (partition, certificate_id) REFERENCES certificates
  );
  CREATE UNIQUE INDEX closings_that_count ON closings (partition, certificate_id) WHERE counts = 1;

  CREATE TABLE conflicts (
    partition smallint NOT NULL,
    certificate_id bytea NOT NULL,
    account bigint NOT NULL,
    kind text NOT NULL,
    first_id bytea NOT NULL,
    second_id bytea NOT NULL,
    first_bytes bytea NOT NULL,
    second_bytes bytea NOT NULL,
    proven_at bigint NOT NULL,
    resolved_at bigint,
    PRIMARY KEY (partition, certificate_id),
    FOREIGN KEY (partition, certificate_id) REFERENCES certificates
  );
  CREATE INDEX conflicts_unresolved ON conflicts (partition, account) WHERE resolved_at IS NULL;

  -- \`payment_key\`: the number that the payment's id begins with, or the record's hash where it names none
  -- (payment-key.ts). One small index finds a payment's records and whether a record is there: an index over whole random
  -- ids costs more than the row itself. No key keeps a record from being there twice, when two processes take in the
  -- same one in the same moment: settlement sees one payment all the same.
  CREATE TABLE inbox (
    inbox_id bigint NOT NULL DEFAULT nextval('inbox_ids'),
    received_at bigint NOT NULL,
    payment_key bigint NOT NULL,
    partition smallint NOT NULL CHECK (partition BETWEEN 0 AND 255),
    brought_by text NOT NULL CHECK (brought_by IN ('terminal', 'payer')),
    record_hash bytea NOT NULL,
    sender_id bytea NOT NULL,
    payment_id bytea,
    bytes bytea NOT NULL,
    PRIMARY KEY (partition, inbox_id)
  );
  CREATE INDEX inbox_by_payment ON inbox (payment_key);

  -- Apart from the inbox, whose rows are long and never change.
  CREATE TABLE inbox_waiting (
    inbox_id bigint NOT NULL,
    partition smallint NOT NULL,
    PRIMARY KEY (partition, inbox_id)
  );
  -- Of records that did not become a payment of their own: rejected ones, repetitions, further claims.
  CREATE TABLE inbox_answers (
    inbox_id bigint NOT NULL,
    decided_at bigint NOT NULL,
    partition smallint NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'settled', 'refused', 'held', 'released', 'rejected', 'noted')),
    code text,
    sentence text,
    PRIMARY KEY (partition, inbox_id)
  );

  CREATE TABLE payments (
    sequence bigint NOT NULL,
    spent_minor bigint NOT NULL,
    amount_minor bigint NOT NULL,
    claimed_minor bigint,
    taken_minor bigint NOT NULL,
    funded_balance_minor bigint,
    funded_credit_minor bigint,
    funded_reserve_minor bigint,
    decided_at bigint NOT NULL,
    -- The record that it was first known from, and the entry that paid it.
    inbox_id bigint NOT NULL,
    entry_id bigint,
    partition smallint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('payment', 'open-payment')),
    state text NOT NULL CHECK (state IN ('pending', 'settled', 'refused', 'held', 'released')),
    code text,
    certificate_id bytea NOT NULL,
    payment_id bytea NOT NULL,
    previous bytea NOT NULL,
    request_hash bytea,
    payee_id text,
    terminal_id bytea,
    bytes bytea NOT NULL,
    PRIMARY KEY (partition, payment_id),
    CHECK (taken_minor BETWEEN 0 AND amount_minor AND (state = 'settled' OR taken_minor = 0)),
    CHECK ((state = 'settled') = (funded_balance_minor IS NOT NULL)),
    CHECK ((taken_minor > 0) = (entry_id IS NOT NULL)),
    CHECK (funded_balance_minor + funded_credit_minor + funded_reserve_minor = taken_minor)
  );
  CREATE INDEX payments_of_certificate ON payments (partition, certificate_id);
  CREATE INDEX payments_of_payee ON payments (partition, payee_id, entry_id) WHERE entry_id IS NOT NULL;
  CREATE INDEX payments_pending ON payments (partition, certificate_id) WHERE state = 'pending';
  CREATE INDEX payments_held ON payments (partition, certificate_id) WHERE state = 'held';

  -- Claims that did not become the payment's own outcome.
  CREATE TABLE side_claims (
    partition smallint NOT NULL,
    certificate_id bytea NOT NULL,
    payment_id bytea NOT NULL,
    terminal_id bytea NOT NULL,
    claimed_minor bigint NOT NULL,
    payee_id text NOT NULL,
    state text NOT NULL CHECK (state IN ('refused', 'held')),
    code text NOT NULL,
    decided_at bigint NOT NULL,
    PRIMARY KEY (partition, certificate_id, payment_id, terminal_id, claimed_minor)
  );

  CREATE TABLE request_voids (
    partition smallint NOT NULL,
    request_hash bytea NOT NULL,
    payee_id text NOT NULL,
    terminal_id bytea NOT NULL,
    bytes bytea NOT NULL,
    received_at bigint NOT NULL,
    PRIMARY KEY (partition, request_hash)
  );

  -- An entry with all of its postings is one row: they are written together, read together and never change.
  CREATE TABLE entries (
    entry_id bigint NOT NULL,
    posted_at bigint NOT NULL,
    partition smallint NOT NULL,
    kind text NOT NULL,
    currency text NOT NULL,
    reference text NOT NULL,
    hash bytea NOT NULL,
    ledger_accounts text[] NOT NULL,
    minors bigint[] NOT NULL,
    PRIMARY KEY (partition, entry_id),
    CHECK (cardinality(ledger_accounts) = cardinality(minors) AND 0 <> ALL (minors))
  );
  -- A settlement is once by its payment's own key; everything else by its reference.
  CREATE UNIQUE INDEX entries_by_reference ON entries (partition, reference) WHERE kind <> 'settlement';

  -- Which entries concern an account or a payee, for statements; those that settle a payment are named by the payment.
  CREATE TABLE account_entries (
    entry_id bigint NOT NULL,
    partition smallint NOT NULL,
    ledger_account text NOT NULL,
    PRIMARY KEY (partition, ledger_account, entry_id)
  );

  -- Debit positive, credit negative. No wallet below zero, no credit repaid beyond what was used.
  CREATE TABLE balances (
    minor bigint NOT NULL,
    partition smallint NOT NULL,
    ledger_account text NOT NULL,
    currency text NOT NULL,
    PRIMARY KEY (partition, ledger_account, currency),
    CHECK (CASE
      WHEN ledger_account LIKE 'wallet:%' OR ledger_account LIKE 'clearing:%' THEN minor <= 0
      ELSE minor >= 0
    END)
  ) WITH (fillfactor = 70);

  CREATE TABLE nonces (
    partition smallint NOT NULL,
    nonce text NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (partition, nonce)
  );
  CREATE INDEX nonces_by_expiry ON nonces (partition, expires_at);
  `,
    triggers: `
  -- What was written stays written.
  CREATE FUNCTION stays() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'what is written in % stays as it is', TG_TABLE_NAME; END $$;
  CREATE TRIGGER entries_stay BEFORE UPDATE OR DELETE ON entries FOR EACH ROW EXECUTE FUNCTION stays();
  CREATE TRIGGER inbox_stays BEFORE UPDATE OR DELETE ON inbox FOR EACH ROW EXECUTE FUNCTION stays();
  CREATE TRIGGER payments_stay BEFORE DELETE ON payments FOR EACH ROW EXECUTE FUNCTION stays();
  CREATE TRIGGER settled_is_final BEFORE UPDATE ON payments FOR EACH ROW WHEN (OLD.state = 'settled')
    EXECUTE FUNCTION stays();
  `,
  },
  {
    worksFrom: 1,
    tables: ["commits"],
    sql: `
  -- One row for each transaction that its process may still have to ask for. Transaction numbers would not do: after a
  -- crash the server gives those away again whose traces had not reached the disk.
  CREATE TABLE commits (
    made_at timestamptz NOT NULL DEFAULT now(),
    mark uuid NOT NULL,
    partition smallint NOT NULL,
    PRIMARY KEY (partition, mark)
  );
  `,
    triggers: "",
  },
  {
    worksFrom: 1,
    tables: [],
    sql: `
  -- Seconds since 1970 until which a record is left alone after a fault of the server's own.
  ALTER TABLE inbox_waiting ADD COLUMN not_before bigint NOT NULL DEFAULT 0;
  `,
    triggers: "",
  },
  {
    worksFrom: 1,
    tables: ["operation_records"],
    sql: `
  ALTER TABLE balances DROP CONSTRAINT balances_check;
  ALTER TABLE balances ADD CONSTRAINT balances_check
    CHECK (CASE
      WHEN ledger_account LIKE 'wallet:%' OR ledger_account LIKE 'clearing:%' OR ledger_account LIKE 'payee:%'
        OR ledger_account IN ('payouts', 'fees') THEN minor <= 0
      WHEN ledger_account LIKE 'credit:%' OR ledger_account = 'loss-reserve' THEN minor >= 0
      ELSE true
    END);

  -- What was agreed, ordered or decided by people beside the ledger: JSON by kind and id (movements-port.ts).
  CREATE TABLE operation_records (
    partition smallint NOT NULL,
    kind text NOT NULL,
    id text NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (partition, kind, id)
  );
  CREATE INDEX operation_records_by_kind ON operation_records (kind, id);
  `,
    triggers: "",
  },
  {
    worksFrom: 1,
    tables: [],
    sql: `
  -- What statements asked to be repaid and was not yet, oldest first: JSON, [{"dueAt": seconds, "minor": text}].
  ALTER TABLE accounts ADD COLUMN dues text NOT NULL DEFAULT '[]';
  ALTER TABLE accounts ADD COLUMN statement_at bigint NOT NULL DEFAULT 0;
  UPDATE accounts SET statement_at = created_at;
  CREATE INDEX accounts_by_statement ON accounts (statement_at);

  -- What of the limit was held on the balance; whether it was only asked for ahead; every revocation and restoration,
  -- oldest first: JSON, [{"change": "revoked" or "restored", "at": seconds, "reason": text}].
  ALTER TABLE certificates ADD COLUMN held_minor bigint NOT NULL DEFAULT 0;
  ALTER TABLE certificates ADD COLUMN issued_ahead smallint NOT NULL DEFAULT 0;
  ALTER TABLE certificates ADD COLUMN changes text NOT NULL DEFAULT '[]';
  UPDATE certificates SET held_minor = limit_minor;
  UPDATE certificates SET changes = json_build_array(
    json_build_object('change', 'revoked', 'at', revoked_at, 'reason', revocation_reason))::text
    WHERE revoked_at IS NOT NULL;
  `,
    triggers: "",
  },
  {
    worksFrom: 1,
    tables: [],
    index: { name: "payments_of_record", unique: true, table: "payments", on: "partition, inbox_id" },
    sql: `
  -- Records come in rising order, ids of payments in none: a key of random ids costs an entry twice as long somewhere on
  -- another page each time. A payment is found by its certificate or by the record that it was first known from.
  ALTER TABLE payments DROP CONSTRAINT payments_pkey, ADD CONSTRAINT payments_pkey PRIMARY KEY USING INDEX payments_of_record;
  `,
    triggers: "",
  },
  {
    worksFrom: 1,
    worksFromDistributed: 7,
    tables: [],
    sql: `
  -- A row stands for all records of its partition that came in with one call: consecutive numbers from \`inbox_id\` to
  -- \`last_id\`, so many of which a record has. NULL in what an older program writes: one record.
  ALTER TABLE inbox_waiting ADD COLUMN last_id bigint;
  ALTER TABLE inbox_waiting ADD COLUMN records smallint;
  -- Each number stands for 1,024 numbers of records, far above those that older programs still take one by one.
  CREATE SEQUENCE inbox_blocks AS bigint;
  SELECT setval('inbox_blocks', last_value / 1024 + 1048576) FROM inbox_ids;
  `,
    triggers: `
  -- An older program sees the first record of a row alone, and takes the row away when that is settled.
  CREATE FUNCTION rest_waits() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO inbox_waiting (partition, inbox_id, last_id, records, not_before)
      SELECT OLD.partition, min(i.inbox_id), max(i.inbox_id), count(*), OLD.not_before FROM inbox i
      WHERE i.partition = OLD.partition AND i.inbox_id > OLD.inbox_id AND i.inbox_id <= OLD.last_id
      HAVING count(*) > 0;
    RETURN NULL;
  END $$;
  CREATE TRIGGER rest_waits AFTER DELETE ON inbox_waiting FOR EACH ROW
    WHEN (OLD.last_id > OLD.inbox_id AND current_setting('cairn.takes_ranges', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION rest_waits();
  `,
  },
  {
    worksFrom: 1,
    tables: [],
    sql: "",
    // No rules of the data's, but nothing that a distributed engine passes on either.
    triggers: `
  -- What the planner is told of the tables that grow with every payment: only of columns by which rows are found, from a
  -- sample of 6,000 rows. Looking through a sample of 30,000 whole rows takes a fifth of a second a table, of which lists
  -- of postings are most, and while payments come in it happens every minute.
  ALTER TABLE inbox
    ALTER partition SET STATISTICS 20, ALTER inbox_id SET STATISTICS 20, ALTER payment_key SET STATISTICS 20,
    ALTER payment_id SET STATISTICS 20, ALTER record_hash SET STATISTICS 20, ALTER received_at SET STATISTICS 20,
    ALTER brought_by SET STATISTICS 0, ALTER sender_id SET STATISTICS 0, ALTER bytes SET STATISTICS 0;
  ALTER TABLE payments
    ALTER partition SET STATISTICS 20, ALTER inbox_id SET STATISTICS 20, ALTER certificate_id SET STATISTICS 20,
    ALTER payment_id SET STATISTICS 20, ALTER entry_id SET STATISTICS 20, ALTER payee_id SET STATISTICS 20,
    ALTER state SET STATISTICS 20, ALTER sequence SET STATISTICS 0, ALTER spent_minor SET STATISTICS 0,
    ALTER amount_minor SET STATISTICS 0, ALTER claimed_minor SET STATISTICS 0, ALTER taken_minor SET STATISTICS 0,
    ALTER funded_balance_minor SET STATISTICS 0, ALTER funded_credit_minor SET STATISTICS 0,
    ALTER funded_reserve_minor SET STATISTICS 0, ALTER decided_at SET STATISTICS 0, ALTER kind SET STATISTICS 0,
    ALTER code SET STATISTICS 0, ALTER previous SET STATISTICS 0, ALTER request_hash SET STATISTICS 0,
    ALTER terminal_id SET STATISTICS 0, ALTER bytes SET STATISTICS 0;
  ALTER TABLE entries
    ALTER partition SET STATISTICS 20, ALTER entry_id SET STATISTICS 20, ALTER reference SET STATISTICS 20,
    ALTER kind SET STATISTICS 20, ALTER posted_at SET STATISTICS 0, ALTER currency SET STATISTICS 0,
    ALTER hash SET STATISTICS 0, ALTER ledger_accounts SET STATISTICS 0, ALTER minors SET STATISTICS 0;
  `,
  },
  {
    worksFrom: 1,
    tables: [],
    index: {
      name: "payments_in_order",
      unique: false,
      table: "payments",
      on: "partition, certificate_id, sequence, request_hash",
    },
    sql: `
  -- A certificate's payments in their order: those that a batch touches are found without a look at all others, whatever
  -- the planner takes their number for. The request comes last, so that what was paid for one is found in the index.
  DROP INDEX payments_of_certificate;
  `,
    triggers: "",
  },
  {
    worksFrom: 1,
    tables: [],
    sql: `
  -- The signed message is in the record that the payment was first known from: NULL here, but for what was written before.
  -- An older program that proves a conflict with a payment of a newer one finds none, and leaves the batch to the newer.
  ALTER TABLE payments ALTER COLUMN bytes DROP NOT NULL;
  `,
    triggers: "",
  },
];
