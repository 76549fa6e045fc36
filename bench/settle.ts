import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import type { Report, Round, Settled, StoreName } from "./settle-store.ts";

/**
 * Settlement at full strength beside the signature verification that bounds it, in one run.
 *
 * - rawVerifyPerCore: ES256 verifications per second of one thread of this runtime, its key ready.
 * - paymentsPerSecond: uploaded records on their whole way: strict decoding, the durable inbox, verification on all
 *   cores, the rules, and the postings on the disk. The payments were signed before the clock starts.
 * - ratio: payments per second over cores times rawVerifyPerCore, both of the same seconds: a machine's own speed changes
 *   within a minute by more than what is to be seen.
 *
 * Each store, in a process of its own, settles a few rounds of payments, the raw figure being taken before and after
 * each; what is said of the store is the round in the middle. The long form measures the same with ever more payments
 * stored before (stored-payments.ts), and says what a payment takes on the disk and what the process takes of memory.
 */
const LONG_FORM: readonly number[] = [10_000, 1_000_000, 10_000_000];

export async function settle(report: Report): Promise<Record<string, unknown>> {
  const sqlite = await settleApart("sqlite", 0, report);
  const postgres = await settleApart("postgres", 0, report);
  const rounds = [sqlite, postgres].flatMap((run) => ("reason" in run ? [] : run.rounds));
  const figures = (run: Settled) => {
    if ("reason" in run) return run;
    const { paymentsPerSecond, ratio } = median(run.rounds, (round) => round.ratio);
    return { paymentsPerSecond, ratio, rounds: run.rounds };
  };
  return {
    rawVerifyPerCore: median(rounds, (round) => round.rawVerifyPerCore).rawVerifyPerCore,
    cores: availableParallelism(),
    sqlite: figures(sqlite),
    postgres: figures(postgres),
  };
}

/** @param sizes Payments stored before each run. */
export async function settleLong(report: Report, sizes = LONG_FORM): Promise<Record<string, unknown>> {
  const rows: Record<string, unknown>[] = [];
  for (const stored of sizes)
    for (const store of ["sqlite", "postgres"] as const) {
      const done = await settleApart(store, stored, report);
      if ("reason" in done) {
        rows.push({ store, stored, ...done });
        continue;
      }
      const row = {
        store,
        stored,
        ...median(done.rounds, (round) => round.ratio),
        ratios: done.rounds.map(({ ratio }) => ratio),
        bytesPerPayment: Math.round(done.storedBytes / (stored + done.settled)),
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

/** In a process of its own, as a server has one store: what an engine has learnt of two is slower with either. */
function settleApart(store: StoreName, stored: number, report: Report): Promise<Settled> {
  return new Promise((resolve, reject) => {
    const child = fork(new URL("./settle-child.ts", import.meta.url), [store, `${stored}`]);
    let settled: Settled | undefined;
    child.on("message", (message: ChildMessage) => {
      if ("line" in message) report(message.line);
      else settled = message.settled;
    });
    child.on("error", reject);
    child.on("exit", (code) => {
      if (settled === undefined) reject(new Error(`Settling on ${store} ended with ${code} and no figures.`));
      else resolve(settled);
    });
  });
}

export type ChildMessage = { readonly line: string } | { readonly settled: Settled };
