import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { type IssuerStore, openPostgresIssuerStore } from "@cairn/stores";
import { hasPostgresServer, startPostgresServer } from "../scripts/postgres-server.ts";
import { rawEs256 } from "./measure.ts";
import { buildWorld } from "./world.ts";

/**
 * Settlement at full strength beside the signature verification that bounds it, in one run.
 *
 * - rawVerifyPerCore: ES256 verifications per second of one thread of this runtime, its key ready.
 * - paymentsPerSecond: uploaded records on their whole way: strict decoding, the durable inbox, verification on all
 *   cores, the rules, and the postings on the disk. The payments were signed before the clock starts.
 * - ratio: payments per second over cores times rawVerifyPerCore.
 */
const ACCOUNTS = 500;
const PAYMENTS_EACH = 60;
/** Settled before the clock starts, so that threads and compiled code are as warm as in a server's second minute. */
const WARM_UP_EACH = 10;

export async function settle(report: (line: string) => void): Promise<Record<string, unknown>> {
  report("measuring raw ES256 verification...");
  const before = await rawEs256();
  const sqlite = await settleOn("SQLite", () => undefined, report);
  const postgres = await settleOnPostgres(report);
  const after = await rawEs256();
  const cores = availableParallelism();
  const rawVerifyPerCore = Math.round(Math.max(before.verifyPerSecond, after.verifyPerSecond));
  const figures = (paymentsPerSecond: number) => ({
    paymentsPerSecond,
    ratio: Math.round((paymentsPerSecond / (cores * rawVerifyPerCore)) * 1000) / 1000,
  });
  return {
    rawVerifyPerCore,
    cores,
    sqlite: figures(sqlite),
    postgres: typeof postgres === "number" ? figures(postgres) : postgres,
  };
}

/** A server of its own with its settings as they come: every commit is flushed. */
async function settleOnPostgres(report: (line: string) => void): Promise<number | { readonly reason: string }> {
  if (!hasPostgresServer()) return { reason: "no PostgreSQL server for this platform" };
  const server = await startPostgresServer();
  try {
    const store = await openPostgresIssuerStore({ connectionString: server.connectionString });
    return await settleOn("PostgreSQL", () => store, report);
  } finally {
    await server.stop();
  }
}

/** Payments settled per second. @param open Undefined: SQLite in the folder of the run. */
async function settleOn(
  name: string,
  open: () => IssuerStore | undefined,
  report: (line: string) => void,
): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "cairn-bench-"));
  const size = { accounts: ACCOUNTS, paymentsEach: WARM_UP_EACH + PAYMENTS_EACH };
  const world = await buildWorld(folder, size, open());
  try {
    report(`${name}: signing ${ACCOUNTS * size.paymentsEach} payments of ${ACCOUNTS} payers...`);
    await world.issueAll();
    await world.signChains();
    await world.settleAll(ACCOUNTS * WARM_UP_EACH);
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
    await rm(folder, { recursive: true, force: true });
  }
}
