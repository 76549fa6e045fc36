import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ClientError } from "../packages/issuer/src/client/client-error.ts";
import { OperatorClient } from "../packages/issuer/src/client/operator-client.ts";
import { streamUpload } from "../packages/issuer/src/client/stream-upload.ts";
import { type Cutter, openCutter } from "../packages/issuer/test/support/cutter.ts";
import { TestTerminal } from "../packages/issuer/test/support/terminal.ts";
import { crypto, EUR, payeeId } from "../packages/issuer/test/support/values.ts";
import { TestWallet } from "../packages/issuer/test/support/wallet.ts";

/**
 * One terminal with 100,000 stored payments comes online. It uploads them as a stream, over a connection that breaks
 * again and again at a random byte, to a server with SQLite in a process of its own, which settles meanwhile. In the end
 * the ledger must hold each payment once. The long form uploads a million to the same server, a hundred thousand after
 * the other, and so shows whether the server's memory stays what it is.
 */
const PAYMENTS = 100_000;
const LONG_FORM: readonly number[] = [1_000_000];
/** Signed before they are uploaded, so that signing takes nothing from the server. */
const WAVE_PAYMENTS = 100_000;
const PAYMENTS_EACH = 100;
const PRICE_MINOR = 1n;
const PORTION_RECORDS = 250;
const BREAKS_EACH_WAVE = 20;
const PROGRAM = fileURLToPath(new URL("../packages/cairn/src/main.ts", import.meta.url));
const clock = {
  get now(): number {
    return Math.floor(Date.now() / 1_000);
  },
  nowSeconds: (): number => Math.floor(Date.now() / 1_000),
};

type Report = (line: string) => void;
type Figures = Record<string, unknown>;

/** @param sizes Payments of each run, a server of its own each. */
export async function uploadLong(report: Report, sizes = LONG_FORM): Promise<Figures> {
  const rows: Figures[] = [];
  for (const payments of sizes) rows.push(await upload(report, payments));
  return { cores: availableParallelism(), node: process.version, date: new Date().toISOString(), rows };
}

export async function upload(report: Report, payments = PAYMENTS): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), "cairn-bench-"));
  const server = spawn(process.execPath, [PROGRAM, "issuer", "start", "--data", folder, "--port", "0", "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_NO_WARNINGS: "1", CAIRN_PASSPHRASE: "a benchmark of one run" },
  });
  try {
    const url = await addressOf(server);
    const issuer = { url, operatorToken: (await readFile(join(folder, "operator-token"), "utf8")).trim() };
    return await bringHome(issuer, payments, report);
  } finally {
    const exited = once(server, "exit");
    server.kill("SIGTERM");
    await exited;
    await rm(folder, { recursive: true, force: true });
  }
}

type Issuer = { readonly url: string; readonly operatorToken: string };

async function bringHome(issuer: Issuer, payments: number, report: Report): Promise<Figures> {
  const way = await openCutter(issuer.url);
  const operator = new OperatorClient({ url: issuer.url, token: issuer.operatorToken });
  const terminal = await enrolTerminal(issuer, operator);
  const memory = new ServerMemory(issuer, payments);
  const sum = { bytes: 0, receivedSeconds: 0, settledSeconds: 0 };
  for (let done = 0; done < payments; ) {
    const count = Math.min(WAVE_PAYMENTS, payments - done);
    report(`signing ${count} payments...`);
    const records = await signedRecords({ issuer, operator, terminal }, { first: done, count });
    const bytes = records.reduce((all, record) => all + record.length, 0);
    memory.watch();
    const begun = performance.now();
    await sendAll(records, {
      way,
      terminal,
      bytes,
      report,
      onReceived: (received) => memory.received(done + received),
    });
    done += count;
    sum.bytes += bytes;
    sum.receivedSeconds += secondsSince(begun);
    await untilSettled(operator, done);
    await memory.pause();
    sum.settledSeconds += secondsSince(begun);
    report(`${done} settled; the server takes ${memory.newest} megabytes`);
  }
  const { faults } = await operator.verifyBooks();
  if (faults.length > 0) throw new Error(faults.join(" "));
  await way.close();
  return {
    payments,
    megabytesSent: Math.round(sum.bytes / 1e6),
    connectionsBroken: way.cuts(),
    receivedSeconds: rounded(sum.receivedSeconds),
    settledSeconds: rounded(sum.settledSeconds),
    serverMegabytes: memory.figures(),
  };
}

type Sending = {
  readonly way: Cutter;
  readonly terminal: TestTerminal;
  readonly bytes: number;
  readonly report: Report;
  readonly onReceived: (records: number) => void;
};

