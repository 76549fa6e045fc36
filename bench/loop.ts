import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rawEs256 } from "./measure.ts";
import { buildWorld, type World } from "./world.ts";

/**
 * The three hot paths of the loop, each beside the raw ES256 operation that bounds it, all in one run on one thread.
 *
 * - accepts: a terminal reads a code, verifies certificate and payment, applies the rules, and journals it durably in
 *   SQLite. Two verifications an accept, so a ratio of 0.5 would be the limit.
 * - issues: the server decides, stores what it will sign, signs, stores the certificate: two transactions a certificate.
 * - settlements: from uploaded bytes to posted entries in SQLite: strict decoding, inbox, verification, rules, postings.
 */
const ACCOUNTS = 250;
const PAYMENTS_EACH = 40;
const ACCEPTS = 1_500;

export async function loop(report: (line: string) => void): Promise<Record<string, unknown>> {
  const folder = await mkdtemp(join(tmpdir(), "cairn-bench-"));
  try {
    report("measuring raw ES256 operations...");
    const raw = await rawEs256();
    const world = await buildWorld(folder, { accounts: ACCOUNTS, paymentsEach: PAYMENTS_EACH });
    try {
      return await measure(world, raw, report);
    } finally {
      await world.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(
  world: World,
  raw: { verifyPerSecond: number; signPerSecond: number },
  report: (line: string) => void,
): Promise<Record<string, unknown>> {
  report(`issuing ${ACCOUNTS} certificates...`);
  const issuesPerSecond = await rate(ACCOUNTS, () => world.issueAll());
  report(`signing ${ACCOUNTS * PAYMENTS_EACH} payments...`);
  await world.payAll();
  report(`accepting ${ACCEPTS} payments at a terminal...`);
  const acceptsPerSecond = await rate(ACCEPTS, () => world.acceptSome(ACCEPTS));
  report(`settling ${ACCOUNTS * PAYMENTS_EACH} payments...`);
  const settlementsPerSecond = await rate(ACCOUNTS * PAYMENTS_EACH, () => world.settleAll(ACCOUNTS * PAYMENTS_EACH));
  await world.checkSettled(ACCOUNTS * PAYMENTS_EACH);
  return {
    rawVerifyPerSecond: Math.round(raw.verifyPerSecond),
    rawSignPerSecond: Math.round(raw.signPerSecond),
    acceptsPerSecond: Math.round(acceptsPerSecond),
    acceptsOverRawVerify: ratio(acceptsPerSecond, raw.verifyPerSecond),
    issuesPerSecond: Math.round(issuesPerSecond),
    issuesOverRawSign: ratio(issuesPerSecond, raw.signPerSecond),
    settlementsPerSecond: Math.round(settlementsPerSecond),
    settlementsOverRawVerify: ratio(settlementsPerSecond, raw.verifyPerSecond),
  };
}

async function rate(count: number, work: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await work();
  return (count / (performance.now() - begin)) * 1000;
}

const ratio = (figure: number, limit: number): number => Math.round((figure / limit) * 1000) / 1000;
