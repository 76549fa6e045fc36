import { createHash } from "node:crypto";
import { Client } from "pg";
import { LAYOUT, refuseOtherLayout } from "../layout.ts";
import { StoreError } from "../store-error.ts";
import { storeErrorOf } from "./failures.ts";
import { migrate, migrationsIn } from "./migrate.ts";
import { MIGRATIONS } from "./schema.ts";

/**
 * A logical backup: every row of every table as PostgreSQL writes it, from one moment, while others go on. It needs no
 * tool of the server's and fits any server that has the same tables. One JSON value a line: a head, rows by the thousand,
 * and an end with the checksum of all lines before it, so that a backup that was cut off is not taken for a whole one.
 */
export type BackupLine =
  | {
      readonly backup: "cairn-postgresql";
      readonly version: number;
      readonly migrations: number;
      readonly madeAt: string;
    }
  | { readonly table: string; readonly rows: readonly string[] }
  | { readonly sequence: string; readonly value: string; readonly isCalled: boolean }
  | { readonly end: { readonly rows: number; readonly sha256: string } };

export type BackupInput = { readonly connectionString: string; readonly schema?: string };

const ROWS_A_LINE = 1_000;
const TABLES = MIGRATIONS.flatMap(({ tables }) => tables);
/** What a running process needs and a restored database must not have: leases and marks of processes that are gone. */
const LEFT_OUT = new Set(["commits"]);

/** Lines with their line ends. @throws StoreError STORE_UNAVAILABLE, STORE_TOO_NEW, STORE_TOO_OLD, STORE_INPUT_INVALID (no tables) */
export async function* backUpPostgres({ connectionString, schema = "cairn" }: BackupInput): AsyncIterable<string> {
  const client = await connected(connectionString, schema);
  const checksum = createHash("sha256");
  const line = (value: BackupLine): string => {
    const text = `${JSON.stringify(value)}\n`;
    checksum.update(text);
    return text;
  };
  try {
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const { made: migrations } = await migrationsIn(client, schema);
    if (migrations === 0) throw new StoreError("STORE_INPUT_INVALID", "There are no tables of Cairn in this database.");
    if (migrations > MIGRATIONS.length)
      throw new StoreError("STORE_TOO_NEW", "This database was written by a newer version of the program.");
    yield line({ backup: "cairn-postgresql", version: LAYOUT, migrations, madeAt: new Date().toISOString() });
    let rows = 0;
    for (const table of TABLES) {
      if (LEFT_OUT.has(table)) continue;
      await client.query(`DECLARE reading NO SCROLL CURSOR FOR SELECT t::text FROM ${table} t`);
      for (;;) {
        const read = await client.query<[string]>({ text: `FETCH ${ROWS_A_LINE} FROM reading`, rowMode: "array" });
        if (read.rows.length === 0) break;
        rows += read.rows.length;
        yield line({ table, rows: read.rows.map(([row]) => row) });
      }
      await client.query("CLOSE reading");
    }
    for (const sequence of await sequencesIn(client, schema)) {
      const { rows: found } = await client.query<{ value: string; called: boolean }>(
        `SELECT last_value::text AS value, is_called AS called FROM ${sequence}`,
      );
      const { value = "1", called = false } = found[0] ?? {};
      yield line({ sequence, value, isCalled: called });
    }
    yield `${JSON.stringify({ end: { rows, sha256: checksum.digest("hex") } } satisfies BackupLine)}\n`;
  } catch (error) {
    throw storeErrorOf(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * Writes a backup into a database that has no tables of Cairn yet, all of it or nothing. Gives how many rows.
 * @throws StoreError STORE_DAMAGED (the backup is not whole), STORE_INPUT_INVALID (there is something already),
 * STORE_TOO_NEW, STORE_TOO_OLD, STORE_UNAVAILABLE
 */
export async function restorePostgres(
  { connectionString, schema = "cairn", distribution }: BackupInput & { readonly distribution?: "citus" },
  lines: AsyncIterable<string>,
): Promise<number> {
  const client = await connected(connectionString, schema);
  try {
    const { made } = await migrationsIn(client, schema);
    if (made > 0 && !(await isEmpty(client)))
      throw new StoreError(
        "STORE_INPUT_INVALID",
        "There is a database of Cairn here already. Restore into an empty one.",
      );
    const checksum = createHash("sha256");
    let rows = 0;
    let isWhole = false;
    let isOpen = false;
    for await (const text of lines) {
      const value: BackupLine = parse(text);
      if (isWhole) throw damaged("goes on behind its end");
      if ("backup" in value) {
        refuseOtherLayout(value.version, "backup");
        if (value.migrations > MIGRATIONS.length)
          throw new StoreError("STORE_TOO_NEW", "This backup was written by a newer version of the program.");
        if (made > value.migrations)
          throw new StoreError(
            "STORE_INPUT_INVALID",
            "The backup is older than the empty tables here. Drop them first.",
          );
        const migrations = MIGRATIONS.slice(0, value.migrations);
        await migrate({ connectionString, schema, distribution, migrations });
        await client.query("BEGIN");
        await client.query("DELETE FROM partitions");
        isOpen = true;
      } else if (!isOpen) throw damaged("has no head");
      else if ("table" in value) rows += await insert(client, value.table, value.rows);
      else if ("sequence" in value) {
        if (!(await sequencesIn(client, schema)).includes(value.sequence)) throw damaged(`names ${value.sequence}`);
        await client.query("SELECT setval($1::regclass, $2, $3)", [value.sequence, value.value, value.isCalled]);
      } else {
        if (value.end.rows !== rows || value.end.sha256 !== checksum.digest("hex")) throw damaged("was changed");
        isWhole = true;
      }
      if (!isWhole) checksum.update(`${text}\n`);
    }
    if (!isWhole) throw damaged("was cut off");
    // Whoever held a lease when the backup was made is gone.
    await client.query("UPDATE partitions SET lease_expires_at = '-infinity', lease_holder = NULL");
    await client.query("COMMIT");
    return rows;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw storeErrorOf(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function insert(client: Client, table: string, rows: readonly string[]): Promise<number> {
  if (!TABLES.includes(table)) throw damaged(`names ${table}`);
  const { rowCount } = await client.query(
    `INSERT INTO ${table} SELECT (n.t::${table}).* FROM unnest($1::text[]) WITH ORDINALITY AS n (t, line) ORDER BY line`,
    [rows],
  );
  return rowCount ?? 0;
}

function parse(text: string): BackupLine {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new StoreError("STORE_DAMAGED", "This is no backup, or it was cut off.", { cause });
  }
}

const damaged = (what: string): StoreError => new StoreError("STORE_DAMAGED", `The backup is not whole: it ${what}.`);

async function connected(connectionString: string, schema: string): Promise<Client> {
  const client = new Client({ connectionString, connectionTimeoutMillis: 5_000, options: `-c search_path=${schema}` });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    throw storeErrorOf(error);
  }
}

/** Tables that were made and never used, as an attempt that failed leaves them. */
async function isEmpty(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ used: boolean }>(
    "SELECT EXISTS (SELECT FROM accounts) OR EXISTS (SELECT FROM payees) OR EXISTS (SELECT FROM inbox) AS used",
  );
  return rows[0]?.used === false;
}

async function sequencesIn(client: Client, schema: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    "SELECT sequencename::text AS name FROM pg_sequences WHERE schemaname = $1 ORDER BY 1",
    [schema],
  );
  return rows.map(({ name }) => name);
}
