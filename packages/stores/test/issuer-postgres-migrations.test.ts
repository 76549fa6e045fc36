import assert from "node:assert/strict";
import { test } from "node:test";
import { openPostgresIssuerStore } from "@cairn/stores";
import { Client } from "pg";
import { MIGRATIONS, type Migration } from "../src/issuer/postgres/schema.ts";
import { aPayment, NOW, openPayer, payersCopy, settleItems } from "./issuer-fixture.ts";
import { rejectsWith } from "./issuer-members.suite.ts";
import { connectionString, newSchema, noPostgres } from "./postgres-for-tests.ts";

const skip = noPostgres ?? false;

/** The number of the migration that made the record the key of a payment. */
const KEY_BY_RECORD = 6;
/** What a later version may do while this one still runs: add columns, indexes, tables. */
const ADDED: Migration = {
  worksFrom: MIGRATIONS.length,
  tables: ["notes"],
  triggers: "",
  sql: `
    ALTER TABLE accounts ADD COLUMN note text NOT NULL DEFAULT '';
    ALTER TABLE payments ADD COLUMN note text;
    ALTER TABLE entries ADD COLUMN note text;
    ALTER TABLE inbox ADD COLUMN note text;
    CREATE INDEX accounts_by_name ON accounts (partition, name);
    CREATE TABLE notes (partition smallint NOT NULL, note text NOT NULL, PRIMARY KEY (partition, note));
  `,
};
/** And what it may do once nobody runs this version any more. */
const REMOVED: Migration = {
  worksFrom: MIGRATIONS.length + 1,
  tables: [],
  triggers: "",
  sql: "ALTER TABLE payments DROP COLUMN note",
};

test("a newer program migrates while an older one pays and reads without a pause", { skip }, async () => {
  const connection = { connectionString: await connectionString(), schema: newSchema() };
  const old = await openPostgresIssuerStore(connection);
  const payer = await openPayer(old);
  let number = 1;
  let isOver = false;
  const working = (async () => {
    while (!isOver) {
      const [outcome] = await settleItems(old, payer, [
        aPayment(payer, number, { amountMinor: 1n, spentMinor: BigInt(number) }),
      ]);
      assert.equal(outcome?.state, "settled");
      assert.equal((await old.outcomesOfCertificate(payer.certificate)).length, number);
      await old.topUp({ account: payer.account, amountMinor: 1n, idempotencyKey: `${number}`, at: NOW });
      assert.equal((await old.account(payer.account))?.balanceMinor, 10_000n);
      number++;
    }
  })();
  const reached = async (wanted: number): Promise<void> => {
    while (number < wanted) await Promise.race([working, new Promise((resolve) => setTimeout(resolve, 5))]);
  };
  await reached(8);
  const migrations = [...MIGRATIONS, ADDED];
  const newer = await Promise.all([1, 2, 3].map(() => openPostgresIssuerStore({ ...connection, migrations })));
  const before = number;
  await reached(before + 8);
  // An old process may even start anew on the newer tables.
  const restarted = await openPostgresIssuerStore(connection);
  assert.equal((await restarted.accounts()).length, 1);
  isOver = true;
  await working;
  assert.deepEqual((await newer[0]?.verifyBooks())?.faults, []);
  assert.equal((await newer[1]?.outcomesOfCertificate(payer.certificate))?.length, number - 1);

  const last = await openPostgresIssuerStore({ ...connection, migrations: [...migrations, REMOVED] });
  await assert.rejects(openPostgresIssuerStore(connection), rejectsWith("STORE_TOO_NEW"));
  await Promise.all([old, restarted, last, ...newer].map((store) => store.close()));
});

test("payments from before their key was their record are found, changed and audited after it", { skip }, async () => {
  const connection = { connectionString: await connectionString(), schema: newSchema() };
  // Made last, since this program needs those after it.
  const keyed = MIGRATIONS[KEY_BY_RECORD - 1];
  assert.ok(keyed !== undefined);
  const migrations = MIGRATIONS.filter((migration) => migration !== keyed);
  const old = await openPostgresIssuerStore({ ...connection, migrations });
  const payer = await openPayer(old);
  await settleItems(old, payer, [aPayment(payer, 1), payersCopy(aPayment(payer, 2))]);
  const newer = await openPostgresIssuerStore({ ...connection, migrations: [...migrations, keyed] });
  // What waited for its terminal changes its row; an older program beside this one goes on by the payments' ids.
  const outcomes = await settleItems(newer, payer, [aPayment(payer, 2), aPayment(payer, 3)]);
  assert.deepEqual(new Set(outcomes.map(({ state }) => state)), new Set(["settled"]));
  await settleItems(old, payer, [aPayment(payer, 4)]);
  const found = await newer.outcomes([1, 2, 3, 4].map((number) => aPayment(payer, number).paymentId));
  assert.deepEqual(
    found.map(({ state }) => state),
    ["settled", "settled", "settled", "settled"],
  );
  assert.equal((await newer.keptPayments()).kept.length, 4);
  assert.deepEqual((await newer.verifyBooks()).faults, []);
  await Promise.all([old.close(), newer.close()]);
});

