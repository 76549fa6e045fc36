import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { availableParallelism, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { type IssuerStore, openPostgresIssuerStore } from "@cairn/stores";
import pg from "pg";
import { hasPostgresServer, startPostgresServer } from "../scripts/postgres-server.ts";
import { rawVerify } from "./measure.ts";
import { postgresFiller } from "./stored-payments.ts";
import { buildWorld, type World } from "./world.ts";

const ACCOUNTS = 500;
const ROUNDS = 3;
const PAYMENTS_EACH = 80;
/**
 * Settled before the clock starts, so that threads and compiled code are as warm as after a server's first minute: what
 * runs once a batch is compiled after hundreds of them.
 */
const WARM_UP_EACH = 360;
/** Its own, which tests change, in megabytes: memory, and log between two checkpoints. */
const AS_IT_COMES = { memory: 128, log: 1_024 };
/** What docs/guides/operation.md asks for where much is stored. */
const FOR_MUCH = { memory: Math.floor(totalmem() / 4 / 2 ** 20), log: 4_096 };
const ALL_EACH = WARM_UP_EACH + ROUNDS * PAYMENTS_EACH;

export type Report = (line: string) => void;
export type Round = { readonly rawVerifyPerCore: number; readonly paymentsPerSecond: number; readonly ratio: number };
/** `storedBytes`: of the database after the run. `residentBytes`: of this process at the end of the run. */
export type Run = {
  readonly rounds: readonly Round[];
  /** All that were settled, the stored ones of before left out. */
  readonly settled: number;
  readonly storedBytes: number;
  readonly residentBytes: number;
};
export type StoreName = keyof typeof STORES;
export type Settled = Run | { readonly reason: string };

/** @param stored Payments stored before the run. */
export const settleOnStore = (store: StoreName, stored: number, report: Report): Promise<Settled> =>
  STORES[store](stored, report);

const STORES = { sqlite: settleOnSqlite, postgres: settleOnPostgres };

function settleOnSqlite(stored: number, report: Report): Promise<Run> {
  return inFolder(async (folder) => {
    const path = join(folder, "issuer.sqlite");
    if (stored > 0) await fillApart(path, stored, report);
    const rounds = await settleOn("SQLite", { folder, store: undefined, report });
    const residentBytes = process.memoryUsage().rss;
    return { rounds, settled: ACCOUNTS * ALL_EACH, storedBytes: (await stat(path)).size, residentBytes };
  });
}

/** In a process of its own: filling takes a gigabyte, of which this one's figure of its memory is to be free. */
async function fillApart(path: string, stored: number, report: Report): Promise<void> {
  const child = fork(new URL("./fill-child.ts", import.meta.url), [path, `${stored}`]);
  child.on("message", (line: string) => report(line));
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`Filling the database ended with ${code}.`);
}

/** A server of its own: every commit is flushed. */
async function settleOnPostgres(stored: number, report: Report): Promise<Settled> {
  if (!hasPostgresServer()) return { reason: "no PostgreSQL server for this platform" };
  const { memory, log } = stored > 0 ? FOR_MUCH : AS_IT_COMES;
  const server = await startPostgresServer({ settings: { shared_buffers: `${memory}MB`, max_wal_size: `${log}MB` } });
  const { connectionString } = server;
  try {
    const store = await openPostgresIssuerStore({ connectionString });
    if (stored > 0) await postgresFiller(connectionString, store).fill(stored, report);
    await fillLogFiles(connectionString, log, report);
    const rounds = await inFolder((folder) => settleOn("PostgreSQL", { folder, store, report }));
    const residentBytes = process.memoryUsage().rss;
    return { rounds, settled: ACCOUNTS * ALL_EACH, storedBytes: await databaseBytes(connectionString), residentBytes };
  } finally {
    await server.stop();
  }
}

/**
 * A server that has been up for some hours writes over log files that it has; a new one fills each with zeros first, and
 * waits for the disk. So it writes as much log as it will, of nothing, and makes a checkpoint, which keeps the files.
 */
async function fillLogFiles(connectionString: string, megabytes: number, report: Report): Promise<void> {
  report("PostgreSQL: filling its log files...");
  await ask(
    connectionString,
    `SELECT count(pg_logical_emit_message(false, 'filled', repeat(' ', 1000000)))
      FROM generate_series(1, ${megabytes})`,
  );
  await ask(connectionString, "CHECKPOINT");
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

/** `store` undefined: SQLite in the folder of the run. */
async function settleOn(
  name: string,
  where: {
    readonly folder: string;
    readonly store: IssuerStore | undefined;
    readonly report: Report;
  },
): Promise<readonly Round[]> {
  const { folder, store, report } = where;
  const world = await buildWorld(folder, { accounts: ACCOUNTS, paymentsEach: ALL_EACH }, store);
  try {
    report(`${name}: signing ${ACCOUNTS * ALL_EACH} payments of ${ACCOUNTS} payers...`);
    await world.issueAll();
    await world.signChains();
    report(`${name}: settling ${ACCOUNTS * WARM_UP_EACH} of them to get warm...`);
    await world.settleAll(ACCOUNTS * WARM_UP_EACH);
    const rounds: Round[] = [];
    for (let before = await rawVerify(); rounds.length < ROUNDS; ) {
      const { paymentsPerSecond, processMicroseconds } = await settleRound(world);
      const after = await rawVerify();
      const raw = (before + after) / 2;
      const ratio = Math.round((paymentsPerSecond / (availableParallelism() * raw)) * 1000) / 1000;
      rounds.push({ rawVerifyPerCore: Math.round(raw), paymentsPerSecond, ratio });
      report(
        `${name}: ${paymentsPerSecond} payments a second, ${processMicroseconds} microseconds of this process for each, ratio ${ratio}`,
      );
      before = after;
    }
    await world.checkSettled(ACCOUNTS * ALL_EACH);
    return rounds;
  } finally {
    await world.close();
  }
}

async function settleRound(world: World): Promise<{ paymentsPerSecond: number; processMicroseconds: number }> {
  const count = ACCOUNTS * PAYMENTS_EACH;
  const usage = process.cpuUsage();
  const begin = performance.now();
  await world.settleAll(count);
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(usage);
  return {
    paymentsPerSecond: Math.round(count / seconds),
    processMicroseconds: Math.round((user + system) / count),
  };
}
