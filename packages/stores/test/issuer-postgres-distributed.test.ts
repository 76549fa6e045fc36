import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openPostgresIssuerStore } from "@cairn/stores";
import { Client } from "pg";
import { startPostgresServer } from "../../../scripts/postgres-server.ts";
import { MIGRATIONS } from "../src/issuer/postgres/schema.ts";
import { aPayment, aRecord, NOW, openPayer, payersCopy, settleItems } from "./issuer-fixture.ts";
import { newSchema, noPostgres } from "./postgres-for-tests.ts";

/**
 * Stands where Citus' own function stands, and refuses what Citus refuses: a key or foreign key without the
 * distribution column, a foreign key to a table that is not distributed yet, a trigger, a place apart from the others.
 * It distributes nothing: that needs a coordinator (packages/stores/README.md).
 */
const DECLARE = `
  CREATE TABLE declared (number serial, name text PRIMARY KEY, distribution_column text, beside text);
  CREATE FUNCTION create_distributed_table(name text, distribution_column text, colocate_with text) RETURNS void
  LANGUAGE plpgsql AS $$ DECLARE
    class regclass := to_regclass(name);
    place smallint;
    rule record;
    first text;
  BEGIN
    SELECT attnum INTO STRICT place FROM pg_attribute
      WHERE attrelid = class AND attname = distribution_column AND attnotnull AND atttypid = 'smallint'::regtype;
    FOR rule IN SELECT indexrelid::regclass AS index FROM pg_index
      WHERE indrelid = class AND (indisunique OR indisexclusion) AND NOT place = ANY (indkey::smallint[]) LOOP
      RAISE 'cannot create constraint on %: % leaves the distribution column out', name, rule.index;
    END LOOP;
    FOR rule IN SELECT conname, confrelid, conkey, confkey FROM pg_constraint
      WHERE conrelid = class AND contype = 'f' LOOP
      IF NOT EXISTS (SELECT FROM declared d WHERE to_regclass(d.name) = rule.confrelid) THEN
        RAISE 'foreign key % refers to a table that is not distributed', rule.conname;
      END IF;
      IF NOT EXISTS (SELECT FROM generate_subscripts(rule.conkey, 1) AS n JOIN pg_attribute a
          ON a.attrelid = rule.confrelid AND a.attnum = rule.confkey[n]
          WHERE rule.conkey[n] = place AND a.attname = distribution_column) THEN
        RAISE 'foreign key % reaches across the distribution column', rule.conname;
      END IF;
    END LOOP;
    IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = class AND NOT tgisinternal) THEN
      RAISE 'triggers are not supported on distributed tables: %', name;
    END IF;
    SELECT d.name INTO first FROM declared d ORDER BY number LIMIT 1;
    IF colocate_with <> 'default' AND NOT EXISTS (SELECT FROM declared d WHERE d.name = colocate_with) THEN
      RAISE '% is to lie beside %, which is not distributed', name, colocate_with;
    END IF;
    INSERT INTO declared (name, distribution_column, beside) VALUES (name, distribution_column, colocate_with);
  END $$;
`;

const skip = noPostgres ?? false;

