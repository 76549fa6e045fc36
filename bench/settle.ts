import { mkdtemp, rm, stat } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { type IssuerStore, openPostgresIssuerStore } from "@cairn/stores";
import pg from "pg";
import { hasPostgresServer, startPostgresServer } from "../scripts/postgres-server.ts";
import { rawEs256 } from "./measure.ts";
import { postgresFiller, sqliteFiller } from "./stored-payments.ts";
import { buildWorld } from "./world.ts";

/**
 * Settlement at full strength beside the signature verification that bounds it, in one run.
 *
 * - rawVerifyPerCore: ES256 verifications per second of one thread of this runtime, its key ready.
 * - paymentsPerSecond: uploaded records on their whole way: strict decoding, the durable inbox, verification on all
 *   cores, the rules, and the postings on the disk. The payments were signed before the clock starts.
 * - ratio: payments per second over cores times rawVerifyPerCore.
 *
 * The long form measures the same with ever more payments stored before (stored-payments.ts), each ratio with the raw
 * figure of its own minutes, and says what a payment takes on the disk and what the process takes of memory.
 */
const ACCOUNTS = 500;
const PAYMENTS_EACH = 60;
/**
 * Settled before the clock starts, so that threads and compiled code are as warm as in a server's second minute. Halfway
 * PostgreSQL makes a checkpoint: from its first one on a server writes over log files that it has, where a new one fills
 * each with zeros beforehand.
 */
const WARM_UP_EACH = 120;
const LONG_FORM: readonly number[] = [10_000, 1_000_000, 10_000_000];

type Report = (line: string) => void;
/** `storedBytes`: of the database after the run. `residentBytes`: of this process at the end of the run. */
type Run = {
  readonly paymentsPerSecond: number;
  readonly storedBytes: number;
  readonly residentBytes: number;
};

export async function settle(report: Report): Promise<Record<string, unknown>> {
  report("measuring raw ES256 verification...");
  const before = await rawEs256();
  const sqlite = await settleOnSqlite(0, report);
  const postgres = await settleOnPostgres(0, report);
  const after = await rawEs256();
  const raw = Math.max(before.verifyPerSecond, after.verifyPerSecond);
  const figures = ({ paymentsPerSecond }: Run) => ({ paymentsPerSecond, ratio: ratioOf(paymentsPerSecond, raw) });
  return {
    rawVerifyPerCore: Math.round(raw),
    cores: availableParallelism(),
    sqlite: figures(sqlite),
    postgres: "reason" in postgres ? postgres : figures(postgres),
  };
}

/** @param sizes Payments stored before each run. */
export async function settleLong(report: Report, sizes = LONG_FORM): Promise<Record<string, unknown>> {
  const rows: Record<string, unknown>[] = [];
  for (const stored of sizes)
    for (const [store, run] of [
      ["sqlite", settleOnSqlite],
      ["postgres", settleOnPostgres],
    ] as const) {
      const before = await rawEs256();
      const done = await run(stored, report);
      const after = await rawEs256();
      const raw = Math.max(before.verifyPerSecond, after.verifyPerSecond);
      if ("reason" in done) {
        rows.push({ store, stored, ...done });
        continue;
      }
      const row = {
        store,
        stored,
        rawVerifyPerCore: Math.round(raw),
        paymentsPerSecond: done.paymentsPerSecond,
        ratio: ratioOf(done.paymentsPerSecond, raw),
        bytesPerPayment: Math.round(done.storedBytes / (stored + ACCOUNTS * (WARM_UP_EACH + PAYMENTS_EACH))),
        residentMegabytes: Math.round(done.residentBytes / 1_000_000),
      };
      report(JSON.stringify(row));
      rows.push(row);
    }
  return { cores: availableParallelism(), node: process.version, date: new Date().toISOString(), rows };
}

const ratioOf = (paymentsPerSecond: number, rawVerifyPerCore: number): number =>
  Math.round((paymentsPerSecond / (availableParallelism() * rawVerifyPerCore)) * 1000) / 1000;

function settleOnSqlite(stored: number, report: Report): Promise<Run> {
  return inFolder(async (folder) => {
    const path = join(folder, "issuer.sqlite");
    if (stored > 0) await sqliteFiller(path).fill(stored, report);
    const paymentsPerSecond = await settleOn("SQLite", { folder, store: undefined, report });
    const residentBytes = process.memoryUsage().rss;
    return { paymentsPerSecond, storedBytes: (await stat(path)).size, residentBytes };
  });
}

/** A server of its own with its settings as they come: every commit is flushed. */
async function settleOnPostgres(stored: number, report: Report): Promise<Run | { readonly reason: string }> {
  if (!hasPostgresServer()) return { reason: "no PostgreSQL server for this platform" };
  const server = await startPostgresServer();
  const { connectionString } = server;
  try {
    const store = await openPostgresIssuerStore({ connectionString });
    if (stored > 0) await postgresFiller(connectionString, store).fill(stored, report);
    const paymentsPerSecond = await inFolder((folder) =>
      settleOn("PostgreSQL", { folder, store, report, halfway: () => ask(connectionString, "CHECKPOINT") }),
    );
    const residentBytes = process.memoryUsage().rss;
    return { paymentsPerSecond, storedBytes: await databaseBytes(connectionString), residentBytes };
  } finally {
    await server.stop();
  }
}

async function databaseBytes(connectionString: string): Promise<number> {
  const [row] = await ask(connectionString, "SELECT pg_database_size(current_database()) AS bytes");
  return Number(row?.bytes);
}

async function ask(connectionString: string, statement: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const { rows } = await client.query(statement);
  await client.end();
  return rows;
}

async function inFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "cairn-bench-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Payments settled per second. `store` undefined: SQLite in the folder of the run. */
async function settleOn(
  name: string,
  where: {
    readonly folder: string;
    readonly store: IssuerStore | undefined;
    readonly report: Report;
    /** Of the warm-up. */
    readonly halfway?: () => Promise<unknown>;
  },
): Promise<number> {
  const { folder, store, report, halfway } = where;
  const size = { accounts: ACCOUNTS, paymentsEach: WARM_UP_EACH + PAYMENTS_EACH };
  const world = await buildWorld(folder, size, store);
  try {
    report(`${name}: signing ${ACCOUNTS * size.paymentsEach} payments of ${ACCOUNTS} payers...`);
    await world.issueAll();
    await world.signChains();
    await world.settleAll((ACCOUNTS * WARM_UP_EACH) / 2);
    await halfway?.();
    await world.settleAll((ACCOUNTS * WARM_UP_EACH) / 2);
    const count = ACCOUNTS * PAYMENTS_EACH;
    report(`${name}: settling ${count} payments...`);
    const usage = process.cpuUsage();
    const begin = performance.now();
    await world.settleAll(count);
    const seconds = (performance.now() - begin) / 1000;
    const { user, system } = process.cpuUsage(usage);
    report(`${name}: ${Math.round((user + system) / count)} microseconds of this process for each payment`);
    await world.checkSettled(ACCOUNTS * size.paymentsEach);
    return Math.round(count / seconds);
  } finally {
    await world.close();
  }
}
