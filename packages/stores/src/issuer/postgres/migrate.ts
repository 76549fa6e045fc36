import { Client } from "pg";
import { LAYOUT, LAYOUT_UNMARKED, refuseOtherLayout } from "../layout.ts";
import { StoreError } from "../store-error.ts";
import type { Migration } from "./schema.ts";

/** A migration that waits for a table longer than this is tried again, so that nobody else waits behind it for long. */
const LOCK_TIMEOUT_MS = 3_000;
/** Any number, the same for everybody: one process migrates, the others wait for it. */
const MIGRATION_LOCK = 7_213_001;
const LOCK_PAUSE_MS = 100;

/**
 * Brings the tables to what this program knows, while older programs may be running on them. A database that is ahead is
 * fine as long as its newest migrations say that a program of this age still works.
 * @throws StoreError STORE_TOO_NEW, STORE_TOO_OLD
 */
export async function migrate(input: {
  readonly connectionString: string;
  readonly schema: string;
  readonly distribution: "citus" | undefined;
  readonly progress?: ((line: string) => void) | undefined;
  readonly migrations: readonly Migration[];
}): Promise<void> {
  const { connectionString, schema, migrations } = input;
  const client = new Client({ connectionString, connectionTimeoutMillis: 5_000, options: `-c search_path=${schema}` });
  client.on("error", () => undefined);
  await client.connect();
  try {
    const known = migrations.length;
    if ((await madeIn(client, schema, known)) >= known) return;
    await lockOut(client);
    await client.query(`SET lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
    await client.query(
      `CREATE TABLE IF NOT EXISTS migrations (number integer PRIMARY KEY, works_from integer NOT NULL,
        made_at timestamptz NOT NULL DEFAULT now(), layout integer NOT NULL DEFAULT ${LAYOUT})`,
    );
    const made = await madeIn(client, schema, known);
    for (const [index, migration] of migrations.entries()) {
      if (index < made) continue;
      if (made > 0)
        input.progress?.(
          `Bringing the database to this version, step ${index + 1} of ${known}: some seconds for each million payments, while older servers go on...`,
        );
      await make(client, index + 1, migration, input.distribution);
    }
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * Asked for again and again: whoever waits inside a statement holds a view of the tables as they are, and the index that
 * is made without locks waits until nobody does. The lock ends with the connection.
 */
async function lockOut(client: Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ mine: boolean }>(`SELECT pg_try_advisory_lock(${MIGRATION_LOCK}) AS mine`);
    if (rows[0]?.mine === true) return;
    await new Promise((resolve) => setTimeout(resolve, LOCK_PAUSE_MS));
  }
}

/** All of one migration or nothing, and no table is locked for longer than that one takes. */
async function make(
  client: Client,
  number: number,
  { sql, tables, index, triggers, worksFrom, worksFromDistributed = worksFrom }: Migration,
  distribution: "citus" | undefined,
): Promise<void> {
  const isIndexed = index !== undefined && (await makeIndexBeside(client, index));
  await client.query("BEGIN");
  if (index !== undefined && !isIndexed) await client.query(indexSql(index));
  await client.query(sql);
  if (distribution === "citus") {
    const [first, ...others] = tables;
    for (const table of tables)
      await client.query(
        `SELECT create_distributed_table('${table}', 'partition', colocate_with => '${others.includes(table) ? first : "default"}')`,
      );
  } else if (triggers !== "") await client.query(triggers);
  await client.query("INSERT INTO migrations (number, works_from) VALUES ($1, $2)", [
    number,
    distribution === "citus" ? worksFromDistributed : worksFrom,
  ]);
  await client.query("COMMIT");
}

type Index = NonNullable<Migration["index"]>;

const indexSql = ({ name, unique, table, on }: Index, how = ""): string =>
  `CREATE ${unique ? "UNIQUE " : ""}INDEX ${how} ${name} ON ${table} (${on})`;

/**
 * Made without a lock that writers wait for, which takes two readings of the table. One that was cut off is made anew.
 * False for an empty table, as in a database that is just being made: there it is made with the rest.
 */
async function makeIndexBeside(client: Client, index: Index): Promise<boolean> {
  const { rows } = await client.query<{ filled: boolean; valid: boolean | null }>(
    `SELECT EXISTS (SELECT FROM ${index.table}) AS filled,
      (SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)) AS valid`,
    [index.name],
  );
  const { filled = false, valid = null } = rows[0] ?? {};
  if (valid === true) return true;
  if (!filled) return false;
  // It blocks nobody while it waits for those who were there before it.
  await client.query("SET lock_timeout = 0");
  if (valid === false) await client.query(`DROP INDEX CONCURRENTLY ${index.name}`);
  await client.query(indexSql(index, "CONCURRENTLY"));
  await client.query(`SET lock_timeout = ${LOCK_TIMEOUT_MS}`);
  return true;
}

async function madeIn(client: Client, schema: string, known: number): Promise<number> {
  const { made, worksFrom } = await migrationsIn(client, schema);
  if (worksFrom > known)
    throw new StoreError("STORE_TOO_NEW", "This database was written by a newer version of the program.");
  return made;
}

/** Zeros when there are none. @throws StoreError STORE_TOO_NEW, STORE_TOO_OLD when the tables are of another layout */
export async function migrationsIn(
  client: Client,
  schema: string,
): Promise<{ readonly made: number; readonly worksFrom: number }> {
  const { rows: tables } = await client.query<{ there: boolean }>("SELECT to_regclass($1) IS NOT NULL AS there", [
    `${schema}.migrations`,
  ]);
  if (tables[0]?.there !== true) return { made: 0, worksFrom: 0 };
  // Tables of the first layout have no such column.
  const { rows } = await client.query<{ made: number; works_from: number; layout: number }>(
    `SELECT coalesce(max(number), 0) AS made, coalesce(max(works_from), 0) AS works_from,
        coalesce(max((to_jsonb(m) ->> 'layout')::integer), ${LAYOUT_UNMARKED}) AS layout
      FROM migrations m`,
  );
  const { made = 0, works_from: worksFrom = 0, layout = LAYOUT } = rows[0] ?? {};
  if (made > 0) refuseOtherLayout(layout, "database");
  return { made, worksFrom };
}