test("a payments' index is made while payments are written, and made anew when that was cut off", {
  skip,
}, async () => {
  const connection = { connectionString: await connectionString(), schema: newSchema() };
  const keyed = MIGRATIONS[KEY_BY_RECORD - 1];
  assert.ok(keyed?.index !== undefined);
  const migrations = MIGRATIONS.filter((migration) => migration !== keyed);
  const old = await openPostgresIssuerStore({ ...connection, migrations });
  const payer = await openPayer(old);
  await settleItems(old, payer, [aPayment(payer, 1)]);
  const client = new Client({
    connectionString: connection.connectionString,
    options: `-c search_path=${connection.schema}`,
  });
  await client.connect();
  // What one that was cut off leaves behind.
  await client.query("CREATE UNIQUE INDEX payments_of_record ON payments (partition, inbox_id)");
  await client.query("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'payments_of_record'::regclass");
  // Whoever writes payments holds the table; what waited for it, writers would wait for.
  await client.query("BEGIN; LOCK TABLE payments IN ROW EXCLUSIVE MODE");
  const migrated = openPostgresIssuerStore({ ...connection, migrations: [...migrations, keyed] });
  const isWaited =
    "SELECT FROM pg_stat_activity WHERE query ~ 'INDEX CONCURRENTLY.*payments_of_record' AND wait_event_type = 'Lock'";
  const watcher = new Client({ connectionString: connection.connectionString });
  await watcher.connect();
  while ((await watcher.query(isWaited)).rowCount === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  await watcher.end();
  await settleItems(old, payer, [aPayment(payer, 2)]);
  await client.query("COMMIT");
  const newer = await migrated;
  await settleItems(old, payer, [aPayment(payer, 3)]);
  assert.equal((await newer.keptPayments()).kept.length, 3);
  const { rows: keys } = await client.query(
    "SELECT pg_get_constraintdef(oid) AS key FROM pg_constraint WHERE conrelid = 'payments'::regclass AND contype = 'p'",
  );
  await client.end();
  assert.deepEqual(keys, [{ key: "PRIMARY KEY (partition, inbox_id)" }]);
  assert.deepEqual((await newer.verifyBooks()).faults, []);
  await Promise.all([old.close(), newer.close()]);
});

test("tables of an earlier build, which no migration leads from, are left alone and say so", { skip }, async () => {
  const connection = { connectionString: await connectionString(), schema: newSchema() };
  const client = new Client({ connectionString: connection.connectionString });
  await client.connect();
  for (const made of [1, 2, 9]) {
    await client.query(`DROP SCHEMA IF EXISTS ${connection.schema} CASCADE; CREATE SCHEMA ${connection.schema};
      CREATE TABLE ${connection.schema}.migrations (number integer PRIMARY KEY, works_from integer NOT NULL,
        made_at timestamptz NOT NULL DEFAULT now());
      INSERT INTO ${connection.schema}.migrations VALUES (${made}, 1)`);
    await assert.rejects(openPostgresIssuerStore(connection), rejectsWith("STORE_TOO_OLD"));
  }
  await client.end();
});

test("every table is named by the migration that makes it: backups and a distributed engine go by these names", {
  skip,
}, async () => {
  const connection = { connectionString: await connectionString(), schema: newSchema() };
  const store = await openPostgresIssuerStore(connection);
  const client = new Client({ connectionString: connection.connectionString });
  await client.connect();
  const { rows } = await client.query(
    "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = $1 AND tablename <> 'migrations'",
    [connection.schema],
  );
  const { rows: keys } = await client.query(
    `SELECT i.indexrelid::regclass::text AS name, a.attname::text AS first FROM pg_index i
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
      JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND i.indisunique AND c.relname <> 'migrations'`,
    [connection.schema],
  );
  await client.end();
  assert.deepEqual(rows.map(({ name }) => name).toSorted(), MIGRATIONS.flatMap(({ tables }) => tables).toSorted());
  for (const { name, first } of keys) assert.equal(first, "partition", `${name} begins with the partition`);
  assert.ok(keys.length >= rows.length, "each table has a key");
  await store.close();
});

test("a migration that fails leaves the tables as they were", { skip }, async () => {
  const connection = { connectionString: await connectionString(), schema: newSchema() };
  const store = await openPostgresIssuerStore(connection);
  const payer = await openPayer(store);
  const broken = { ...ADDED, sql: `${ADDED.sql}; SELECT 1 / 0` };
  await assert.rejects(
    openPostgresIssuerStore({ ...connection, migrations: [...MIGRATIONS, broken] }),
    /division by zero/,
  );
  assert.equal((await settleItems(store, payer, [aPayment(payer)]))[0]?.state, "settled");
  const migrated = await openPostgresIssuerStore({ ...connection, migrations: [...MIGRATIONS, ADDED] });
  assert.deepEqual((await migrated.verifyBooks()).faults, []);
  await Promise.all([store.close(), migrated.close()]);
});
