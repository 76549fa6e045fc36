import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
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
  const folder = await mkdtemp(join(tmpdir(), "cairn-bench-"));
  try {
    report("measuring raw ES256 verification...");
    const before = await rawEs256();
    const sqlite = await settleOnSqlite(folder, report);
    const after = await rawEs256();
    const cores = availableParallelism();
    const rawVerifyPerCore = Math.round(Math.max(before.verifyPerSecond, after.verifyPerSecond));
    return {
      rawVerifyPerCore,
      cores,
      sqlite: { ...sqlite, ratio: Math.round((sqlite.paymentsPerSecond / (cores * rawVerifyPerCore)) * 1000) / 1000 },
      postgres: null,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function settleOnSqlite(
  folder: string,
  report: (line: string) => void,
): Promise<{ readonly paymentsPerSecond: number }> {
  const world = await buildWorld(folder, { accounts: ACCOUNTS, paymentsEach: WARM_UP_EACH + PAYMENTS_EACH });
  try {
    report(`signing ${ACCOUNTS * (WARM_UP_EACH + PAYMENTS_EACH)} payments of ${ACCOUNTS} payers...`);
    await world.issueAll();
    await world.signChains();
    await world.settleAll(ACCOUNTS * WARM_UP_EACH);
    const count = ACCOUNTS * PAYMENTS_EACH;
    report(`settling ${count} payments...`);
    const usage = process.cpuUsage();
    const begin = performance.now();
    await world.settleAll(count);
    const seconds = (performance.now() - begin) / 1000;
    const { user, system } = process.cpuUsage(usage);
    report(`${Math.round((user + system) / count)} microseconds of all cores for each payment`);
    await world.checkSettled(ACCOUNTS * (WARM_UP_EACH + PAYMENTS_EACH));
    return { paymentsPerSecond: Math.round(count / seconds) };
  } finally {
    await world.close();
  }
}
