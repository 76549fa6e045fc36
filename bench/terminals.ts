import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { MessageId } from "@cairn/messages";
import { ClientError } from "../packages/issuer/src/client/client-error.ts";
import { IssuerClient } from "../packages/issuer/src/client/issuer-client.ts";
import { OperatorClient } from "../packages/issuer/src/client/operator-client.ts";
import { startIssuer } from "../packages/issuer/src/start.ts";
import { type ReachableIssuer, TestClock } from "../packages/issuer/test/support/issuer.ts";
import { TestTerminal } from "../packages/issuer/test/support/terminal.ts";
import { crypto, EUR, payeeId } from "../packages/issuer/test/support/values.ts";
import { TestWallet } from "../packages/issuer/test/support/wallet.ts";

/**
 * A thousand terminals come online at the same moment and upload over HTTP, each on a connection of its own, to one
 * server with SQLite. Server and terminals share the machine and one process, so the terminals' own work (two signed
 * calls each and more to ask for outcomes) is inside the times.
 *
 * - received: from the terminal's first byte to the durable "received" of all its records.
 * - settled: from the same moment until the terminal has heard that all its payments are settled; it asks after one second, then after two more,
 *   four more and so on, so this is an upper bound.
 * - processorMillisecondsEach: of the process, for all that one terminal asks and settles, both sides.
 */
const TERMINALS = 1_000;
const PAYMENTS_EACH = 5;
const WALLETS = 100;
const PAYEES = 10;
const FIRST_LOOK_AFTER_MS = 1_000;
const AT_ONCE = 16;
const ATTEMPTS = 5;
const RETRY_AFTER_MS = 250;
/** Calls that had to be made again. */
const repeats = { count: 0 };

type Ready = { readonly client: IssuerClient; readonly records: Uint8Array[]; readonly paymentIds: MessageId[] };

export async function terminals(report: (line: string) => void): Promise<Record<string, unknown>> {
  const folder = await mkdtemp(join(tmpdir(), "cairn-bench-"));
  const clock = new TestClock();
  const issuer = await startIssuer({
    dataFolder: folder,
    passphrase: "a benchmark of one run",
    port: 0,
    issuerId: "bench",
    issuerName: "Bench",
    logLevel: "error",
    clock,
  });
  try {
    report(`enrolling ${TERMINALS} terminals and ${WALLETS} wallets, signing ${TERMINALS * PAYMENTS_EACH} payments...`);
    const ready = await prepare({ issuer, clock });
    report("uploading...");
    repeats.count = 0;
    const usage = process.cpuUsage();
    const begin = performance.now();
    const times = await Promise.all(ready.map((each) => uploadAndAsk(each, begin)));
    const { user, system } = process.cpuUsage(usage);
    return {
      terminals: TERMINALS,
      paymentsEach: PAYMENTS_EACH,
      receivedMilliseconds: quantiles(times.map(({ received }) => received)),
      repeatedCalls: repeats.count,
      settledMilliseconds: quantiles(times.map(({ settled }) => settled)),
      processorMillisecondsEach: Math.round((user + system) / 100 / TERMINALS) / 10,
    };
  } finally {
    await issuer.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function prepare(at: ReachableIssuer): Promise<readonly Ready[]> {
  const operator = new OperatorClient({ url: at.issuer.url, token: at.issuer.operatorToken });
  const payees = Array.from({ length: PAYEES }, (_, index) => payeeId(`SHOP-${index}`));
  for (const each of payees) await operator.createPayee({ payeeId: each, name: each, currency: EUR });
  const wallets = await inTurns(WALLETS, async (index) => {
    const { account } = await operator.createAccount({ name: `payer ${index}`, currency: EUR });
    await operator.topUp(account, { amountMinor: 10_000n, idempotencyKey: `first-${index}` });
    const wallet = await new TestWallet(at).enrol((await operator.createDeviceCode(account)).code, 3);
    await wallet.sync();
    return wallet;
  });
  return inTurns(TERMINALS, async (index) => {
    const payee = payees[index % PAYEES] ?? payeeId("SHOP-0");
    const terminal = await new TestTerminal(at).enrol((await operator.createTerminalCode(payee)).code);
    // As after hours offline: nothing is left of the calls before.
    const client = new IssuerClient({ url: at.issuer.url, signer: terminal.signer, crypto, clock: at.clock });
    const ready: Ready = { client, records: [], paymentIds: [] };
    for (let number = 0; number < PAYMENTS_EACH; number++) {
      const wallet = wallets[(index * PAYMENTS_EACH + number) % WALLETS];
      if (wallet === undefined) throw new Error("There are no wallets.");
      const request = await terminal.request(10n);
      const payment = await wallet.pay(request);
      ready.records.push(terminal.record(request, wallet.held(), payment));
      ready.paymentIds.push(payment.messageId);
    }
    return ready;
  });
}

async function uploadAndAsk(
  { client, records, paymentIds }: Ready,
  begin: number,
): Promise<{ readonly received: number; readonly settled: number }> {
  const answer = await retried(() => client.upload(records));
  if (answer.records.some(({ state }) => state !== "received")) throw new Error("A record was not received.");
  const received = performance.now() - begin;
  for (let pauseMs = FIRST_LOOK_AFTER_MS; ; pauseMs *= 2) {
    await setTimeout(pauseMs);
    const { payments } = await retried(() => client.outcomes(paymentIds));
    if (payments.every(({ state }) => state === "settled")) return { received, settled: performance.now() - begin };
    const wrong = payments.find(({ state }) => state !== "settled" && state !== "received");
    if (wrong !== undefined) throw new Error(`A payment is ${wrong.state}: ${wrong.code}`);
  }
}

/** As a terminal does: a call whose answer was lost is made again. */
async function retried<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof ClientError) || attempt === ATTEMPTS) throw error;
      repeats.count++;
      await setTimeout(RETRY_AFTER_MS);
    }
  }
}

/** Several at a time, answers in order. */
async function inTurns<Value>(count: number, make: (index: number) => Promise<Value>): Promise<Value[]> {
  const made = new Array<Value>(count);
  let next = 0;
  const turns = Array.from({ length: AT_ONCE }, async () => {
    for (let index = next++; index < count; index = next++) made[index] = await make(index);
  });
  await Promise.all(turns);
  return made;
}

function quantiles(times: readonly number[]): { readonly p50: number; readonly p99: number } {
  const sorted = times.toSorted((left, right) => left - right);
  const at = (share: number): number => Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
  return { p50: at(0.5), p99: at(0.99) };
}
