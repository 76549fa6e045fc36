import { nodeCrypto } from "@cairn/cose/node";
import { DEFAULT_POLICY, type IssuingPolicy } from "@cairn/issue";
import type { IssuerStore } from "@cairn/stores";
import { followHouse, startHousekeeping } from "./housekeeping.ts";
import { createApp } from "./http/app.ts";
import { ARRIVAL_TIMEOUT_MS } from "./http/arrival-limit.ts";
import { openIssuerKeys } from "./keys/issuer-keys.ts";
import { readIdentity, TrustListPublisher, trustListFile } from "./lists/trust-list-publisher.ts";
import type { LogLevel } from "./options.ts";
import { Policies, settlementPolicy } from "./policy/policies.ts";
import { type Clock, systemClock, systemRandom } from "./ports.ts";
import { VerificationPool } from "./settlement/verification-pool.ts";
import { SettlementWorker } from "./settlement/worker.ts";

/** How a process that only settles is started, beside an issuer that serves. */
export type WorkerOptions = {
  /** The issuer's: its keys and its trust list are read from here, and followed. */
  readonly dataFolder: string;
  readonly passphrase: string;
  /** One for several processes. Closed together with the worker. */
  readonly store: IssuerStore;
  readonly policy?: IssuingPolicy;
  /** As the issuer's, and followed as it does. */
  readonly policyFile?: string;
  readonly logLevel?: LogLevel;
  /** Default: standard output. */
  readonly logTo?: { write(line: string): void };
  /** Pause between looks into the inbox when it was empty. Default 200. */
  readonly settleIntervalMs?: number;
  /** How often keys and lists are looked at anew. Default 5,000. */
  readonly followIntervalMs?: number;
  readonly clock?: Clock;
};

export type RunningWorker = {
  /** Finishes the batch at hand and closes the store. Safe to call twice. */
  close(): Promise<void>;
};

const SETTLE_INTERVAL_MS = 200;
const FOLLOW_INTERVAL_MS = 5_000;

/**
 * Starts settling in this process, until `close()`. Any number of them share the work of one database.
 * @throws KeyFileError KEY_FILE_MISSING before the issuer was started once; StoreError
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { dataFolder, passphrase, store } = options;
  try {
    const clock = options.clock ?? systemClock;
    const crypto = nodeCrypto();
    const { log } = await createApp({
      logLevel: options.logLevel ?? "info",
      logTo: options.logTo ?? process.stdout,
      trustedProxies: undefined,
      arrivalTimeoutMs: ARRIVAL_TIMEOUT_MS,
      unavailable: () => "NOT_READY",
    });
    const now = clock.nowSeconds();
    const keys = await openIssuerKeys({ dataFolder, passphrase, mayCreate: false, now, random: systemRandom, crypto });
    const issuer = await readIdentity(dataFolder, keys, crypto);
    const trustLists = new TrustListPublisher({
      file: trustListFile(dataFolder),
      identity: () => issuer,
      keys,
      crypto,
    });
    const policies = await Policies.open({
      store,
      clock,
      log,
      file: options.policyFile,
      policy: options.policy ?? DEFAULT_POLICY,
    });
    const follow = () => followHouse({ keys, log, trustLists, policies });
    await follow();
    const worker = new SettlementWorker({
      store,
      crypto,
      clock,
      log,
      certificateIdCipher: keys.certificateIdCipher,
      pool: new VerificationPool(),
      anchors: () => trustLists.current().settlementAnchors,
      policy: settlementPolicy(policies, clock),
      intervalMs: options.settleIntervalMs ?? SETTLE_INTERVAL_MS,
      // Whoever serves reads withdrawn certificates from the store.
      onWithdrawn: () => undefined,
    });
    const following = startHousekeeping(follow, options.followIntervalMs ?? FOLLOW_INTERVAL_MS);
    worker.start();
    log.info({ issuerId: issuer.issuerId }, "worker is up");
    let closing: Promise<void> | undefined;
    const close = async (): Promise<void> => {
      await following.stop();
      await worker.stop();
      await store.close();
    };
    return {
      close: () => {
        closing ??= close();
        return closing;
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}
