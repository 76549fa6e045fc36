import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { OperatorClient } from "../../src/client/operator-client.ts";
import type { IssuerOptions, RunningIssuer } from "../../src/options.ts";
import { startIssuer } from "../../src/start.ts";

export const START = 1_800_000_000;

/** A clock that stands until a test moves it. */
export class TestClock {
  now = START;
  nowSeconds = (): number => this.now;
}

export type TestIssuer = {
  readonly issuer: RunningIssuer;
  readonly operator: OperatorClient;
  readonly clock: TestClock;
  readonly folder: string;
  /** Every log line so far. */
  readonly logged: string[];
  /** Stops it and starts it again on the same folder. */
  restart(options?: Partial<IssuerOptions>): Promise<TestIssuer>;
};

/** What a wallet or terminal has to know of its issuer. */
export type ReachableIssuer = Pick<TestIssuer, "issuer" | "clock"> & Partial<TestIssuer>;

export const PASSPHRASE = "correct horse battery";

export async function startTestIssuer(t: TestContext, options: Partial<IssuerOptions> = {}): Promise<TestIssuer> {
  const folder = await mkdtemp(join(tmpdir(), "cairn-issuer-"));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return startIn(t, folder, new TestClock(), options);
}

export async function startIn(
  t: TestContext,
  folder: string,
  clock: TestClock,
  options: Partial<IssuerOptions>,
): Promise<TestIssuer> {
  const logged: string[] = [];
  const issuer = await startIssuer({
    dataFolder: folder,
    passphrase: PASSPHRASE,
    port: 0,
    issuerId: "test-bank",
    issuerName: "Test Bank",
    logTo: { write: (line) => logged.push(line) },
    settleIntervalMs: 20,
    housekeepingIntervalMs: 20,
    clock,
    ...options,
  });
  t.after(() => issuer.close());
  const operator = new OperatorClient({ url: issuer.url, token: issuer.operatorToken });
  return {
    issuer,
    operator,
    clock,
    folder,
    logged,
    restart: async (changed = {}) => {
      await issuer.close();
      return startIn(t, folder, clock, { ...options, ...changed });
    },
  };
}

/** Looks again until it holds: for what the worker does in its own time. The bound only ends a test that is broken. */
export async function eventually<Value>(look: () => Promise<Value | undefined | false>): Promise<Value> {
  for (let tries = 0; tries < 3_000; tries++) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("It never came to hold.");
}
