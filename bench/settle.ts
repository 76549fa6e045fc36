import { mkdtemp, rm, stat } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { type IssuerStore, openPostgresIssuerStore } from "@cairn/stores";
import pg from "pg";
import { hasPostgresServer, startPostgresServer } from "../scripts/postgres-server.ts";
import { rawVerify } from "./measure.ts";
import { postgresFiller, sqliteFiller } from "./stored-payments.ts";
import { buildWorld, type World } from "./world.ts";

/**
 * Settlement at full strength beside the signature verification that bounds it, in one run.
 *
 * - rawVerifyPerCore: ES256 verifications per second of one thread of this runtime, its key ready.
 * - paymentsPerSecond: uploaded records on their whole way: strict decoding, the durable inbox, verification on all
 *   cores, the rules, and the postings on the disk. The payments were signed before the clock starts.
 * - ratio: payments per second over cores times rawVerifyPerCore, both of the same seconds: a machine's own speed changes
 *   within a minute by more than what is to be seen.
 *
 * Each store settles a few rounds of payments, the raw figure being taken before and after each; what is said of the
 * store is the round in the middle. The long form measures the same with ever more payments stored before
 * (stored-payments.ts), and says what a payment takes on the disk and what the process takes of memory.
 */
const ACCOUNTS = 500;
const ROUNDS = 3;
const PAYMENTS_EACH = 60;
/**
 * Settled before the clock starts, so that threads and compiled code are as warm as after a server's first minute: what
 * runs once a batch is compiled after hundreds of them. Halfway PostgreSQL makes a checkpoint: from its first one on a
 * server writes over log files that it has, where a new one fills each with zeros beforehand.
 */
const WARM_UP_EACH = 120;
const ALL_EACH = WARM_UP_EACH + ROUNDS * PAYMENTS_EACH;
const LONG_FORM: readonly number[] = [10_000, 1_000_000, 10_000_000];

type Report = (line: string) => void;
type Round = { readonly rawVerifyPerCore: number; readonly paymentsPerSecond: number; readonly ratio: number };
/** `storedBytes`: of the database after the run. `residentBytes`: of this process at the end of the run. */
type Run = { readonly rounds: readonly Round[]; readonly storedBytes: number; readonly residentBytes: number };

export async function settle(report: Report): Promise<Record<string, unknown>> {
  const sqlite = await settleOnSqlite(0, report);
  const postgres = await settleOnPostgres(0, report);
  const rounds = [...sqlite.rounds, ...("reason" in postgres ? [] : postgres.rounds)];
  const figures = ({ rounds }: Run) => {
    const { paymentsPerSecond, ratio } = median(rounds, (round) => round.ratio);
    return { paymentsPerSecond, ratio, rounds };
  };
  return {
    rawVerifyPerCore: median(rounds, (round) => round.rawVerifyPerCore).rawVerifyPerCore,
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
      const done = await run(stored, report);
      if ("reason" in done) {
        rows.push({ store, stored, ...done });
        continue;
      }
      const row = {
        store,
        stored,
        ...median(done.rounds, (round) => round.ratio),
        ratios: done.rounds.map(({ ratio }) => ratio),
        bytesPerPayment: Math.round(done.storedBytes / (stored + ACCOUNTS * ALL_EACH)),
        residentMegabytes: Math.round(done.residentBytes / 1_000_000),
      };
      report(JSON.stringify(row));
      rows.push(row);
    }
  return { cores: availableParallelism(), node: process.version, date: new Date().toISOString(), rows };
}

function median(rounds: readonly Round[], by: (round: Round) => number): Round {
  const inOrder = [...rounds].sort((one, other) => by(one) - by(other));
  return inOrder[Math.floor(inOrder.length / 2)] as Round;
}

function settleOnSqlite(stored: number, report: Report): Promise<Run> {
  return inFolder(async (folder) => {
    const path = join(folder, "issuer.sqlite");
    if (stored > 0) await sqliteFiller(path).fill(stored, report);
    const rounds = await settleOn("SQLite", { folder, store: undefined, report });
    const residentBytes = process.memoryUsage().rss;
    return { rounds, storedBytes: (await stat(path)).size, residentBytes };
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
    const rounds = await inFolder((folder) =>
      settleOn("PostgreSQL", { folder, store, report, halfway: () => ask(connectionString, "CHECKPOINT") }),
    );
    const residentBytes = process.memoryUsage().rss;
    return { rounds, storedBytes: await databaseBytes(connectionString), residentBytes };
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

/** `store` undefined: SQLite in the folder of the run. */
async function settleOn(
  name: string,
  where: {
    readonly folder: string;
    readonly store: IssuerStore | undefined;
    readonly report: Report;
    /** Of the warm-up. */
    readonly halfway?: () => Promise<unknown>;
  },
): Promise<readonly Round[]> {
  const { folder, store, report, halfway } = where;
  const world = await buildWorld(folder, { accounts: ACCOUNTS, paymentsEach: ALL_EACH }, store);
  try {
    report(`${name}: signing ${ACCOUNTS * ALL_EACH} payments of ${ACCOUNTS} payers...`);
    await world.issueAll();
    await world.signChains();
    report(`${name}: settling ${ACCOUNTS * WARM_UP_EACH} of them to get warm...`);
    await world.settleAll((ACCOUNTS * WARM_UP_EACH) / 2);
    await halfway?.();
    await world.settleAll((ACCOUNTS * WARM_UP_EACH) / 2);
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
