import { after } from "node:test";
import { openPostgresIssuerStore, type PostgresIssuerStore, type PostgresOptions } from "@cairn/stores";
import { Client } from "pg";
import { hasPostgresServer, type PostgresServer, startPostgresServer } from "../../../scripts/postgres-server.ts";

/**
 * Another server for the tests, such as a Citus coordinator; without it they start one of their own. With
 * CAIRN_TEST_POSTGRES_DISTRIBUTION=citus the tables are distributed by their partition.
 */
const elsewhere = process.env.CAIRN_TEST_POSTGRES;
const distribution = process.env.CAIRN_TEST_POSTGRES_DISTRIBUTION === "citus" ? { distribution: "citus" as const } : {};

/** A reason to skip tests, undefined when there is a server. */
export const noPostgres =
  elsewhere !== undefined || hasPostgresServer() ? undefined : "no PostgreSQL server for this platform";

let own: Promise<PostgresServer> | undefined;
let schemas = 0;

/** Of the server that all tests of this file share. */
export async function connectionString(): Promise<string> {
  if (elsewhere !== undefined) return elsewhere;
  own ??= startPostgresServer({ settings: { fsync: "off", full_page_writes: "off" } });
  return (await own).connectionString;
}

/** A name that no test used before, also on a server that is kept. */
export const newSchema = (): string => `cairn_test_${process.pid}_${schemas++}`;

/** Emptied schemas, ready for the next test: making the tables takes much longer than emptying them. */
const emptied: string[] = [];

/** An empty store in a schema of its own. */
export async function openEmptyStore(options: Partial<PostgresOptions> = {}): Promise<PostgresIssuerStore> {
  const schema = emptied.pop() ?? newSchema();
  const server = await connectionString();
  const store = await openPostgresIssuerStore({ connectionString: server, schema, ...distribution, ...options });
  const close = store.close.bind(store);
  store.close = async () => {
    await close();
    if (elsewhere === undefined) await empty(server, schema);
    else await ask(server, `SET client_min_messages = warning; DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  };
  return store;
}

async function empty(server: string, schema: string): Promise<void> {
  // As a replica would: without the triggers that keep what was written.
  await ask(
    server,
    `SET session_replication_role = replica;
    DO $$ DECLARE name text; BEGIN
      FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = '${schema}' AND tablename <> 'migrations' LOOP
        EXECUTE format('DELETE FROM ${schema}.%I', name);
      END LOOP;
      FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = '${schema}' LOOP
        EXECUTE format('ALTER SEQUENCE ${schema}.%I RESTART', name);
      END LOOP;
    END $$;
    INSERT INTO ${schema}.partitions (partition) SELECT generate_series(0, 255);`,
  );
  emptied.push(schema);
}

async function ask(server: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: server });
  await client.connect();
  await client.query(sql);
  await client.end();
}

after(async () => (await own)?.stop());
