import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ClientError } from "../packages/issuer/src/client/client-error.ts";
import { OperatorClient } from "../packages/issuer/src/client/operator-client.ts";
import { streamUpload } from "../packages/issuer/src/client/stream-upload.ts";
import { openCutter } from "../packages/issuer/test/support/cutter.ts";
import { TestTerminal } from "../packages/issuer/test/support/terminal.ts";
import { crypto, EUR, payeeId } from "../packages/issuer/test/support/values.ts";
import { TestWallet } from "../packages/issuer/test/support/wallet.ts";

/**
 * One terminal with 100,000 stored payments comes online. It uploads them as a stream, over a connection that breaks
 * again and again at a random byte, to a server with SQLite in a process of its own, which settles meanwhile. In the end
 * the ledger must hold each payment once.
 */
const WALLETS = 100;
const PAYMENTS = 100_000;
const PRICE_MINOR = 1n;
const PORTION_RECORDS = 250;
const BREAKS = 20;
const PROGRAM = fileURLToPath(new URL("../packages/cairn/src/main.ts", import.meta.url));
const clock = {
  get now(): number {
    return Math.floor(Date.now() / 1_000);
  },
  nowSeconds: (): number => Math.floor(Date.now() / 1_000),
};

export async function upload(report: (line: string) => void): Promise<Record<string, unknown>> {
  const folder = await mkdtemp(join(tmpdir(), "cairn-bench-"));
  const server = spawn(process.execPath, [PROGRAM, "issuer", "start", "--data", folder, "--port", "0", "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_NO_WARNINGS: "1", CAIRN_PASSPHRASE: "a benchmark of one run" },
  });
  try {
    const url = await addressOf(server);
    const issuer = { url, operatorToken: (await readFile(join(folder, "operator-token"), "utf8")).trim() };
    report(`signing ${PAYMENTS} payments of ${WALLETS} wallets...`);
    const { terminal, records } = await prepare(issuer);
    return await bringHome(issuer, terminal, records, report);
  } finally {
    const exited = once(server, "exit");
    server.kill("SIGTERM");
    await exited;
    await rm(folder, { recursive: true, force: true });
  }
}

type Issuer = { readonly url: string; readonly operatorToken: string };

async function bringHome(
  issuer: Issuer,
  terminal: TestTerminal,
  records: readonly Uint8Array[],
  report: (line: string) => void,
): Promise<Record<string, unknown>> {
  const way = await openCutter(issuer.url);
  const bytes = records.reduce((sum, record) => sum + record.length, 0);
  const memory = watchMemory(issuer);
  const connection = { url: way.url, signer: terminal.signer, crypto, clock };
  let done = 0;
  async function* portions(): AsyncGenerator<readonly Uint8Array[]> {
    for (let next = done; next < records.length; next += PORTION_RECORDS)
      yield records.slice(next, next + PORTION_RECORDS);
  }
  const begun = performance.now();
  while (done < records.length) {
    if (way.cuts() < BREAKS) way.cutAfter(Math.ceil(Math.random() * 2 * (bytes / BREAKS)));
    try {
      for await (const { records: answers } of streamUpload(connection, portions(), { inFlight: 4 })) {
        if (answers.some(({ state }) => state !== "received")) throw new Error("A record was not received.");
        done += answers.length;
      }
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      report(`cut ${way.cuts()} times, ${done} acknowledged: ${error.code}`);
    }
  }
  const receivedSeconds = secondsSince(begun);
  report("all received; settling...");
  const operator = new OperatorClient({ url: issuer.url, token: issuer.operatorToken });
  let settled = 0n;
  while (settled < BigInt(records.length) * PRICE_MINOR) {
    await setTimeout(500);
    const clearing = (await operator.trialBalance()).filter(({ ledgerAccount }) => ledgerAccount === "clearing:BENCH");
    settled = clearing.reduce((sum, { minor }) => sum - minor, 0n);
  }
  const settledSeconds = secondsSince(begun);
  const { faults } = await operator.verifyBooks();
  if (settled !== BigInt(records.length) * PRICE_MINOR || faults.length > 0)
    throw new Error(`Settled ${settled} for ${records.length} payments; ${faults.join(" ")}`);
  const { first, most } = await memory.stop();
  await way.close();
  return {
    payments: records.length,
    megabytesSent: Math.round(bytes / 1e6),
    connectionsBroken: way.cuts(),
    receivedSeconds,
    settledSeconds,
    serverMegabytes: { before: first, most },
  };
}

async function prepare(issuer: Issuer): Promise<{ readonly terminal: TestTerminal; readonly records: Uint8Array[] }> {
  const operator = new OperatorClient({ url: issuer.url, token: issuer.operatorToken });
  const at = { issuer, clock } as unknown as ConstructorParameters<typeof TestTerminal>[0];
  const payee = payeeId("BENCH");
  await operator.createPayee({ payeeId: payee, name: "Bench", currency: EUR });
  const terminal = await new TestTerminal(at).enrol((await operator.createTerminalCode(payee)).code);
  const records: Uint8Array[] = [];
  for (let number = 0; number < WALLETS; number++) {
    const { account } = await operator.createAccount({ name: `payer ${number}`, currency: EUR });
    await operator.topUp(account, { amountMinor: 10_000n, idempotencyKey: "first" });
    const wallet = await new TestWallet(at).enrol((await operator.createDeviceCode(account)).code, 3);
    await wallet.sync();
    for (let payment = 0; payment < PAYMENTS / WALLETS; payment++) {
      const request = await terminal.request(PRICE_MINOR);
      records.push(terminal.record(request, wallet.held(), await wallet.pay(request)));
    }
  }
  return { terminal, records };
}

/** Of the server's process, in megabytes, as its own metrics say. */
function watchMemory({ url, operatorToken }: Issuer): { stop(): Promise<{ first: number; most: number }> } {
  const seen: number[] = [];
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${operatorToken}` } });
      const bytes = /^cairn_process_resident_bytes (\d+)$/m.exec(await answer.text())?.[1];
      seen.push(Math.round(Number(bytes) / 1e6));
      await setTimeout(500);
    }
  })();
  return {
    stop: async () => {
      isOver = true;
      await watching;
      return { first: seen[0] ?? 0, most: Math.max(...seen) };
    },
  };
}

async function addressOf(server: ChildProcess): Promise<string> {
  let said = "";
  if (server.stdout === null) throw new Error("The server has no output.");
  for await (const line of createInterface({ input: server.stdout })) {
    said += line;
    try {
      const { url }: { url?: string } = JSON.parse(said);
      if (url !== undefined) return url;
    } catch {
      // Lines are missing.
    }
  }
  throw new Error(`The server did not start: ${said}`);
}

const secondsSince = (begun: number): number => Math.round((performance.now() - begun) / 100) / 10;