test("every table is declared by its partition, under the rules of a distributed engine", { skip }, async (t) => {
  const server = await startPostgresServer({ settings: { fsync: "off" } });
  t.after(() => server.stop());
  const { connectionString } = server;
  const schema = newSchema();
  const client = new Client({ connectionString, options: `-c search_path=${schema}` });
  await client.connect();
  await client.query(`CREATE SCHEMA ${schema}; ${DECLARE}`);
  const place = { connectionString, schema, distribution: "citus" } as const;
  // In two steps, as a database that is older than this program.
  await (await openPostgresIssuerStore({ ...place, migrations: MIGRATIONS.slice(0, 1) })).close();
  const store = await openPostgresIssuerStore(place);
  const { rows } = await client.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = '${schema}' AND tablename NOT IN ('migrations', 'declared')`,
  );
  const { rows: declared } = await client.query<{ name: string; distribution_column: string }>(
    "SELECT * FROM declared",
  );
  assert.deepEqual(declared.map(({ name }) => name).sort(), rows.map(({ name }) => name).sort());
  assert.ok(declared.every(({ distribution_column: column }) => column === "partition"));
  // The stand-in sees what Citus would refuse.
  for (const [sql, refusal] of [
    ["CREATE TABLE bad (partition smallint NOT NULL, id int PRIMARY KEY)", /leaves the distribution column out/],
    [
      "CREATE TABLE bad (partition smallint NOT NULL, account bigint, other smallint, PRIMARY KEY (partition), FOREIGN KEY (other, account) REFERENCES accounts)",
      /reaches across/,
    ],
    ["CREATE TABLE bad (partition smallint, id int)", /query returned no rows/],
  ] as const) {
    await client.query(sql);
    await assert.rejects(client.query("SELECT create_distributed_table('bad', 'partition', 'default')"), refusal);
    await client.query("DROP TABLE bad");
  }
  await store.close();
  await client.end();
});

test("every transaction writes and locks in one partition only", { skip }, async (t) => {
  const server = await startPostgresServer({
    settings: {
      fsync: "off",
      log_statement: "all",
      log_line_prefix: "%p|",
      logging_collector: "on",
      log_directory: "log",
      log_filename: "all",
    },
  });
  t.after(() => server.stop());
  const { connectionString } = server;
  const schema = newSchema();
  const client = new Client({ connectionString, options: `-c search_path=${schema}` });
  await client.connect();
  await client.query(`CREATE SCHEMA ${schema}; ${DECLARE}`);
  await client.end();
  const store = await openPostgresIssuerStore({ connectionString, schema, distribution: "citus" });
  const payers = [await openPayer(store), await openPayer(store, { balanceMinor: 0n, lineMinor: 5_000n })];
  for (const payer of payers) {
    // Records of several partitions in one upload.
    await store.receive(payers.map((each, index) => aRecord(each, { paymentId: aPayment(each, 9 + index).paymentId })));
    await settleItems(store, payer, [aPayment(payer, 1), aPayment(payer, 2), payersCopy(aPayment(payer, 3))]);
    await store.topUp({ account: payer.account, amountMinor: 5n, idempotencyKey: "again", at: NOW });
    await store.releaseOverdue({ before: NOW + 10_000_000, at: NOW });
    await store.revokeCertificate(payer.certificate, NOW, "lost");
  }
  assert.deepEqual((await store.verifyBooks()).faults, []);
  await store.close();
  const log = await readFile(join(server.dataFolder, "log", "all"), "utf8");
  // Migrations alone write in all partitions.
  const isMigration = ({ sql }: Statement): boolean => sql.startsWith("INSERT INTO migrations");
  const seen = readTransactions(log).filter((statements) => !statements.some(isMigration));
  assert.ok(seen.length >= 10, `${seen.length} transactions`);
  for (const statements of seen) {
    const writing = statements.filter(({ sql }) => /\b(INSERT|UPDATE|DELETE)\b/.test(sql));
    assert.ok(new Set(writing.map(({ first }) => first)).size <= 1, `several partitions: ${JSON.stringify(writing)}`);
    for (const { sql } of writing) assert.match(sql, /\$1\b/);
  }
});

type Statement = { sql: string; first: string | undefined };

/** The statements of each transaction with their first parameter, from the server's log. */
function readTransactions(log: string): Statement[][] {
  const done: Statement[][] = [];
  const open = new Map<string, Statement[]>();
  for (const line of log.replaceAll("\n\t", " ").split("\n")) {
    const [, backend = "", kind, text = ""] = /^(\d+)\|(LOG|DETAIL): {2}(.*)$/.exec(line) ?? [];
    const running = open.get(backend);
    const sql = /^(?:statement|execute \S+): (.*)$/.exec(text)?.[1];
    if (kind === "DETAIL" && running !== undefined) {
      const last = running.at(-1);
      if (last !== undefined) last.first = /\$1 = '([^']*)'/.exec(text)?.[1];
    } else if (sql === "BEGIN") open.set(backend, []);
    else if (sql === "COMMIT" && running !== undefined) {
      done.push(running);
      open.delete(backend);
    } else if (sql !== undefined) running?.push({ sql, first: undefined });
  }
  return done;
}