async function sendAll(records: readonly Uint8Array[], sending: Sending): Promise<void> {
  const { way, terminal, bytes, report, onReceived } = sending;
  const connection = { url: way.url, signer: terminal.signer, crypto, clock };
  const cutsBefore = way.cuts();
  let done = 0;
  async function* portions(): AsyncGenerator<readonly Uint8Array[]> {
    for (let next = done; next < records.length; next += PORTION_RECORDS)
      yield records.slice(next, next + PORTION_RECORDS);
  }
  while (done < records.length) {
    if (way.cuts() - cutsBefore < BREAKS_EACH_WAVE)
      way.cutAfter(Math.ceil(Math.random() * 2 * (bytes / BREAKS_EACH_WAVE)));
    try {
      for await (const { records: answers } of streamUpload(connection, portions(), { inFlight: 4 })) {
        if (answers.some(({ state }) => state !== "received")) throw new Error("A record was not received.");
        done += answers.length;
        onReceived(done);
      }
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      report(`cut ${way.cuts()} times, ${done} of these acknowledged: ${error.code}`);
    }
  }
}

async function untilSettled(operator: OperatorClient, payments: number): Promise<void> {
  const expected = BigInt(payments) * PRICE_MINOR;
  for (;;) {
    const clearing = (await operator.trialBalance()).filter(({ ledgerAccount }) => ledgerAccount === "clearing:BENCH");
    const settled = clearing.reduce((sum, { minor }) => sum - minor, 0n);
    if (settled > expected) throw new Error(`Settled ${settled} for ${payments} payments.`);
    if (settled === expected) return;
    await setTimeout(500);
  }
}

const testSide = (issuer: Issuer) => ({ issuer, clock }) as unknown as ConstructorParameters<typeof TestTerminal>[0];

async function enrolTerminal(issuer: Issuer, operator: OperatorClient): Promise<TestTerminal> {
  const payee = payeeId("BENCH");
  await operator.createPayee({ payeeId: payee, name: "Bench", currency: EUR });
  return new TestTerminal(testSide(issuer)).enrol((await operator.createTerminalCode(payee)).code);
}

/** Of wallets that are new each time. */
async function signedRecords(
  parties: { readonly issuer: Issuer; readonly operator: OperatorClient; readonly terminal: TestTerminal },
  { first, count }: { readonly first: number; readonly count: number },
): Promise<Uint8Array[]> {
  const { issuer, operator, terminal } = parties;
  const records: Uint8Array[] = [];
  while (records.length < count) {
    const { account } = await operator.createAccount({ name: `payer ${first + records.length}`, currency: EUR });
    await operator.topUp(account, { amountMinor: 10_000n, idempotencyKey: "first" });
    const wallet = await new TestWallet(testSide(issuer)).enrol((await operator.createDeviceCode(account)).code, 3);
    await wallet.sync();
    for (let payment = 0; payment < PAYMENTS_EACH && records.length < count; payment++) {
      const request = await terminal.request(PRICE_MINOR);
      records.push(terminal.record(request, wallet.held(), await wallet.pay(request)));
    }
  }
  return records;
}

/** Of the server's process, in megabytes, as its own metrics say; only while something is uploaded or settled. */
class ServerMemory {
  readonly #issuer: Issuer;
  readonly #payments: number;
  readonly #atTenths = new Map<number, number>();
  #received = 0;
  #watching: Promise<void> | undefined;
  #isPaused = true;
  newest = 0;
  #most = 0;

  constructor(issuer: Issuer, payments: number) {
    this.#issuer = issuer;
    this.#payments = payments;
  }

  watch(): void {
    this.#isPaused = false;
    this.#watching = (async () => {
      for (; !this.#isPaused; await setTimeout(500)) await this.#look();
    })();
  }

  async pause(): Promise<void> {
    this.#isPaused = true;
    await this.#watching;
    await this.#look();
  }

  received(payments: number): void {
    this.#received = payments;
  }

  /** The most that was seen until so much was received, of what was seen since the tenth before. */
  figures(): Record<string, number> {
    const tenths = [...this.#atTenths].map(([tenth, megabytes]) => [`${tenth * 10}%`, megabytes]);
    return { ...Object.fromEntries(tenths), most: this.#most };
  }

  async #look(): Promise<void> {
    const { url, operatorToken } = this.#issuer;
    const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${operatorToken}` } });
    const bytes = /^cairn_process_resident_bytes (\d+)$/m.exec(await answer.text())?.[1];
    this.newest = Math.round(Number(bytes) / 1e6);
    this.#most = Math.max(this.#most, this.newest);
    const tenth = Math.ceil((this.#received / this.#payments) * 10);
    this.#atTenths.set(tenth, Math.max(this.#atTenths.get(tenth) ?? 0, this.newest));
  }
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

const secondsSince = (begun: number): number => (performance.now() - begun) / 1_000;
const rounded = (seconds: number): number => Math.round(seconds * 10) / 10;
