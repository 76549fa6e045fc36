import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OperatorClient, type RunningIssuer, startIssuer } from "@cairn/issuer";
import { currency } from "@cairn/messages";
import { SqliteIssuerStore } from "@cairn/stores";
import { TestClock } from "../../packages/issuer/test/support/issuer.ts";
import { TestTerminal } from "../../packages/issuer/test/support/terminal.ts";
import { payeeId } from "../../packages/issuer/test/support/values.ts";
import { TestWallet } from "../../packages/issuer/test/support/wallet.ts";
import { mustHold } from "../target.ts";

/** From here on the log speaks of faults of the server's own (pino's level of errors). */
const ERROR_LEVEL = 50;
const ACCOUNT = 1;

/** A real issuer on the loopback interface, its books in memory, with one wallet and one terminal enrolled. */
export class IssuerWorld {
  readonly issuer: RunningIssuer;
  readonly clock: TestClock;
  readonly operator: OperatorClient;
  readonly wallet: TestWallet;
  readonly terminal: TestTerminal;
  readonly #store: SqliteIssuerStore;
  readonly #folder: string;
  readonly #faults: string[];

  private constructor(parts: {
    readonly issuer: RunningIssuer;
    readonly clock: TestClock;
    readonly store: SqliteIssuerStore;
    readonly folder: string;
    readonly faults: string[];
  }) {
    this.issuer = parts.issuer;
    this.clock = parts.clock;
    this.#store = parts.store;
    this.#folder = parts.folder;
    this.#faults = parts.faults;
    this.operator = new OperatorClient({ url: parts.issuer.url, token: parts.issuer.operatorToken });
    this.wallet = new TestWallet(parts);
    this.terminal = new TestTerminal(parts);
  }

  static async open(): Promise<IssuerWorld> {
    const folder = await mkdtemp(join(tmpdir(), "cairn-fuzz-"));
    const store = new SqliteIssuerStore(":memory:");
    const clock = new TestClock();
    const faults: string[] = [];
    const issuer = await startIssuer({
      dataFolder: folder,
      passphrase: "correct horse battery",
      port: 0,
      issuerId: "fuzz-bank",
      issuerName: "Fuzz Bank",
      logLevel: "error",
      logTo: { write: (line) => faults.push(line) },
      settleIntervalMs: 20,
      housekeepingIntervalMs: 50,
      enrolmentAttempts: { perAddressPerMinute: 1_000_000, overallPerMinute: 1_000_000 },
      clock,
      store,
    });
    const world = new IssuerWorld({ issuer, clock, store, folder, faults });
    await world.#enrolAll();
    return world;
  }

  /** The server must not have met a fault of its own. */
  checkLog(): void {
    const lines = this.#faults.splice(0);
    const worst = lines.find((line) => (JSON.parse(line) as { readonly level: number }).level >= ERROR_LEVEL);
    mustHold(worst === undefined, `The server logs a fault: ${worst?.slice(0, 1_500)}`);
  }

  /** Whatever it was told: it is alive, it settles, and its books sum to zero. */
  async close(): Promise<void> {
    try {
      const ready = await fetch(`${this.issuer.url}/ready`);
      await ready.arrayBuffer();
      mustHold(ready.status === 200, "The server is no longer ready.");
      const { faults } = await this.#store.verifyBooks();
      mustHold(faults.length === 0, `The books do not agree: ${faults.join("; ")}`);
      this.checkLog();
    } finally {
      await this.issuer.close();
      await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
    }
  }

  async #enrolAll(): Promise<void> {
    const { operator } = this;
    const EUR = currency("EUR");
    const { account } = await operator.createAccount({ name: "Payer", currency: EUR });
    if (account !== ACCOUNT) throw new Error("The first account has another number than inputs of the corpus name.");
    await operator.topUp(account, { amountMinor: 100_000n, idempotencyKey: "first" });
    const shop = payeeId("SHOP-1");
    await operator.createPayee({ payeeId: shop, name: "Shop", currency: EUR });
    await this.wallet.enrol((await operator.createDeviceCode(account)).code);
    await this.terminal.enrol((await operator.createTerminalCode(shop)).code);
    await this.wallet.sync({ ahead: true });
  }
}
